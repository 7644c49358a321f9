//! The unit of listening: 20 ms of mono PCM16 at 16 kHz, held inline so that passing one on allocates nothing.

use std::time::Duration;

use crate::SampleRate;

/// 20 ms of one channel of signed 16-bit samples at 16 kHz (320 samples, 640 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame(pub [i16; Self::SAMPLES]);

impl Frame {
    /// The rate of every frame.
    pub const RATE: SampleRate = SampleRate::HZ_16000;
    /// Samples in a frame.
    pub const SAMPLES: usize = 320;
    /// How long a frame lasts.
    pub const DURATION: Duration = Duration::from_millis(20);
    /// A frame of digital silence.
    pub const SILENCE: Self = Self([0; Self::SAMPLES]);

    /// The samples, oldest first.
    pub const fn samples(&self) -> &[i16; Self::SAMPLES] {
        &self.0
    }
}
