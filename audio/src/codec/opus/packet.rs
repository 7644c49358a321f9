//! What a packet says of itself without being decoded: RFC 6716, sections 3.1, 3.2 and 4.2.3.

use std::time::Duration;

use super::OpusError;
use crate::SampleRate;

/// The longest packet there is (RFC 6716, section 3.2.5).
pub const LONGEST: Duration = Duration::from_millis(120);

/// How long the sound of a packet lasts: 2.5 to 120 ms.
///
/// # Errors
/// [`OpusError::Packet`] if it is none.
pub fn duration(packet: &[u8]) -> Result<Duration, OpusError> {
    spanning(::opus::packet::get_nb_samples(packet, SampleRate::HZ_48000.hertz()))
}

/// How long one of the frames of a packet lasts, which is also how far in-band FEC reaches back: 2.5 to 60 ms.
///
/// # Errors
/// [`OpusError::Packet`] if it is none.
pub fn frame_duration(packet: &[u8]) -> Result<Duration, OpusError> {
    spanning(::opus::packet::get_samples_per_frame(packet, SampleRate::HZ_48000.hertz()))
}

/// Whether a packet repeats, coded more coarsely, the frame before it (section 2.1.7, in-band FEC).
pub fn has_recovery(packet: &[u8]) -> bool {
    let Some(&toc) = packet.first() else { return false };
    // Configurations 0 to 11 are SILK of 10, 20, 40 and 60 ms, 12 to 15 hybrid of 10 and 20 ms; beyond is CELT alone.
    let silk_frames = match toc >> 3 {
        0..12 => [1, 1, 2, 3][usize::from(toc >> 3 & 3)],
        12..16 => 1,
        _ => return false,
    };
    let Some(header) = first_byte(packet) else { return false };
    // Section 4.2.3: each channel has a voice activity flag per frame of 20 ms, then the flag asked for.
    let mono = header >> (7 - silk_frames) & 1 != 0;
    let stereo = toc & 4 != 0;
    mono || stereo && header >> (6 - 2 * silk_frames) & 1 != 0
}

/// The first byte of the first frame, if that has any: section 3.2.
fn first_byte(packet: &[u8]) -> Option<u8> {
    let (&toc, rest) = packet.split_first()?;
    match toc & 3 {
        0 | 1 => rest.first().copied(),
        2 => {
            let (length, rest) = length(rest)?;
            rest.first().copied().filter(|_| length > 0)
        }
        _ => {
            let (&count, mut rest) = rest.split_first()?;
            let (variable, padded, frames) = (count & 0x80 != 0, count & 0x40 != 0, count & 0x3f);
            if padded {
                let long = rest.iter().take_while(|size| **size == 255).count();
                rest = rest.get(long + 1..)?;
            }
            let mut first = None;
            for _ in 1..if variable { frames } else { 0 } {
                let (length, tail) = length(rest)?;
                first = first.or(Some(length));
                rest = tail;
            }
            rest.first().copied().filter(|_| first != Some(0))
        }
    }
}

/// A frame's length of one or two bytes, and what follows it (section 3.2.1).
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [low, high, rest @ ..] if *low >= 252 => Some((usize::from(*high) * 4 + usize::from(*low), rest)),
        [length, rest @ ..] if *length < 252 => Some((usize::from(*length), rest)),
        _ => None,
    }
}

fn spanning(samples: Result<usize, ::opus::Error>) -> Result<Duration, OpusError> {
    match samples {
        Ok(samples) if samples > 0 => Ok(SampleRate::HZ_48000.duration_of(samples)),
        _ => Err(OpusError::Packet),
    }
}
