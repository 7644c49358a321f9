//! A client as browsers are, by another implementation of WebRTC: an offer over HTTP, Opus both ways, events over a channel.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use audio::{OpusDecoder, OpusEncoder, SampleRate};
use bytes::Bytes;
use reqwest::{Client, StatusCode, header};
use rtc::{
    media_stream::MediaStreamTrack,
    peer_connection::configuration::{
        interceptor_registry::configure_rtcp_reports,
        media_engine::{MIME_TYPE_OPUS, MediaEngine},
    },
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit, RTCPeerConnectionState,
        RTCSessionDescription, Registry,
    },
};

use crate::network::Network;

/// Longer than anything takes here, so a test that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Samples of 20 ms at 24 kHz.
const STEP: usize = 480;
const SSRC: u32 = 7_001;
const OPUS: u8 = 111;

/// A client that is connected.
pub(crate) struct Caller {
    pub(crate) connection: Arc<dyn PeerConnection>,
    pub(crate) channel: Arc<dyn DataChannel>,
    /// Of the answer to the offer.
    pub(crate) location: String,
    events: mpsc::UnboundedReceiver<Value>,
    heard: mpsc::UnboundedReceiver<Heard>,
    /// Whether packets are counted and not decoded.
    counts: Arc<AtomicBool>,
    microphone: Arc<Mutex<Microphone>>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// A packet of the reply's speech, decoded.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    /// At 24 kHz.
    pub(crate) samples: Vec<i16>,
}

/// How a client calls.
pub(crate) struct Dial<'a> {
    pub(crate) way: Way,
    /// What becomes of the offer on its way to the relay, and of the answer on its way back.
    pub(crate) change_offer: &'a dyn Fn(&str) -> String,
    pub(crate) change_answer: &'a dyn Fn(&str) -> String,
}

impl Default for Dial<'_> {
    fn default() -> Self {
        Self { way: Way::Ipv4, change_offer: &str::to_owned, change_answer: &str::to_owned }
    }
}

/// What a client may use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Ipv4,
    Ipv6,
    Tcp,
}

/// What the client says.
#[derive(Default)]
struct Microphone {
    waiting: VecDeque<i16>,
    /// Packets that are sent again and again while nothing waits.
    again: VecDeque<Bytes>,
    /// When packets of full scale left.
    clicks: Vec<Instant>,
}

impl Microphone {
    fn samples(&mut self) -> Vec<i16> {
        (0..STEP).map(|_| self.waiting.pop_front().unwrap_or(0)).collect()
    }

    fn packet(&mut self) -> Option<Bytes> {
        let packet = self.again.pop_front().filter(|_| self.waiting.is_empty())?;
        self.again.push_back(packet.clone());
        Some(packet)
    }
}

struct Handler {
    heard: mpsc::UnboundedSender<Heard>,
    state: watch::Sender<RTCPeerConnectionState>,
    counts: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let (heard, counts) = (self.heard.clone(), Arc::clone(&self.counts));
        tokio::spawn(async move {
            let mut decoder = OpusDecoder::new(SampleRate::HZ_24000).unwrap();
            while let Some(event) = track.poll().await {
                let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
                let mut samples = Vec::new();
                if !counts.load(Ordering::Relaxed) {
                    decoder.decode(&packet.payload, &mut samples).unwrap();
                }
                let header = packet.header;
                let (sequence, timestamp, marker) = (header.sequence_number, header.timestamp, header.marker);
                if heard.send(Heard { sequence, timestamp, marker, samples }).is_err() {
                    return;
                }
            }
        });
    }
}

impl Caller {
    /// Calls and takes the greeting.
    pub(crate) async fn call(url: &str, key: &str) -> Self {
        let mut caller = Self::dial(&format!("{url}/v1/realtime/calls?model=gpt-realtime"), key).await;
        assert_eq!(caller.next().await["type"], "session.created");
        caller
    }

    /// Calls over a network of the test's own, and takes the greeting.
    pub(crate) async fn call_through(url: &str, key: &str, network: &Network) -> Self {
        let url = format!("{url}/v1/realtime/calls?model=gpt-realtime");
        let dial = Dial { change_answer: &|answer| redirected(answer, network.address), ..Dial::default() };
        let mut caller = Self::begin(dial, &url, key).await;
        assert_eq!(caller.next().await["type"], "session.created");
        caller
    }

    /// Calls.
    pub(crate) async fn dial(url: &str, key: &str) -> Self {
        Self::begin(Dial::default(), url, key).await
    }

    /// Calls in its own way.
    pub(crate) async fn begin(dial: Dial<'_>, url: &str, key: &str) -> Self {
        let (heard_sender, heard) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(RTCPeerConnectionState::New);
        let counts = Arc::new(AtomicBool::new(false));
        let handler = Handler { heard: heard_sender, state: state_sender, counts: Arc::clone(&counts) };
        let (connection, track) = connection(dial.way, handler).await;
        let channel = connection.create_data_channel("oai-events", None).await.unwrap();
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer.clone()).await.unwrap();
        let request = Client::new().post(url).bearer_auth(key).header(header::CONTENT_TYPE, "application/sdp");
        let response = request.body((dial.change_offer)(&offer.sdp)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/sdp");
        let location = response.headers()[header::LOCATION].to_str().unwrap().to_owned();
        let answer = (dial.change_answer)(&response.text().await.unwrap());
        let description = RTCSessionDescription::answer(answer.clone()).unwrap();
        connection.set_remote_description(description).await.unwrap();
        // This implementation connects to candidates that were trickled, and to no others.
        for candidate in answer.lines().filter_map(|line| line.strip_prefix("a=").filter(|_| line.contains(" tcp "))) {
            let candidate = RTCIceCandidateInit { candidate: candidate.to_owned(), ..Default::default() };
            connection.add_ice_candidate(candidate).await.unwrap();
        }
        let (events_sender, events) = mpsc::unbounded_channel();
        let microphone = Arc::new(Mutex::new(Microphone::default()));
        let tasks = vec![
            AbortOnDropHandle::new(tokio::spawn(listen(Arc::clone(&channel), events_sender))),
            AbortOnDropHandle::new(tokio::spawn(speak(track, Arc::clone(&microphone), state))),
        ];
        Self { connection, channel, location, events, heard, counts, microphone, _tasks: tasks }
    }

    /// Sends an event.
    pub(crate) async fn send(&self, event: Value) {
        self.channel.send_text(&event.to_string()).await.unwrap();
    }

    /// Speaks, in real time, after what was said before; silence follows. Samples at 24 kHz.
    pub(crate) fn say(&self, samples: &[i16]) {
        self.microphone.lock().unwrap().waiting.extend(samples);
    }

    /// Speaks without end, the same packets again and again, and no longer decodes what it hears: for as many callers as
    /// the machine has room for.
    pub(crate) fn chatter(&self, packets: &[Bytes]) {
        self.microphone.lock().unwrap().again = packets.to_vec().into();
        self.counts.store(true, Ordering::Relaxed);
    }

    /// Makes clicks, this far apart, over silence; returns when their packets were handed to the socket.
    pub(crate) async fn click(&mut self, count: usize, apart: Duration) -> Vec<Instant> {
        let before = self.microphone.lock().unwrap().clicks.len();
        for _ in 0..count {
            self.microphone.lock().unwrap().waiting = VecDeque::from(vec![20_000; STEP]);
            tokio::time::sleep(apart).await;
        }
        self.microphone.lock().unwrap().clicks[before..].to_vec()
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        timeout(PATIENCE, self.events.recv()).await.expect("the relay is silent").expect("the channel is closed")
    }

    /// All events up to the first of this type.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let last = event["type"] == kind;
            assert!(last || event["type"] != "error", "{event}");
            events.push(event);
            if last {
                return events;
            }
        }
    }

    /// The next packet of sound.
    pub(crate) async fn hear(&mut self) -> Heard {
        timeout(PATIENCE, self.heard.recv()).await.expect("the relay plays nothing").expect("the track ended")
    }

    /// Packets that came so far.
    pub(crate) fn heard(&mut self) -> Vec<Heard> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }

    /// Waits until the relay has closed the channel for events; what came before is passed over.
    pub(crate) async fn is_left(&mut self) {
        let left = async { while self.events.recv().await.is_some() {} };
        timeout(PATIENCE, left).await.expect("the relay stays");
    }
}

/// An answer whose candidates lie at this address.
fn redirected(answer: &str, address: SocketAddr) -> String {
    let lines = answer.lines().map(|line| {
        let mut words: Vec<&str> = line.split(' ').collect();
        let port = address.port().to_string();
        if line.starts_with("a=candidate:") {
            words[5] = &port;
        }
        words.join(" ") + "\r\n"
    });
    lines.collect()
}

/// Whether somebody speaks in it.
pub(crate) fn is_loud(samples: &[i16]) -> bool {
    samples.iter().any(|sample| sample.unsigned_abs() > 300)
}

async fn connection(way: Way, handler: Handler) -> (Arc<dyn PeerConnection>, Arc<TrackLocalStaticRTP>) {
    let codec = RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![],
    };
    let mut engine = MediaEngine::default();
    let parameters = RTCRtpCodecParameters { rtp_codec: codec.clone(), payload_type: OPUS };
    engine.register_codec(parameters, RtpCodecKind::Audio).unwrap();
    // What it missed is told to the relay, as browsers do (RFC 3550, 6.4.2).
    let reports = configure_rtcp_reports(Registry::new());
    let connection = PeerConnectionBuilder::new().with_media_engine(engine).with_interceptor_registry(reports);
    let connection = connection.with_handler(Arc::new(handler));
    let connection = match way {
        Way::Ipv4 => connection.with_udp_addrs(vec!["127.0.0.1:0"]),
        Way::Ipv6 => connection.with_udp_addrs(vec!["[::1]:0"]),
        Way::Tcp => connection.with_tcp_addrs(vec!["127.0.0.1:0"]),
    };
    let connection = connection.build().await.unwrap();
    let encoding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(SSRC), ..Default::default() },
        codec,
        ..Default::default()
    };
    let named = |what: &str| what.to_owned();
    let track = MediaStreamTrack::new(named("m"), named("mic"), named("mic"), RtpCodecKind::Audio, vec![encoding]);
    let track = Arc::new(TrackLocalStaticRTP::new(track));
    connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.unwrap();
    (Arc::new(connection), track)
}

async fn listen(channel: Arc<dyn DataChannel>, events: mpsc::UnboundedSender<Value>) {
    while let Some(event) = channel.poll().await {
        if let DataChannelEvent::OnClose = event {
            return;
        }
        if let DataChannelEvent::OnMessage(message) = event {
            assert!(message.is_string, "browsers hand binary messages over as something else");
            let event = serde_json::from_slice(&message.data).unwrap();
            if events.send(event).is_err() {
                return;
            }
        }
    }
}

/// The microphone: a packet every 20 ms from the moment of connection.
async fn speak(
    track: Arc<TrackLocalStaticRTP>,
    microphone: Arc<Mutex<Microphone>>,
    mut state: watch::Receiver<RTCPeerConnectionState>,
) {
    let connected = state.wait_for(|state| *state == RTCPeerConnectionState::Connected).await.map(drop);
    if connected.is_err() {
        return;
    }
    let mut encoder = OpusEncoder::new(SampleRate::HZ_24000).unwrap();
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for step in 0_u32.. {
        ticks.tick().await;
        let (mut clicks, mut payload) = (false, Vec::new());
        let payload = if let Some(packet) = microphone.lock().unwrap().packet() {
            packet
        } else {
            let pcm = microphone.lock().unwrap().samples();
            encoder.encode(&pcm, &mut payload).unwrap();
            clicks = pcm.iter().all(|sample| *sample == 20_000);
            payload.into()
        };
        let header = rtc::rtp::header::Header {
            version: 2,
            payload_type: OPUS,
            sequence_number: step as u16,
            timestamp: step.wrapping_mul(960),
            ssrc: SSRC,
            ..Default::default()
        };
        let packet = rtc::rtp::packet::Packet { header, payload };
        if track.write_rtp(packet).await.is_err() {
            return;
        }
        if clicks {
            microphone.lock().unwrap().clicks.push(Instant::now());
        }
    }
}
