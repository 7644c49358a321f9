//! Mono samples of one stream → packets, made for speech over networks that lose some of them.

use ::opus::{Application, Bitrate, Channels, Encoder, Signal};

use super::{OpusError, rate_of};
use crate::SampleRate;

/// Encodes one stream. Silence costs three bytes and next to no time.
#[derive(Debug)]
pub struct OpusEncoder {
    encoder: Encoder,
    rate: SampleRate,
    state: State,
}

/// What the listener's decoder was last sent.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Sound, of which the encoder still holds the last few milliseconds back.
    Sound,
    /// Silence from a constant, to which the encoder's memory does not lead.
    Silence,
}

impl OpusEncoder {
    /// 20 ms of silence (RFC 6716: CELT, full band, mono, the frame's silence flag set).
    pub const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

    /// Loss a new encoder is prepared for, in percent: what a wireless network loses on a bad day.
    pub const EXPECTED_LOSS: u8 = 5;

    /// An encoder at the beginning of a stream: 32 kbit/s, prepared for 5 % loss.
    ///
    /// # Errors
    /// [`OpusError::Rate`] if Opus has no such rate, [`OpusError::Library`] without memory (about 30 KB).
    pub fn new(rate: SampleRate) -> Result<Self, OpusError> {
        let configured = || {
            let mut encoder = Encoder::new(rate_of(rate)?, Channels::Mono, Application::Voip).map_err(library)?;
            encoder.set_signal(Signal::Voice).map_err(library)?;
            encoder.set_inband_fec(true).map_err(library)?;
            Ok(encoder)
        };
        let mut encoder = Self { encoder: configured()?, rate, state: State::Silence };
        encoder.set_bitrate(BITRATE)?;
        encoder.set_expected_loss(Self::EXPECTED_LOSS)?;
        Ok(encoder)
    }

    /// The rate of what goes in.
    pub const fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Samples by which what comes out lags behind what goes in.
    ///
    /// # Errors
    /// [`OpusError::Library`] if libopus fails by itself.
    pub fn lookahead(&mut self) -> Result<usize, OpusError> {
        let lookahead = self.encoder.get_lookahead().map_err(library)?;
        Ok(usize::try_from(lookahead).unwrap_or_default())
    }

    /// Appends the packet of `pcm` to `out`: 2.5, 5, 10, 20, 40 or 60 ms; the use is 20 ms.
    ///
    /// # Errors
    /// [`OpusError::FrameSize`] for any other length; then nothing is appended.
    pub fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) -> Result<(), OpusError> {
        let mut packet = [0; LARGEST];
        let length = self.encoder.encode(pcm, &mut packet).map_err(|error| OpusError::of(error, pcm.len()))?;
        out.extend_from_slice(&packet[..length]);
        self.state = State::Sound;
        Ok(())
    }

    /// Appends a packet of 20 ms of silence to `out`. The first after sound brings that to its end.
    ///
    /// # Errors
    /// [`OpusError::Library`] if libopus fails by itself.
    pub fn encode_silence(&mut self, out: &mut Vec<u8>) -> Result<(), OpusError> {
        match self.state {
            State::Sound => {
                let rest = [0; SampleRate::HZ_48000.hertz() as usize / 50];
                self.encode(&rest[..self.rate.hertz() as usize / 50], out)?;
                // The constant makes the listener's decoder forget the voice; so must what predicts from it.
                self.encoder.reset_state().map_err(library)?;
                self.state = State::Silence;
            }
            State::Silence => out.extend_from_slice(&Self::SILENCE),
        }
        Ok(())
    }

    /// Changes how much is sent, from the next packet on: held between 6 and 510 kbit/s.
    ///
    /// # Errors
    /// [`OpusError::Library`] if libopus fails by itself.
    pub fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), OpusError> {
        let bits = bits_per_second.clamp(6_000, 510_000);
        self.encoder.set_bitrate(Bitrate::Bits(bits as i32)).map_err(library)
    }

    /// Changes how many of 100 packets are thought to be lost (0 to 100), from the next packet on: the more, the more
    /// of each is spent on remembering the one before. At 0 nothing is, and a packet costs a third of the time.
    ///
    /// # Errors
    /// [`OpusError::Library`] if libopus fails by itself.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), OpusError> {
        let complexity = if percent == 0 { COMPLEXITY_CLEAR } else { COMPLEXITY_LOSSY };
        self.encoder.set_complexity(complexity).map_err(library)?;
        self.encoder.set_packet_loss_perc(percent.min(100).into()).map_err(library)
    }
}

fn library(error: ::opus::Error) -> OpusError {
    OpusError::Library(error.function())
}

/// How hard libopus tries, of 10. Measured on 20 s of speech at 24 kHz and 32 kbit/s, on a quiet core: time a packet of
/// 20 ms, and wide-band PESQ (ITU-T P.862.2, at most 4.64) with every packet there, and with every fifth lost.
///
/// | | 0 | 1 | 2 | 3 | 5 | 8 | low delay, 5 |
/// |---|---|---|---|---|---|---|---|
/// | µs, no loss expected | 59 | 69 | 114 | 120 | 148 | 193 | 47 |
/// | all there | 4.12 | 4.07 | 4.23 | 4.20 | 4.32 | 4.38 | 3.64 |
/// | a fifth lost | 1.61 | 1.64 | 1.60 | 1.64 | 1.69 | 1.69 | 1.36 |
/// | µs, 5 % expected | 59 | 69 | 154 | 163 | 196 | 244 | 46 |
/// | all there | 4.05 | 3.98 | 4.03 | 4.03 | 4.18 | 4.32 | 3.22 |
/// | a fifth lost | 1.66 | 1.68 | 3.25 | 3.17 | 3.34 | 3.66 | 1.49 |
///
/// Below 2, and with low delay, libopus remembers nothing of lost packets: the least that does is taken where packets are
/// lost. Where none are, twice the time would buy a tenth of a point that nobody hears.
const COMPLEXITY_LOSSY: i32 = 2;
/// See [`COMPLEXITY_LOSSY`].
const COMPLEXITY_CLEAR: i32 = 0;

/// Wide-band speech is transparent from here on (RFC 7587, section 3.1.1 has 28 to 40 kbit/s for full-band speech).
const BITRATE: u32 = 32_000;

/// Bytes of the largest frame (RFC 6716, section 3.4, R5).
const LARGEST: usize = 1_275;
