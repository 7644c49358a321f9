//! Opus in Ogg (RFC 7845), written as it is made: what browsers, telephones and players take as a file of sound.

mod page;

use self::page::{Kind, Pages};
use crate::{OpusEncoder, OpusError, SampleRate};

/// Writes one stream of mono sound.
#[derive(Debug)]
pub struct OggOpus {
    encoder: OpusEncoder,
    pages: Pages,
    /// Samples that do not fill a packet yet.
    rest: Vec<i16>,
    /// Samples that were written and those that are still in `rest`.
    taken: u64,
    /// Packets that were written.
    packets: u64,
}

impl OggOpus {
    /// A stream of this serial number, which tells it from others in one file, and its headers, appended to `out`.
    ///
    /// # Errors
    /// [`OpusError::Rate`] if Opus has no such rate, [`OpusError::Library`] without memory.
    pub fn begin(rate: SampleRate, serial: u32, out: &mut Vec<u8>) -> Result<Self, OpusError> {
        let mut encoder = OpusEncoder::new(rate)?;
        // A file loses no packets.
        encoder.set_expected_loss(0)?;
        let mut stream = Self { encoder, pages: Pages::new(serial), rest: Vec::new(), taken: 0, packets: 0 };
        let mut head = b"OpusHead\x01\x01".to_vec();
        head.extend_from_slice(&(stream.pre_skip()? as u16).to_le_bytes());
        head.extend_from_slice(&rate.hertz().to_le_bytes());
        head.extend_from_slice(&[0; 3]);
        stream.pages.push(&head);
        stream.pages.cut(Kind::First, 0, out);
        let mut tags = b"OpusTags".to_vec();
        tags.extend_from_slice(&(VENDOR.len() as u32).to_le_bytes());
        tags.extend_from_slice(VENDOR.as_bytes());
        tags.extend_from_slice(&[0; 4]);
        stream.pages.push(&tags);
        stream.pages.cut(Kind::Middle, 0, out);
        Ok(stream)
    }

    /// Takes more samples, and appends to `out` what is whole.
    ///
    /// # Errors
    /// [`OpusError::Library`] if libopus fails by itself.
    pub fn write(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Result<(), OpusError> {
        self.taken += samples.len() as u64;
        self.rest.extend_from_slice(samples);
        self.encode(out)?;
        if !self.pages.is_empty() {
            self.pages.cut(Kind::Middle, self.packets * PACKET, out);
        }
        Ok(())
    }

    /// Appends the end to `out`: the last samples, and as much silence as the encoder lags behind.
    ///
    /// # Errors
    /// [`OpusError::Library`] if libopus fails by itself.
    pub fn end(mut self, out: &mut Vec<u8>) -> Result<(), OpusError> {
        let (frame, factor) = (self.frame(), self.factor());
        let lag = usize::try_from(self.pre_skip()?.div_ceil(factor)).unwrap_or_default();
        let length = (self.rest.len() + lag).next_multiple_of(frame);
        self.rest.resize(length, 0);
        self.encode(out)?;
        // What is beyond the sound is not played (section 4.4).
        let end = self.pre_skip()? + self.taken * factor;
        self.pages.cut(Kind::Last, end, out);
        Ok(())
    }

    /// Encodes all whole packets; those that fill a page are appended to `out`.
    fn encode(&mut self, out: &mut Vec<u8>) -> Result<(), OpusError> {
        let whole = self.rest.len() / self.frame() * self.frame();
        let rest = self.rest.split_off(whole);
        for samples in std::mem::replace(&mut self.rest, rest).chunks_exact(self.frame()) {
            if self.pages.is_full() {
                self.pages.cut(Kind::Middle, self.packets * PACKET, out);
            }
            let mut packet = Vec::new();
            self.encoder.encode(samples, &mut packet)?;
            self.pages.push(&packet);
            self.packets += 1;
        }
        Ok(())
    }

    /// Samples at 48 kHz before the sound: what the encoder lags behind.
    fn pre_skip(&mut self) -> Result<u64, OpusError> {
        Ok(self.encoder.lookahead()? as u64 * self.factor())
    }

    /// Samples of a packet.
    fn frame(&self) -> usize {
        self.encoder.rate().hertz() as usize / 50
    }

    /// Samples at 48 kHz, in which positions are counted, for one of ours.
    fn factor(&self) -> u64 {
        u64::from(SampleRate::HZ_48000.hertz() / self.encoder.rate().hertz())
    }
}

/// A packet at 48 kHz: 20 ms.
const PACKET: u64 = 960;

/// Who made the file.
const VENDOR: &str = "voice-relay";

#[cfg(test)]
mod tests {
    use std::{f32::consts::TAU, time::Duration};

    use super::*;
    use crate::media;

    /// A tone of 440 Hz.
    fn tone(samples: usize) -> Vec<i16> {
        (0..samples).map(|n| ((n as f32 * 440.0 * TAU / 24_000.0).sin() * 8_000.0) as i16).collect()
    }

    /// What is written, in pieces of this many samples.
    fn written(samples: &[i16], piece: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut stream = OggOpus::begin(SampleRate::HZ_24000, 1, &mut out).unwrap();
        for piece in samples.chunks(piece) {
            stream.write(piece, &mut out).unwrap();
        }
        stream.end(&mut out).unwrap();
        out
    }

    #[test]
    fn what_is_written_is_read_back_whole_and_in_its_place() {
        let samples = tone(24_000 + 137);
        for piece in [100, 480, 24_137] {
            let file = written(&samples, piece);
            assert!(file.len() < 12_000, "{} bytes a second", file.len());
            let clip = media::decode(file, Duration::from_secs(10)).unwrap();
            let expected = samples.len() * 2;
            // Players cut at the end that the last page tells; our reader gives whole packets.
            assert!(
                (expected..expected + 2 * 960).contains(&clip.samples.len()),
                "{} of {expected}",
                clip.samples.len()
            );
            // In phase with what went in: the tone's own correlation, over its middle.
            let (mut both, mut ours) = (0.0, 0.0);
            for (sent, back) in samples.iter().zip(clip.samples.iter().step_by(2)).take(18_000).skip(6_000) {
                let (a, b) = (f64::from(*sent), f64::from(*back));
                (both, ours) = (both + a * b, ours + a * a);
            }
            assert!((0.8..1.2).contains(&(both / ours)), "{}", both / ours);
        }
    }

    #[test]
    fn the_last_page_tells_where_the_sound_ends_and_nothing_is_an_empty_file() {
        for samples in [0, 1, 480, 24_000] {
            let file = written(&tone(samples), 1_000);
            let last = file.windows(4).rposition(|bytes| bytes == b"OggS").unwrap();
            assert_eq!(file[last + 5], 4, "the end of the stream");
            let granule = u64::from_le_bytes(file[last + 6..last + 14].try_into().unwrap());
            let skip = u64::from(u16::from_le_bytes([file[28 + 10], file[28 + 11]]));
            assert_eq!(granule - skip, samples as u64 * 2);
        }
    }
}
