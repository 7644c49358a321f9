//! Realtime events: text and meaning, without a socket.

mod decode;
mod encode;
mod fault;

pub(super) use decode::{Call, Ended, Part, Told, read};
pub(super) use encode::{Asked, append, cancel, clear, commit, item, response, session, speed, truncate};
pub(super) use fault::{Fault, closed};
