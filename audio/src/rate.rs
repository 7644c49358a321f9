//! Sample rates as a type: no bare number of hertz or samples crosses a module boundary.

use std::{fmt, time::Duration};

/// Samples per second of one channel, in hertz. Never zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(u32);

impl SampleRate {
    /// 8 kHz, the rate of G.711 telephony.
    pub const HZ_8000: Self = Self(8_000);
    /// 16 kHz, the rate of everything that listens: voice activity, turn detection, speech-to-text.
    pub const HZ_16000: Self = Self(16_000);
    /// 24 kHz, the rate of `audio/pcm` in the OpenAI Realtime protocol and of synthesised speech.
    pub const HZ_24000: Self = Self(24_000);
    /// 48 kHz, the rate of Opus over RTP (RFC 7587).
    pub const HZ_48000: Self = Self(48_000);

    /// A rate in hertz, or `None` outside 1 Hz to 768 kHz.
    pub const fn new(hertz: u32) -> Option<Self> {
        if hertz == 0 || hertz > 768_000 { None } else { Some(Self(hertz)) }
    }

    /// The rate in hertz.
    pub const fn hertz(self) -> u32 {
        self.0
    }

    /// How many samples of one channel `span` holds, rounded down.
    pub const fn samples_in(self, span: Duration) -> usize {
        (span.as_nanos() * self.0 as u128 / 1_000_000_000) as usize
    }

    /// How long `samples` of one channel last, rounded down to the nanosecond.
    pub const fn duration_of(self, samples: usize) -> Duration {
        Duration::from_nanos((samples as u128 * 1_000_000_000 / self.0 as u128) as u64)
    }
}

impl fmt::Debug for SampleRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}
