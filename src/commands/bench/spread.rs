//! How a measure is spread: the median and the tail.

use std::{fmt, time::Duration};

use serde::Serialize;

/// Percentiles in milliseconds; `None` where nothing was measured.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub(super) struct Spread {
    pub(super) count: usize,
    pub(super) p50: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) p99: Option<f64>,
    pub(super) max: Option<f64>,
}

impl Spread {
    /// Of all these; nearest rank, so every percentile is a value that occurred.
    pub(super) fn of(spans: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<_> = spans.into_iter().collect();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).map(|span| span.as_secs_f64() * 1_000.0)
        };
        Self { count: sorted.len(), p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
    }

    /// The same, counted from later or earlier.
    pub(super) fn shifted(self, by: Duration) -> Self {
        let shift = |value: Option<f64>| value.map(|value| value + by.as_secs_f64() * 1_000.0);
        Self {
            count: self.count,
            p50: shift(self.p50),
            p95: shift(self.p95),
            p99: shift(self.p99),
            max: shift(self.max),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        write!(f, "{:>7}{:>7}{:>7}", value(self.p50), value(self.p95), value(self.p99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let spread = Spread::of((1..=200).rev().map(Duration::from_millis));
        assert_eq!((spread.p50, spread.p95, spread.p99), (Some(100.0), Some(190.0), Some(198.0)));
        assert_eq!((spread.count, spread.max), (200, Some(200.0)));
    }

    #[test]
    fn one_value_is_all_percentiles_and_none_is_none() {
        let one = Spread::of([Duration::from_millis(7)]);
        assert_eq!((one.p50, one.p99), (Some(7.0), Some(7.0)));
        assert_eq!(Spread::of([]), Spread::default());
    }
}
