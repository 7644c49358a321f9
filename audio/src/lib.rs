//! Signal code of the relay: pure, synchronous, free of sockets and serialisation.
//!
//! What arrives is decoded ([`codec`]), resampled ([`resample`]) to the one rate everything that
//! listens works at, cut into [`Frame`]s ([`framer`]) and judged by voice activity detection ([`vad`]).
//! What arrives by RTP as Opus is put in order and mended first ([`jitter`]).
//! What leaves goes the other way. State is per stream; once warm, nothing here allocates per frame.

pub mod codec;
pub mod denoise;
pub mod framer;
pub mod jitter;
pub mod level;
pub mod media;
pub mod ogg;
pub mod preroll;
pub mod resample;
pub mod vad;
pub mod wav;

mod clip;
mod frame;
mod rate;

pub use clip::Clip;
pub use codec::{
    Decoder, Encoding,
    opus::{OpusDecoder, OpusEncoder, OpusError},
};
pub use denoise::Denoiser;
pub use frame::Frame;
pub use framer::Framer;
pub use jitter::JitterBuffer;
pub use level::{Decibels, Level};
pub use media::MediaError;
pub use ogg::OggOpus;
pub use preroll::Preroll;
pub use rate::SampleRate;
pub use resample::{ResampleError, Resampler};
pub use vad::{Threshold, Vad, Voice};
pub use wav::WavError;
