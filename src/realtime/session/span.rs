//! A stretch of the microphone's stream that is, or may be, one turn.

use std::time::{Duration, Instant};

use super::ids::{ItemId, TurnId};

/// The audio of one turn.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Span {
    pub(super) turn: TurnId,
    /// The item it will be.
    pub(super) item: ItemId,
    /// Its first audio, onset less padding.
    pub(super) from: Duration,
    /// Where speech began.
    pub(super) onset: Duration,
    /// When the onset was told.
    pub(super) opened: Instant,
}
