//! Which sound the service has still to account for, so that a turn it ends early costs no word.
//!
//! Times of a turn count from its first sound; these are the caller's.

use std::{collections::VecDeque, time::Duration};

use audio::Frame;

use super::{
    link::Turn,
    wire::{listen::Passage, trouble::Trouble},
};
use crate::ErrorKind;

/// The turn, and the sound since the last thing understood in it.
#[derive(Debug)]
pub(super) struct Tail {
    turn: Turn,
    /// When its first sound was heard.
    begin: Duration,
    frames: VecDeque<Frame>,
    /// All that was heard.
    heard: Duration,
    state: State,
    /// Turns in a row that ended without having got any further.
    barren: u32,
    /// Whether this one got any further.
    advanced: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Sound is sent as it comes.
    Open,
    /// A new turn is to be begun with the sound kept.
    Broken,
    /// No sound follows.
    Ended,
}

/// What becomes of an utterance whose turn is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Over {
    /// All of it was worked off.
    Done,
    /// It goes on in another turn.
    Again,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self {
            turn: Turn::new(),
            begin: Duration::ZERO,
            frames: VecDeque::new(),
            heard: Duration::ZERO,
            state: State::Open,
            barren: 0,
            advanced: false,
        }
    }

    pub(super) fn turn(&self) -> &Turn {
        &self.turn
    }

    pub(super) fn heard(&self) -> Duration {
        self.heard
    }

    /// Keeps what was heard, and tells whether it is to be sent at once: in a new turn it follows what is kept.
    pub(super) fn keep(&mut self, frames: &[Frame]) -> bool {
        self.heard += span(frames.len());
        self.frames.extend(frames.iter().copied());
        let excess = self.frames.len().saturating_sub(MOST);
        self.frames.drain(..excess);
        self.state != State::Broken
    }

    /// The turn has accounted for all sound up to here, in its own time.
    pub(super) fn settle(&mut self, end: Duration) {
        let end = (self.begin + end).min(self.heard);
        let from = self.heard.saturating_sub(span(self.frames.len()));
        let done = end.saturating_sub(from).as_millis() / Frame::DURATION.as_millis();
        let done = usize::try_from(done).unwrap_or(usize::MAX).min(self.frames.len());
        self.advanced |= done > 0;
        self.frames.drain(..done);
    }

    /// The passage in the caller's time.
    pub(super) fn placed(&self, mut passage: Passage) -> Passage {
        passage.start += self.begin;
        passage.end += self.begin;
        for word in &mut passage.words {
            word.start += self.begin;
            word.end += self.begin;
        }
        passage
    }

    /// The service ended the turn.
    ///
    /// # Errors
    ///
    /// It keeps ending turns without getting any further.
    pub(super) fn over(&mut self) -> Result<Over, Trouble> {
        if self.state == State::Ended {
            return Ok(Over::Done);
        }
        self.barren = if self.advanced { 0 } else { self.barren + 1 };
        if self.barren > MOST_BARREN {
            return Err(Trouble::new(ErrorKind::Unavailable, "turn after turn ends without a result"));
        }
        (self.turn, self.state, self.advanced) = (Turn::new(), State::Broken, false);
        Ok(Over::Again)
    }

    /// What a new turn begins with, if one is to be begun.
    pub(super) fn resume(&mut self) -> Option<(Turn, Vec<Frame>)> {
        if self.state != State::Broken {
            return None;
        }
        self.state = State::Open;
        self.begin = self.heard.saturating_sub(span(self.frames.len()));
        Some((self.turn.clone(), self.frames.iter().copied().collect()))
    }

    /// No sound follows, unless a new turn is to be begun first.
    pub(super) fn end(&mut self) -> bool {
        let ends = self.state != State::Broken;
        if ends {
            self.state = State::Ended;
        }
        ends
    }
}

fn span(frames: usize) -> Duration {
    Frame::DURATION * u32::try_from(frames).unwrap_or(u32::MAX)
}

/// 80 s: the service ends a phrase after 70 s at the latest.
const MOST: usize = 4_000;
/// Some may be ended for want of speech; more are a fault.
const MOST_BARREN: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stt::Word;

    fn frame(n: i16) -> Frame {
        Frame([n; Frame::SAMPLES])
    }

    fn firsts(frames: &[Frame]) -> Vec<i16> {
        frames.iter().map(|frame| frame.0[0]).collect()
    }

    #[test]
    fn a_turn_ended_early_goes_on_with_what_it_did_not_account_for() {
        let mut tail = Tail::new();
        let first = tail.turn().clone();
        assert!(tail.keep(&[frame(0), frame(1), frame(2), frame(3)]));
        tail.settle(Duration::from_millis(45));
        assert_eq!(tail.over(), Ok(Over::Again));
        assert!(!tail.keep(&[frame(4)]), "waits for its turn");
        assert!(!tail.end(), "is not over before it was sent");
        let (turn, frames) = tail.resume().unwrap();
        assert_ne!(turn, first);
        assert_eq!(firsts(&frames), [2, 3, 4]);
        assert_eq!(tail.resume().map(|(_, frames)| frames.len()), None);
        let at = |millis| Duration::from_millis(millis);
        let word = Word { text: "x".into(), start: at(10), end: at(20) };
        let passage = Passage { start: at(10), end: at(20), words: vec![word], ..Passage::default() };
        let placed = tail.placed(passage);
        assert_eq!((placed.start, placed.words[0].end), (at(50), at(60)), "in the caller's time");
        tail.settle(at(60));
        assert!(tail.end());
        assert_eq!((tail.over(), tail.heard()), (Ok(Over::Done), at(100)));
    }

    #[test]
    fn turns_that_get_nowhere_are_given_up() {
        let mut tail = Tail::new();
        for _ in 0..MOST_BARREN {
            tail.keep(&[frame(0)]);
            assert_eq!(tail.over(), Ok(Over::Again));
            tail.resume();
        }
        tail.settle(Duration::from_millis(20));
        assert_eq!(tail.over(), Ok(Over::Again), "this one got further");
        tail.resume();
        assert!((0..=MOST_BARREN).any(|_| tail.over().is_err()));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut tail = Tail::new();
        for n in 0..5_000 {
            tail.keep(&[frame(n)]);
        }
        tail.over().unwrap();
        let (_, frames) = tail.resume().unwrap();
        assert_eq!((frames.len(), frames[0].0[0]), (MOST, 1_000));
        assert_eq!(tail.placed(Passage::default()).start, Duration::from_secs(20));
    }
}
