//! A stretch of sound of any length: a chunk of synthesised speech, a decoded file.

use std::time::Duration;

use crate::SampleRate;

/// Mono PCM16 of any length at a stated rate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clip {
    /// Samples per second.
    pub rate: SampleRate,
    /// One channel, oldest first.
    pub samples: Vec<i16>,
}

impl Clip {
    /// Joins samples and their rate.
    pub const fn new(rate: SampleRate, samples: Vec<i16>) -> Self {
        Self { rate, samples }
    }

    /// How long the clip lasts.
    pub fn duration(&self) -> Duration {
        self.rate.duration_of(self.samples.len())
    }
}
