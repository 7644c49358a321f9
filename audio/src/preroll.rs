//! The last frames of a stream, found again by position: what was said before speech was recognised as such.

use std::{fmt, time::Duration};

use crate::{Frame, framer::at};

/// A ring of a stream's most recent frames. Its memory is taken once (32 KB a second); the oldest frame makes
/// room for the newest.
#[derive(Clone)]
pub struct Preroll {
    ring: Box<[Frame]>,
    /// Frames pushed in all: the stream's position.
    frames: u64,
}

impl Preroll {
    /// A ring of at least `span`, rounded up to whole frames, one at least.
    pub fn new(span: Duration) -> Self {
        let frames = span.as_nanos().div_ceil(Frame::DURATION.as_nanos()).max(1) as usize;
        Self { ring: vec![Frame::SILENCE; frames].into_boxed_slice(), frames: 0 }
    }

    /// Adds the stream's next frame.
    pub fn push(&mut self, frame: &Frame) {
        let slot = self.slot(self.frames);
        self.ring[slot] = *frame;
        self.frames += 1;
    }

    /// Where the newest frame ends.
    pub fn end(&self) -> Duration {
        at(self.frames)
    }

    /// Where the oldest kept frame begins.
    pub fn start(&self) -> Duration {
        at(self.oldest())
    }

    /// The kept frames from the one that holds `position` on, oldest first, each with the position where it ends.
    ///
    /// A position before the ring gives all of it; one at or past the end gives nothing.
    pub fn since(&self, position: Duration) -> impl Iterator<Item = (Duration, &Frame)> {
        let first = (position.as_nanos() / Frame::DURATION.as_nanos()).min(u128::from(self.frames)) as u64;
        (first.max(self.oldest())..self.frames).map(|index| (at(index + 1), &self.ring[self.slot(index)]))
    }

    fn oldest(&self) -> u64 {
        self.frames.saturating_sub(self.ring.len() as u64)
    }

    fn slot(&self, index: u64) -> usize {
        (index % self.ring.len() as u64) as usize
    }
}

impl fmt::Debug for Preroll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preroll({:?}..{:?})", self.start(), self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(frames: i16) -> Preroll {
        let mut preroll = Preroll::new(Duration::from_millis(90));
        for n in 0..frames {
            preroll.push(&Frame([n; Frame::SAMPLES]));
        }
        preroll
    }

    fn marks(preroll: &Preroll, millis: u64) -> Vec<(u64, i16)> {
        let since = preroll.since(Duration::from_millis(millis));
        since.map(|(end, frame)| (end.as_millis() as u64, frame.samples()[0])).collect()
    }

    #[test]
    fn frames_are_found_by_the_position_they_hold() {
        let preroll = filled(12);
        assert_eq!((preroll.start().as_millis(), preroll.end().as_millis()), (140, 240));
        assert_eq!(marks(&preroll, 199), [(200, 9), (220, 10), (240, 11)]);
        assert_eq!(marks(&preroll, 200), [(220, 10), (240, 11)]);
    }

    #[test]
    fn a_position_before_the_ring_gives_all_of_it_and_one_past_the_end_nothing() {
        let preroll = filled(12);
        assert_eq!(marks(&preroll, 0), [(160, 7), (180, 8), (200, 9), (220, 10), (240, 11)]);
        assert_eq!(marks(&preroll, 240), []);
        assert_eq!(preroll.since(Duration::MAX).count(), 0);
        assert_eq!(marks(&filled(2), 0), [(20, 0), (40, 1)]);
        assert_eq!(filled(0).since(Duration::ZERO).count(), 0);
    }
}
