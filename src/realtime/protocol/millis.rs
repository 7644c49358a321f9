//! Milliseconds, the wire's unit of time. Everything inside counts in `Duration`.

use std::time::Duration;

/// Whole milliseconds. A position between two of them is rounded down, so none ever lies beyond the audio it is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Millis(pub(crate) u64);

impl From<Duration> for Millis {
    fn from(span: Duration) -> Self {
        Self(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }
}

impl From<Millis> for Duration {
    fn from(millis: Millis) -> Self {
        Self::from_millis(millis.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_a_millisecond_is_rounded_down() {
        assert_eq!(Millis::from(Duration::from_micros(812_999)), Millis(812));
    }
}
