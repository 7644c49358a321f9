//! A call's microphone: RTP packets in, frames for the session out, through the jitter buffer.

use std::time::{Duration, Instant};

use audio::{
    Frame,
    jitter::{JitterBuffer, Packet},
};
use str0m::rtp::{RtpPacket, Ssrc};

use super::frames;
use crate::metrics::{self, Loss};

/// A stream that sent nothing for so long has ended, if there is another one.
const SILENT: Duration = Duration::from_secs(1);

/// Puts packets in order and time.
pub(super) struct Microphone {
    buffer: JitterBuffer,
    /// Time zero of the buffer.
    origin: Instant,
    /// The stream that is heard, and when it last was.
    source: Option<(Ssrc, Instant)>,
    frames: frames::Sender,
}

impl Microphone {
    pub(super) fn new(buffer: JitterBuffer, origin: Instant, frames: frames::Sender) -> Self {
        Self { buffer, origin, source: None, frames }
    }

    /// Takes a packet. A second stream is heard once the first has ended, never between its packets.
    pub(super) fn take(&mut self, packet: &RtpPacket) {
        let header = &packet.header;
        let ended = |last: Instant| packet.timestamp.saturating_duration_since(last) > SILENT;
        match self.source {
            Some((source, last)) if source != header.ssrc && !ended(last) => return,
            Some(_) | None => self.source = Some((header.ssrc, packet.timestamp)),
        }
        let (sequence, timestamp) = (header.sequence_number, header.timestamp);
        let now = self.since(packet.timestamp);
        self.buffer.push(now, Packet { sequence, timestamp, payload: &packet.payload });
    }

    /// Hands on what is due.
    pub(super) fn hear(&mut self, now: Instant) {
        let now = self.since(now);
        let Self { buffer, frames, .. } = self;
        buffer.pop(now, |frame| {
            if !frames.send(frame) {
                metrics::audio_dropped(Loss::Microphone, Frame::DURATION);
            }
        });
    }

    fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.origin)
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        let stats = self.buffer.stats();
        tracing::info!(?stats, "microphone closed");
        metrics::rtp_ended(&stats);
    }
}
