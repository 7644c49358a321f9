//! Opus (RFC 6716) as it travels over RTP (RFC 7587), through libopus: mono, at the rate that is needed.
//!
//! libopus decodes and encodes at 8, 12, 16, 24 and 48 kHz alike, whatever the other side does, so no resampler stands
//! behind it. One decoder or encoder is one stream; packets are what RTP carries, without a container.

mod decoder;
mod encoder;
pub mod packet;

pub use decoder::OpusDecoder;
pub use encoder::OpusEncoder;

use crate::SampleRate;

/// Why libopus gives no sound, or no packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpusError {
    /// Opus has no such rate.
    #[error("opus knows 8, 12, 16, 24 and 48 kHz, not {0:?}")]
    Rate(SampleRate),
    /// The bytes are no packet of RFC 6716.
    #[error("not an opus packet")]
    Packet,
    /// Opus codes frames of 2.5, 5, 10, 20, 40 or 60 ms, and conceals multiples of 2.5 ms.
    #[error("opus has no frame of {0} samples")]
    FrameSize(usize),
    /// libopus failed by itself: no memory, or a fault of its own.
    #[error("libopus failed in {0}")]
    Library(&'static str),
}

impl OpusError {
    /// Names what libopus says about a call with `samples` per frame.
    fn of(error: ::opus::Error, samples: usize) -> Self {
        match error.code() {
            ::opus::ErrorCode::InvalidPacket => Self::Packet,
            ::opus::ErrorCode::BadArg | ::opus::ErrorCode::BufferTooSmall => Self::FrameSize(samples),
            ::opus::ErrorCode::InternalError
            | ::opus::ErrorCode::Unimplemented
            | ::opus::ErrorCode::InvalidState
            | ::opus::ErrorCode::AllocFail
            | ::opus::ErrorCode::Unknown => Self::Library(error.function()),
        }
    }
}

/// The rate as libopus takes it.
fn rate_of(rate: SampleRate) -> Result<u32, OpusError> {
    match rate.hertz() {
        hertz @ (8_000 | 12_000 | 16_000 | 24_000 | 48_000) => Ok(hertz),
        _ => Err(OpusError::Rate(rate)),
    }
}

#[cfg(test)]
mod tests;
