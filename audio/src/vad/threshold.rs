//! How sure a detector must be, on the scale clients use.

/// A voice activity threshold from 0 (nearly always speech) to 1 (nearly never); 0.5 suits most microphones.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Threshold(f32);

impl Threshold {
    /// A threshold, or `None` outside 0 to 1.
    pub const fn new(value: f32) -> Option<Self> {
        if value >= 0.0 && value <= 1.0 { Some(Self(value)) } else { None }
    }

    /// The number clients see.
    pub const fn value(self) -> f32 {
        self.0
    }

    /// The score down to which a hop keeps speech going.
    ///
    /// The power keeps the ends and maps 0.5 to 0.27, the middle of the region where the network was best on
    /// labelled speech (0.25 to 0.3: true positives .92, false .01).
    pub(super) fn close(self) -> f32 {
        self.0.powf(1.89)
    }

    /// The score from which a hop begins speech: 0.37 for 0.5, above what the network gives to the first tenth of a
    /// second of any stream (up to 0.30) and to silence after speech (up to 0.25).
    pub(super) fn open(self) -> f32 {
        (self.close() * HYSTERESIS).min(1.0)
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self(0.5)
    }
}

/// The score that begins speech, as a multiple of the one that keeps it going.
const HYSTERESIS: f32 = 1.36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_in_the_best_region_and_the_ends_are_the_ends() {
        assert!((0.25..0.3).contains(&Threshold::default().close()));
        assert_eq!(Threshold::new(0.0).unwrap().open(), 0.0);
        assert_eq!(Threshold::new(1.0).unwrap().open(), 1.0);
        assert_eq!(Threshold::new(f32::NAN), None);
        assert_eq!(Threshold::new(1.1), None);
    }
}
