//! Why, and when, a session wants to be called although nothing happened.

use std::time::Instant;

/// The reason of a deadline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Wake {
    /// More of a reply's speech may go out.
    Release,
    /// The listener has heard the last of a reply.
    Drained,
    /// The microphone went dead in the middle of a turn.
    Starvation,
    /// A held reply is given up, because nobody has told yet what the person said over it.
    Weighing,
    /// A transcript is overdue.
    Transcript,
    /// The person has been silent for as long as the settings allow.
    Silence,
    /// The caller has pressed no key for a while.
    Keypad,
}

/// The earlier of two deadlines.
pub(super) fn soonest(a: Option<(Instant, Wake)>, b: Option<(Instant, Wake)>) -> Option<(Instant, Wake)> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
