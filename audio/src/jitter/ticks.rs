//! Time as RTP counts it for Opus: 48 000 a second, for spans, for positions in the stream and for the caller's clock.

use std::{
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

use crate::{
    SampleRate,
    codec::opus::{OpusError, packet},
};

/// A span, or a position from an origin that goes without saying. May be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Ticks(pub(super) i64);

impl Ticks {
    pub(super) const ZERO: Self = Self(0);

    pub(super) const fn from_millis(millis: i64) -> Self {
        Self(millis * RATE / 1_000)
    }

    /// A time on the caller's clock, held to some thousand years.
    pub(super) const fn at(time: Duration) -> Self {
        let ticks = time.as_nanos() * RATE as u128 / NANOS;
        Self(if ticks > MOST as u128 { MOST } else { ticks as i64 })
    }

    /// How long the sound of a packet lasts.
    pub(super) fn of_packet(payload: &[u8]) -> Result<Self, OpusError> {
        packet::duration(payload).map(Self::at)
    }

    /// As a span, rounded up so that [`at`](Self::at) leads back. What is negative has no length.
    pub(super) const fn span(self) -> Duration {
        let ticks = if self.0 > 0 { self.0 as u128 } else { 0 };
        Duration::from_nanos((ticks * NANOS).div_ceil(RATE as u128) as u64)
    }
}

impl Add for Ticks {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Ticks {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Ticks {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

const RATE: i64 = SampleRate::HZ_48000.hertz() as i64;
const NANOS: u128 = 1_000_000_000;
/// Leaves room for sums.
const MOST: i64 = 1 << 48;
