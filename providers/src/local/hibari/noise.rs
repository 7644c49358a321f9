//! The breath of the voice: Gaussian noise that is the same for the same words.

use std::f32::consts::TAU;

use realfft::num_complex::Complex32;

/// A seeded generator (SplitMix64) of complex Gaussian values.
pub(super) struct Noise(u64);

impl Noise {
    /// Noise that depends on the phonemes alone, so that one text always sounds the same.
    pub(super) fn for_ids(ids: &[i32]) -> Self {
        Self(ids.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &id| (hash ^ id as u64).wrapping_mul(0x100_0000_01b3)))
    }

    /// Real and imaginary part, each of mean 0 and variance 1 (Box-Muller).
    pub(super) fn complex(&mut self) -> Complex32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let unit = |bits: u64| (bits & 0xff_ffff) as f32 / 16_777_216.0;
        Complex32::from_polar((-2.0 * (1.0 - unit(bits)).ln()).sqrt(), TAU * unit(bits >> 32))
    }
}
