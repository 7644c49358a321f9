//! What was heard and not understood for good yet, to be told again to the next stream. Positions are in samples.

use std::{collections::VecDeque, time::Duration};

use audio::Frame;

/// The last of an utterance.
#[derive(Default, Debug)]
pub(super) struct Tail {
    /// All that was heard.
    heard: u64,
    /// Up to here it is understood.
    settled: u64,
    /// From behind `settled` to `heard`, unless more than [`LONGEST`] was not understood: then the last of it.
    samples: VecDeque<i16>,
}

impl Tail {
    pub(super) fn hear(&mut self, samples: &[i16]) {
        self.heard += samples.len() as u64;
        self.samples.extend(samples);
        let over = self.samples.len().saturating_sub(LONGEST);
        self.samples.drain(..over);
    }

    /// All up to this time is understood.
    pub(super) fn settle(&mut self, until: Duration) {
        let until = until.as_nanos() * u128::from(RATE) / 1_000_000_000;
        let until = u64::try_from(until).unwrap_or(u64::MAX).min(self.heard);
        self.settled = self.settled.max(until);
        let behind = usize::try_from(self.heard - self.settled).unwrap_or(usize::MAX);
        self.samples.drain(..self.samples.len().saturating_sub(behind));
    }

    /// Whether all that is not understood is here.
    pub(super) fn is_whole(&self) -> bool {
        self.heard - self.settled == self.samples.len() as u64
    }

    pub(super) fn samples(&self) -> Vec<i16> {
        self.samples.iter().copied().collect()
    }

    pub(super) fn heard(&self) -> Duration {
        span(self.heard)
    }

    pub(super) fn settled(&self) -> Duration {
        span(self.settled)
    }
}

fn span(samples: u64) -> Duration {
    Duration::from_nanos(samples * 1_000_000_000 / RATE)
}

const RATE: u64 = 16_000;
/// Half a minute: nobody speaks longer without a pause in which something settles.
const LONGEST: usize = 1_500 * Frame::SAMPLES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood_is_let_go_of() {
        let mut tail = Tail::default();
        let samples: Vec<_> = (0..32_000).map(|n| n as i16).collect();
        tail.hear(&samples);
        tail.settle(Duration::from_millis(1_500));
        assert_eq!(tail.samples(), samples[24_000..]);
        assert_eq!((tail.heard(), tail.settled()), (Duration::from_secs(2), Duration::from_millis(1_500)));
        tail.settle(Duration::from_millis(100));
        assert_eq!(tail.settled(), Duration::from_millis(1_500), "nothing is taken back");
        tail.settle(Duration::from_secs(9));
        assert!(tail.samples().is_empty() && tail.is_whole());
        assert_eq!(tail.settled(), Duration::from_secs(2), "no more is understood than was heard");
    }

    #[test]
    fn only_so_much_is_kept_and_it_says_so() {
        let mut tail = Tail::default();
        for _ in 0..1_500 {
            tail.hear(&[1; Frame::SAMPLES]);
        }
        assert!(tail.is_whole());
        tail.hear(&[2; Frame::SAMPLES]);
        assert!(!tail.is_whole());
        assert_eq!(tail.samples().len(), LONGEST);
        tail.settle(Duration::from_secs(1));
        assert!(tail.is_whole() && tail.samples().len() < LONGEST);
    }
}
