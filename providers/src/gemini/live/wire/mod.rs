//! Live messages: text and meaning, without a socket.

mod decode;
mod encode;

pub(super) use decode::{Call, Content, Told, closed, read};
pub(super) use encode::{Answered, activity_end, activity_start, content, results, setup, sound, text, turn, turns};
