//! Where the two machines stand, for logs of their transitions.

use std::fmt;

use super::{
    Life, Session,
    reply::Stage,
    turn::{Owed, Turn},
};

/// Where a session's machines stand; prints as `speaking/thinking`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// The microphone: `idle`, `overlap`, `speaking`, `pausing`, `weighing`, `gathering`, `awaiting` or `closed`.
    pub turn: &'static str,
    /// The reply: `idle`, `waiting`, `thinking`, `speaking` or `draining`.
    pub response: &'static str,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.turn, self.response)
    }
}

impl Session {
    /// Where the machines stand.
    pub fn state(&self) -> State {
        let turn = match self.turn {
            _ if self.life == Life::Closed => "closed",
            Turn::Idle if self.owed != Owed::Nothing => "awaiting",
            Turn::Idle => "idle",
            Turn::Overlap { .. } => "overlap",
            Turn::Speaking { .. } => "speaking",
            Turn::Pausing { .. } => "pausing",
            Turn::Weighing { .. } => "weighing",
            Turn::Gathering { .. } => "gathering",
        };
        let response = match self.active.as_ref().map(|reply| &reply.stage) {
            Some(Stage::Waiting { .. }) => "waiting",
            Some(Stage::Thinking { .. }) => "thinking",
            Some(Stage::Streaming | Stage::Thought(_)) => "speaking",
            None if self.tails.is_empty() => "idle",
            None => "draining",
        };
        State { turn, response }
    }
}
