//! One client over WebRTC: its ICE, DTLS, SRTP and SCTP, between the port and the call.
//!
//! str0m holds no socket and no clock. The rule it asks for: change one thing, then take all output before the next change.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use str0m::{
    Event, IceConnectionState, Input, Output, Rtc, RtcError,
    channel::ChannelId,
    net::{Protocol, Receive, Transmit},
    rtp::{RtpPacket, RtpWrite},
};
use tokio::sync::mpsc;

use super::{
    offer::Audio,
    pacer::{Packet, TICKS},
    port::{Berth, Datagram},
};

/// Number of the first packet.
const FIRST: u64 = 1;
/// TCP connections one call may use.
const CONNECTIONS: usize = 4;

/// What a client did.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are packets")]
pub(super) enum Happened {
    /// ICE and DTLS are done: audio may flow.
    Connected,
    /// ICE has not heard of the client for 15 s.
    Lost,
    /// … and then did.
    Found,
    /// A packet of its microphone.
    Heard(RtpPacket),
    /// It misses this share of what is played, 0 to 100 percent, as its receiver reports say (RFC 3550, 6.4.2).
    Missed(u8),
    /// An event, or what should have been one.
    Said { binary: bool, text: Vec<u8> },
    /// It said goodbye.
    Left,
}

/// The client and the way to it.
pub(super) struct Peer {
    rtc: Rtc,
    berth: Berth,
    audio: Audio,
    events: Option<ChannelId>,
    /// Where the client was before, and where it is now: see [`Peer::whereabouts`].
    moved: Option<(SocketAddr, SocketAddr)>,
    /// Where a packet last came from that proved to be the client's.
    seen: Option<SocketAddr>,
    /// Ways back over TCP, by the client's address.
    connections: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
    sequence: u64,
    time: u32,
}

/// What became of an event for the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// It is on its way.
    Sent,
    /// There is no room for it now.
    Later,
    /// It is larger than what the client takes.
    TooLarge,
}

impl Peer {
    pub(super) fn new(rtc: Rtc, berth: Berth, audio: Audio) -> Self {
        Self {
            rtc,
            berth,
            audio,
            events: None,
            moved: None,
            seen: None,
            connections: HashMap::new(),
            sequence: FIRST,
            time: 0,
        }
    }

    /// The next datagram for this client.
    pub(super) async fn datagram(&mut self) -> Option<Datagram> {
        self.berth.next().await
    }

    /// Takes a datagram, and those that came with it.
    pub(super) fn take(&mut self, datagram: Datagram, happened: &mut Vec<Happened>) -> Result<(), RtcError> {
        self.receive(datagram, happened)?;
        while let Some(datagram) = self.berth.more() {
            self.receive(datagram, happened)?;
        }
        Ok(())
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, now: Instant, happened: &mut Vec<Happened>) -> Result<(), RtcError> {
        self.rtc.handle_input(Input::Timeout(now))?;
        self.settle(happened)
    }

    /// Sends 20 ms of speech or silence; `skipped` steps before it were never sent.
    pub(super) fn play(&mut self, now: Instant, packet: Packet<'_>, skipped: u32) {
        self.time = self.time.wrapping_add(TICKS.wrapping_mul(1 + skipped));
        let (time, sequence, audio) = (self.time, self.sequence, self.audio);
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(audio.mid, None).filter(|_| audio.listens) else { return };
        if sequence == FIRST {
            // Nothing is sent again here: 3 s of packets would be kept for nobody.
            stream.set_rtx_cache(0, Duration::ZERO, None);
        }
        let packet = RtpWrite::new(audio.opus, sequence.into(), time, now, packet.payload).marker(packet.marker);
        stream.write_rtp(packet);
        self.sequence += 1;
    }

    /// Tells the client of an event.
    pub(super) fn tell(&mut self, text: &str, happened: &mut Vec<Happened>) -> Result<Told, RtcError> {
        let Some(mut channel) = self.events.and_then(|id| self.rtc.channel(id)) else { return Ok(Told::Later) };
        let written = channel.write(false, text.as_bytes());
        self.settle(happened)?;
        match written {
            Ok(true) => Ok(Told::Sent),
            Ok(false) => Ok(Told::Later),
            Err(_) => Ok(Told::TooLarge),
        }
    }

    /// Whether all that was told has arrived.
    pub(super) fn is_heard_out(&mut self) -> bool {
        self.events.and_then(|id| self.rtc.channel(id)).is_none_or(|mut channel| channel.buffered_amount() == 0)
    }

    /// Says goodbye: RTCP BYE, DTLS close_notify.
    pub(super) fn leave(&mut self) {
        let mut happened = Vec::new();
        if let Err(error) = self.rtc.close().and_then(|()| self.settle(&mut happened)) {
            tracing::debug!(%error, "a goodbye was not sent");
        }
    }

    fn receive(&mut self, datagram: Datagram, happened: &mut Vec<Happened>) -> Result<(), RtcError> {
        let Datagram { received, protocol, source, destination, contents, back } = datagram;
        if let Some(back) = back
            && (self.connections.len() < CONNECTIONS || self.connections.contains_key(&source))
        {
            self.connections.insert(source, back);
        }
        let Ok(receive) = Receive::new(protocol, source, destination, &contents) else {
            tracing::trace!("a datagram is neither STUN, DTLS nor RTP");
            return Ok(());
        };
        let before = happened.len();
        let taken = self.rtc.handle_input(Input::Receive(received, receive));
        self.settle(happened)?;
        let proven = |happened: &Happened| matches!(happened, Happened::Heard(_) | Happened::Said { .. });
        if protocol == Protocol::Udp && happened[before..].iter().any(proven) {
            self.whereabouts(source);
        }
        match taken {
            // A handshake that went wrong does not go right again.
            Err(error @ RtcError::Dtls(_)) => Err(error),
            Err(error) => {
                tracing::debug!(%error, "a datagram made no sense");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// A packet that only the client can have made came from here. A client whose address changes without its knowledge (a
    /// NAT that forgot it) nominates nothing anew, and str0m goes on sending to where it was: what is sent there goes
    /// where the client is.
    fn whereabouts(&mut self, source: SocketAddr) {
        if let Some(before) = self.seen.replace(source).filter(|before| *before != source) {
            tracing::info!("the client moved to another address");
            self.moved = Some((before, source));
        }
    }

    fn settle(&mut self, happened: &mut Vec<Happened>) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(_) => return Ok(()),
                Output::Transmit(transmit) => self.send(transmit),
                Output::Event(event) => happened.extend(self.note(event)),
            }
            if !self.rtc.is_alive() {
                return Ok(());
            }
        }
    }

    fn send(&mut self, transmit: Transmit) {
        match transmit.proto {
            Protocol::Udp => {
                let moved = self.moved.filter(|(before, _)| *before == transmit.destination);
                let destination = moved.map_or(transmit.destination, |(_, now)| now);
                self.berth.port().send(transmit.source, destination, &transmit.contents);
            }
            Protocol::Tcp | Protocol::SslTcp | Protocol::Tls => {
                if let Some(connection) = self.connections.get(&transmit.destination) {
                    // As over UDP, what there is no room for is lost.
                    let _ = connection.try_send(Bytes::copy_from_slice(&transmit.contents));
                }
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the library has events for video, bandwidth and more to come")]
    fn note(&mut self, event: Event) -> Option<Happened> {
        match event {
            Event::Connected => Some(Happened::Connected),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => Some(Happened::Lost),
            Event::IceConnectionStateChange(IceConnectionState::Connected | IceConnectionState::Completed) => {
                Some(Happened::Found)
            }
            Event::RtpPacket(packet) if packet.header.payload_type == self.audio.opus => Some(Happened::Heard(packet)),
            Event::MediaEgressStats(stats) => {
                stats.loss.map(|loss| Happened::Missed((loss * 100.0).clamp(0.0, 100.0).round() as u8))
            }
            Event::ChannelOpen(id, label) => {
                tracing::debug!(label, "a data channel opened");
                // One channel carries the events, whatever it is called; others are of no use here.
                self.events.get_or_insert(id);
                None
            }
            Event::ChannelData(data) if self.events == Some(data.id) => {
                Some(Happened::Said { binary: data.binary, text: data.data })
            }
            Event::ChannelClose(id) if self.events == Some(id) => Some(Happened::Left),
            Event::Closed => Some(Happened::Left),
            _ => None,
        }
    }
}

/// How long ICE may be without the client after str0m told so, which takes 15 s itself (RFC 7675 allows 30).
pub(super) const GRACE: Duration = Duration::from_secs(10);
