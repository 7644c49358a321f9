//! The last frames of a stream, found again by position: what was said before speech was recognised as such.

use std::{collections::VecDeque, fmt, time::Duration};

use crate::{Frame, framer::at};

/// A stream's most recent frames: as many as a span has, whose memory (32 KB a second) is taken once; and while a stretch
/// is [held](Self::hold), all of it, whose memory comes a second at a time and goes when it is let go.
#[derive(Clone)]
pub struct Preroll {
    kept: VecDeque<Frame>,
    /// Frames kept in any case.
    span: usize,
    /// The frame from which on all are kept, and the most that are.
    held: Option<(u64, usize)>,
    /// Frames pushed in all: the stream's position.
    frames: u64,
}

impl Preroll {
    /// Keeps at least `span`, rounded up to whole frames, one at least.
    pub fn new(span: Duration) -> Self {
        let span = frames_in(span);
        Self { kept: VecDeque::with_capacity(span), span, held: None, frames: 0 }
    }

    /// Adds the stream's next frame.
    pub fn push(&mut self, frame: &Frame) {
        while self.kept.len() >= self.room() {
            self.kept.pop_front();
        }
        if self.kept.len() == self.kept.capacity() {
            self.kept.reserve_exact(GROWTH);
        }
        self.kept.push_back(*frame);
        self.frames += 1;
    }

    /// Keeps another span from here on, and what it can of what is kept.
    pub fn resize(&mut self, span: Duration) {
        self.span = frames_in(span);
        self.kept.reserve_exact(self.span.saturating_sub(self.kept.len()));
        self.trim();
    }

    /// Keeps the frames from the one that holds `from` on, as far as they are still there, up to `most` in all.
    pub fn hold(&mut self, from: Duration, most: Duration) {
        self.held = Some((self.index(from), frames_in(most)));
    }

    /// Keeps no more than the span again.
    pub fn let_go(&mut self) {
        if self.held.take().is_some() {
            self.trim();
        }
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
    /// A position before the oldest gives all of them; one at or past the end gives nothing.
    pub fn since(&self, position: Duration) -> impl Iterator<Item = (Duration, &Frame)> {
        let (first, oldest) = (self.index(position).max(self.oldest()), self.oldest());
        (first + 1..).map(at).zip(self.kept.range((first - oldest) as usize..))
    }

    /// The frame that holds a position, or the next one to come.
    fn index(&self, position: Duration) -> u64 {
        (position.as_nanos() / Frame::DURATION.as_nanos()).min(u128::from(self.frames)) as u64
    }

    fn oldest(&self) -> u64 {
        self.frames - self.kept.len() as u64
    }

    /// Frames that are kept once the next one is there.
    fn room(&self) -> usize {
        let held = self.held.map_or(0, |(from, most)| most.min((self.frames + 1).saturating_sub(from) as usize));
        self.span.max(held)
    }

    fn trim(&mut self) {
        let surplus = self.kept.len().saturating_sub(self.room());
        self.kept.drain(..surplus);
        self.kept.shrink_to(self.room());
    }
}

impl fmt::Debug for Preroll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preroll({:?}..{:?})", self.start(), self.end())
    }
}

/// Whole frames that hold a span.
fn frames_in(span: Duration) -> usize {
    span.as_nanos().div_ceil(Frame::DURATION.as_nanos()).max(1) as usize
}

/// Frames that a held stretch grows by.
const GROWTH: usize = 50;

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

    #[test]
    fn a_held_stretch_is_kept_whole_up_to_its_most_and_let_go_at_once() {
        let mut preroll = filled(12);
        preroll.hold(Duration::from_millis(190), Duration::from_millis(400));
        let keep = |preroll: &mut Preroll, frames: i16| {
            (0..frames).for_each(|_| preroll.push(&Frame::SILENCE));
            (preroll.start().as_millis(), preroll.end().as_millis())
        };
        assert_eq!(keep(&mut preroll, 1), (160, 260), "the span is kept in any case");
        assert_eq!(keep(&mut preroll, 10), (180, 460));
        assert_eq!(marks(&preroll, 0)[..3], [(200, 9), (220, 10), (240, 11)]);
        assert_eq!(keep(&mut preroll, 10), (260, 660));
        preroll.let_go();
        assert_eq!(keep(&mut preroll, 0), (560, 660));
        assert_eq!(keep(&mut preroll, 10), (760, 860));
        assert!(preroll.kept.capacity() < 10, "{}", preroll.kept.capacity());
    }

    #[test]
    fn another_span_keeps_what_is_there_and_the_position() {
        let mut preroll = filled(12);
        preroll.resize(Duration::from_millis(40));
        assert_eq!(marks(&preroll, 0), [(220, 10), (240, 11)]);
        preroll.resize(Duration::from_millis(80));
        (12..20).for_each(|n| preroll.push(&Frame([n; Frame::SAMPLES])));
        assert_eq!(marks(&preroll, 0), [(340, 16), (360, 17), (380, 18), (400, 19)]);
    }
}
