//! A call's loudspeaker: every 20 ms one Opus packet, whether anybody speaks or not, so that the client's jitter buffer has
//! nothing to guess.

use audio::{OpusEncoder, OpusError, SampleRate};

use crate::realtime::loudspeaker::{Playback, STEP, Step};

/// RTP clock of Opus (RFC 7587, 4.1).
const CLOCK: SampleRate = SampleRate::HZ_48000;
/// RTP time of a step.
pub(super) const TICKS: u32 = CLOCK.hertz() / 50;

/// Turns what is played into packets.
pub(super) struct Pacer {
    playback: Playback,
    encoder: OpusEncoder,
    samples: [i16; STEP],
    packet: Vec<u8>,
    last: Step,
    /// Percent of packets thought to be lost.
    loss: u8,
}

/// A packet to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) payload: &'a [u8],
    /// Whether speech begins with it (the marker bit of RFC 3551, 4.1).
    pub(super) marker: bool,
}

impl Pacer {
    pub(super) fn new(playback: Playback) -> Result<Self, OpusError> {
        let encoder = OpusEncoder::new(SampleRate::HZ_24000)?;
        Ok(Self {
            playback,
            encoder,
            samples: [0; STEP],
            packet: Vec::new(),
            last: Step::Silence,
            loss: OpusEncoder::EXPECTED_LOSS,
        })
    }

    /// Makes packets bear the loss of this share of them, 0 to 100 percent: what the client last missed, or three quarters
    /// of what it missed before, so that a network once bad is trusted again within a minute. On a good one nothing is
    /// spent on packets to remember each other, which is a third of the encoder's time and is heard in its sound.
    pub(super) fn expect_loss(&mut self, percent: u8) {
        self.loss = percent.max((u16::from(self.loss) * 3 / 4) as u8);
        if let Err(error) = self.encoder.set_expected_loss(self.loss) {
            tracing::warn!(%error, "the encoder keeps what it expected");
        }
    }

    /// The packet of the next 20 ms.
    pub(super) fn step(&mut self) -> Packet<'_> {
        let step = self.playback.step(&mut self.samples);
        self.packet.clear();
        let encoded = match step {
            Step::Speech => self.encoder.encode(&self.samples, &mut self.packet),
            Step::Silence => self.encoder.encode_silence(&mut self.packet),
        };
        let marker = (std::mem::replace(&mut self.last, step), step) == (Step::Silence, Step::Speech);
        if let Err(error) = encoded {
            tracing::error!(%error, "20 ms of sound could not be encoded");
            return Packet { payload: &OpusEncoder::SILENCE, marker };
        }
        Packet { payload: &self.packet, marker }
    }
}
