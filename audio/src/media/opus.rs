//! Opus in a container, as browsers and telephones record it.

use std::time::Duration;

use symphonia::core::formats::FormatReader;

use super::MediaError;
use crate::{Clip, OpusDecoder, SampleRate};

/// What the identification header says (RFC 7845, section 5.1).
#[derive(Clone, Copy, Default)]
pub(super) struct Head {
    /// Samples at 48 kHz that come before the sound.
    pre_skip: usize,
    /// How channels are laid out; 0 is mono or stereo.
    family: u8,
}

impl Head {
    /// Of a header that is none, nothing.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let pre_skip = bytes.get(10..12).map_or(0, |pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])));
        let head = Self { pre_skip, family: bytes.get(18).copied().unwrap_or_default() };
        if bytes.starts_with(b"OpusHead") { head } else { Self::default() }
    }
}

/// Decodes one track to mono at 48 kHz. A packet that is damaged is left out.
pub(super) fn decode(
    file: &mut dyn FormatReader,
    track: u32,
    head: Head,
    longest: Duration,
) -> Result<Clip, MediaError> {
    if head.family != 0 {
        return Err(MediaError::Unsupported("opus with more than two channels"));
    }
    let damaged = |error: String| MediaError::Damaged(error);
    let mut decoder = OpusDecoder::new(SampleRate::HZ_48000).map_err(|error| damaged(error.to_string()))?;
    let (mut clip, mut failure) = (Clip::new(SampleRate::HZ_48000, Vec::new()), None);
    // An error here is the end of a file cut short: what came before it counts.
    while let Ok(Some(packet)) = file.next_packet().map_err(|error| failure = Some(error.to_string())) {
        if packet.track_id != track {
            continue;
        }
        if let Err(error) = decoder.decode(&packet.data, &mut clip.samples) {
            failure = Some(error.to_string());
        }
        if clip.duration() > longest {
            return Err(MediaError::TooLong(longest));
        }
    }
    if clip.samples.len() <= head.pre_skip {
        return Err(damaged(failure.unwrap_or_else(|| "it holds no sound".to_owned())));
    }
    clip.samples.drain(..head.pre_skip);
    Ok(clip)
}
