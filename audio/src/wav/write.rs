//! Headers for known and unknown lengths.

use super::{UNKNOWN, tag};
use crate::{Clip, Encoding, SampleRate};

/// How much sound follows a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// This many samples.
    Samples(usize),
    /// Nobody knows yet: sizes are written as 0xFFFFFFFF, which players read to the end.
    Unknown,
}

/// The bytes before the samples of a mono file. Lengths beyond 4 GB are written as unknown.
pub fn header(rate: SampleRate, encoding: Encoding, length: Length) -> Vec<u8> {
    let bytes_per_sample = encoding.bytes_per_sample();
    let (tag, bits, extension) = match encoding {
        Encoding::Pcm16 => (tag::PCM, 16_u16, &[][..]),
        // Codings other than PCM announce the size of an extension, which is none.
        Encoding::Ulaw => (tag::ULAW, 8, &[0, 0][..]),
        Encoding::Alaw => (tag::ALAW, 8, &[0, 0][..]),
    };
    let format = 16 + extension.len() as u32;
    let data = match length {
        Length::Samples(samples) => u32::try_from(samples * bytes_per_sample).unwrap_or(UNKNOWN),
        Length::Unknown => UNKNOWN,
    };
    let riff = data.checked_add(4 + 8 + format + 8).map_or(UNKNOWN, |size| size.saturating_add(data % 2));
    let mut out = Vec::with_capacity(28 + format as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&riff.to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&format.to_le_bytes());
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&rate.hertz().to_le_bytes());
    out.extend_from_slice(&(rate.hertz() * bytes_per_sample as u32).to_le_bytes());
    out.extend_from_slice(&(bytes_per_sample as u16).to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out.extend_from_slice(extension);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data.to_le_bytes());
    out
}

/// A whole file.
pub fn write(clip: &Clip, encoding: Encoding) -> Vec<u8> {
    let mut out = header(clip.rate, encoding, Length::Samples(clip.samples.len()));
    encoding.encode(&clip.samples, &mut out);
    if !(clip.samples.len() * encoding.bytes_per_sample()).is_multiple_of(2) {
        // Chunks are padded to an even size, which the size in the header leaves out.
        out.push(0);
    }
    out
}
