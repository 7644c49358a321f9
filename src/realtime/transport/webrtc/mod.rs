//! WebRTC: audio both ways in Opus over SRTP, events over a data channel, all calls on one UDP port.
//!
//! [`Calls::answer`] takes an offer and spawns the call. The way of what it says: `port` → `peer` → `microphone` →
//! driver; of what it hears: driver → loudspeaker → `pacer` → `peer` → `port`. `call` is the task that moves both.

mod call;
mod config;
mod frames;
mod microphone;
pub mod offer;
mod pacer;
mod peer;
mod port;
pub mod reach;
mod tcp;
mod turn;

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use audio::{OpusError, jitter::JitterBuffer};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use self::{
    call::{AHEAD, Call, Stage, Uplink, Waiting},
    microphone::Microphone,
    pacer::Pacer,
    peer::Peer,
    port::Port,
    reach::Reach,
};
pub use self::{
    config::{Config, Turn},
    offer::Refused,
    turn::IceServer,
};
use super::{Start, downlink};
use crate::{clock::Clock, realtime::loudspeaker::loudspeaker};

/// What a loudspeaker holds beyond the lead, for a call that was not let run.
const SPARE: Duration = Duration::from_millis(180);

/// Where calls arrive, bound and not yet served.
pub struct Sockets {
    udp: UdpSocket,
    tcp: Option<TcpListener>,
    reach: Reach,
}

/// Takes calls. Cheap to clone; the port closes with the last clone.
#[derive(Clone)]
pub struct Calls {
    port: Arc<Port>,
    _serving: Arc<(AbortOnDropHandle<()>, Option<AbortOnDropHandle<()>>)>,
}

impl Sockets {
    /// Binds what `config` says; `beside` is where HTTP listens.
    pub fn bind(config: &Config, beside: SocketAddr) -> io::Result<Self> {
        let at = config.listen.parse().unwrap_or(beside);
        let udp = UdpSocket::bind(at)?;
        udp.set_nonblocking(true)?;
        let tcp = match config.tcp_listen.parse::<SocketAddr>() {
            Ok(at) => Some(TcpListener::bind(at)?),
            Err(_) => None,
        };
        if let Some(tcp) = &tcp {
            tcp.set_nonblocking(true)?;
        }
        let tcp_at = tcp.as_ref().map(TcpListener::local_addr).transpose()?;
        let reach = Reach::of(config, udp.local_addr()?, tcp_at)?;
        Ok(Self { udp, tcp, reach })
    }
}

impl Calls {
    /// Serves the sockets until the last clone is dropped.
    pub fn open(sockets: Sockets, clock: &Clock) -> io::Result<Self> {
        str0m::crypto::from_feature_flags().install_process_default();
        let port = Arc::new(Port::new(sockets.udp, sockets.reach, clock.clone())?);
        let udp = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&port).serve()));
        let tcp = sockets.tcp.map(|listener| {
            let serving = tcp::serve(listener, Arc::clone(&port), clock.clone());
            AbortOnDropHandle::new(tokio::spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "calls over TCP are not served");
                }
            }))
        });
        Ok(Self { port, _serving: Arc::new((udp, tcp)) })
    }

    /// Where clients are told to send datagrams, best first.
    pub fn candidates(&self) -> &[SocketAddr] {
        &self.port.reach().udp
    }

    /// Answers an offer (SDP, RFC 8866 and RFC 8829) and begins the call: 20 s are left for the client to connect. The
    /// session begins once it has.
    ///
    /// # Errors
    ///
    /// What is wrong with the offer. The session's place is free again then.
    pub fn answer(&self, offer: &str, start: Start) -> Result<String, Refused> {
        let (clock, config) = (start.engine.clock.clone(), &start.engine.config);
        let now = clock.now();
        let answered = offer::answer(offer, self.port.reach(), now)?;
        let (downlink, outlet, ending) = downlink::channel(config.downlink_messages, config.downlink_bytes);
        let (speaker, playback) = loudspeaker(config.playback_lead() + SPARE);
        let (texts, text_inbox) = mpsc::channel(AHEAD);
        let (frames, frame_inbox) = frames::channel();
        let ahead = Arc::new(AtomicUsize::new(0));
        let memory = |error: OpusError| Refused::Unanswerable(error.to_string());
        let (pacer, buffer) = (Pacer::new(playback).map_err(memory)?, JitterBuffer::new().map_err(memory)?);
        let span = tracing::info_span!("session", session.id = %start.pass.live().name(), transport = "webrtc");
        let stall = config.stall();
        let uplink = Uplink { texts: text_inbox, frames: frame_inbox, ahead: Arc::clone(&ahead) };
        let session = Box::new(Waiting { start, downlink, speaker, uplink });
        let call = Box::new(Call {
            peer: Peer::new(answered.rtc, self.port.berth(answered.name), answered.audio),
            clock,
            microphone: Microphone::new(buffer, now, frames),
            pacer,
            texts,
            ahead,
            outlet,
            ending,
            stage: Stage::Connecting { session, until: None },
            events: answered.events,
            stall,
        });
        tokio::spawn(call.run().instrument(span));
        Ok(answered.sdp)
    }
}
