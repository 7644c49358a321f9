//! The stretch of the microphone's stream that belongs to one utterance.

use std::time::Duration;

use audio::Frame;

/// All from `cursor` on, up to `until` once that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    cursor: Duration,
    /// Where it began: what a frame holds of the time before is silenced.
    from: Duration,
    until: Option<Duration>,
}

impl Stretch {
    /// A stretch that begins here and whose end is not known.
    pub(super) const fn new(from: Duration) -> Self {
        Self { cursor: from, from, until: None }
    }

    /// Where the part begins that was not taken yet.
    pub(super) const fn cursor(&self) -> Duration {
        self.cursor
    }

    /// It ends here.
    pub(super) const fn end(&mut self, until: Duration) {
        self.until = Some(until);
    }

    /// Whether all of it was taken.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| self.cursor >= until)
    }

    /// The frame that ends at `end`, with silence where it lies outside; `None` if all of it does, behind the end.
    pub(super) fn cut(&self, end: Duration, frame: &Frame) -> Option<Frame> {
        let start = end.saturating_sub(Frame::DURATION);
        let last = self.until.unwrap_or(Duration::MAX);
        if start >= last {
            return None;
        }
        let (head, tail) = (self.from.saturating_sub(start), last.saturating_sub(start));
        let mut frame = *frame;
        if head > Duration::ZERO {
            frame.0[..Frame::RATE.samples_in(head).min(Frame::SAMPLES)].fill(0);
        }
        if tail < Frame::DURATION {
            frame.0[Frame::RATE.samples_in(tail)..].fill(0);
        }
        Some(frame)
    }

    /// The frame that ends at `end` was taken.
    pub(super) fn passed(&mut self, end: Duration) {
        self.cursor = end;
    }
}
