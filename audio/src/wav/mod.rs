//! RIFF/WAVE files: a tolerant [`Reader`] for bytes as they come, headers and whole files written.

mod read;
mod write;

pub use read::{Reader, WavError, read};
pub use write::{Length, header, write};

/// `wFormatTag` of the codings read here.
mod tag {
    pub(super) const PCM: u16 = 1;
    pub(super) const FLOAT: u16 = 3;
    pub(super) const ALAW: u16 = 6;
    pub(super) const ULAW: u16 = 7;
    /// The true tag is in the first two bytes of the sub-format GUID.
    pub(super) const EXTENSIBLE: u16 = 0xfffe;
}

/// The size that streaming writers leave in a header they cannot go back to.
const UNKNOWN: u32 = u32::MAX;

#[cfg(test)]
mod tests;
