//! Packets of one stream → mono samples, with what is missing made up for.

use ::opus::{Channels, Decoder};

use super::{OpusError, packet, rate_of};
use crate::SampleRate;

/// Decodes the packets of one stream, in order. Stereo is mixed down by libopus at no cost.
#[derive(Debug)]
pub struct OpusDecoder {
    decoder: Decoder,
    rate: SampleRate,
}

impl OpusDecoder {
    /// A decoder at the beginning of a stream.
    ///
    /// # Errors
    /// [`OpusError::Rate`] if Opus has no such rate, [`OpusError::Library`] without memory (about 20 KB).
    pub fn new(rate: SampleRate) -> Result<Self, OpusError> {
        let decoder = Decoder::new(rate_of(rate)?, Channels::Mono).map_err(|error| OpusError::of(error, 0))?;
        Ok(Self { decoder, rate })
    }

    /// The rate of what comes out.
    pub const fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Appends the sound of the next packet to `out`: 2.5 to 120 ms, as the packet says.
    ///
    /// # Errors
    /// [`OpusError::Packet`] if it is none; then nothing is appended, and the stream may go on.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<(), OpusError> {
        let samples = self.rate.samples_in(packet::duration(packet)?);
        self.append(packet, samples, false, out)
    }

    /// Appends `samples` in place of a packet that is lost, as the one after it remembers them (in-band FEC).
    ///
    /// It remembers [`packet::frame_duration`] and may not remember at all: the rest is concealed. Decode `next` after.
    ///
    /// # Errors
    /// [`OpusError::FrameSize`] unless `samples` are whole times 2.5 ms, [`OpusError::Packet`] if `next` is none; then
    /// nothing is appended.
    pub fn recover(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) -> Result<(), OpusError> {
        packet::duration(next)?;
        self.append(next, samples, true, out)
    }

    /// Appends `samples` that continue what was heard, fading with time, in place of packets that are lost.
    ///
    /// # Errors
    /// [`OpusError::FrameSize`] unless `samples` are whole times 2.5 ms; then nothing is appended.
    pub fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) -> Result<(), OpusError> {
        self.append(&[], samples, false, out)
    }

    fn append(&mut self, packet: &[u8], samples: usize, fec: bool, out: &mut Vec<i16>) -> Result<(), OpusError> {
        if samples == 0 {
            return Ok(());
        }
        let start = out.len();
        out.resize(start + samples, 0);
        let written = self.decoder.decode(packet, &mut out[start..], fec);
        out.truncate(start + *written.as_ref().unwrap_or(&0));
        written.map(|_| ()).map_err(|error| OpusError::of(error, samples))
    }
}
