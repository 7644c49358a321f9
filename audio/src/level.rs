//! How loud a stretch of sound is, in decibels relative to full scale.

use std::fmt;

/// A level in dBFS: 0 is full scale, quieter is below.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Decibels(f32);

impl Decibels {
    /// The level of digital silence, and the least there is: below one step of 16 bits in a second of zeros.
    pub const SILENCE: Self = Self(-120.0);

    /// A level in dBFS, no less than [`SILENCE`](Self::SILENCE). NaN is silence.
    pub const fn new(dbfs: f32) -> Self {
        if dbfs > Self::SILENCE.0 { Self(dbfs) } else { Self::SILENCE }
    }

    /// The number.
    pub const fn dbfs(self) -> f32 {
        self.0
    }

    /// Of an amplitude relative to full scale (1.0).
    fn of_amplitude(amplitude: f64) -> Self {
        Self::new((20.0 * amplitude.log10()) as f32)
    }
}

impl fmt::Display for Decibels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} dBFS", self.0)
    }
}

/// Average and highest level of a stretch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Level {
    /// Root mean square; a full-scale sine has −3 dBFS.
    pub rms: Decibels,
    /// The sample furthest from zero.
    pub peak: Decibels,
}

impl Level {
    /// Measures samples. No samples are silent.
    pub fn of(samples: &[i16]) -> Self {
        let (mut energy, mut peak) = (0_u64, 0_u16);
        for &sample in samples {
            let magnitude = sample.unsigned_abs();
            energy += u64::from(magnitude) * u64::from(magnitude);
            peak = peak.max(magnitude);
        }
        let mean = energy as f64 / samples.len().max(1) as f64;
        Self {
            rms: Decibels::of_amplitude(mean.sqrt() / FULL_SCALE),
            peak: Decibels::of_amplitude(f64::from(peak) / FULL_SCALE),
        }
    }
}

const FULL_SCALE: f64 = 32_768.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_peaks_at_zero_and_averages_three_decibels_below() {
        let sine: Vec<i16> = (0..16_000).map(|n| (f64::from(n) * 0.1).sin() * 32_767.0).map(|x| x as i16).collect();
        let level = Level::of(&sine);
        assert!(level.peak.dbfs().abs() < 0.01, "{}", level.peak);
        assert!((level.rms.dbfs() + 3.01).abs() < 0.02, "{}", level.rms);
    }

    #[test]
    fn silence_and_nothing_have_a_finite_level() {
        assert_eq!(Level::of(&[0; 320]), Level { rms: Decibels::SILENCE, peak: Decibels::SILENCE });
        assert_eq!(Level::of(&[]).rms, Decibels::SILENCE);
        assert_eq!(Decibels::new(f32::NAN), Decibels::SILENCE);
        assert_eq!(Level::of(&[i16::MIN; 8]).rms, Decibels::new(0.0));
    }
}
