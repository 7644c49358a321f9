//! The Messages API: bytes and thoughts, without a socket.

mod decode;
mod encode;

pub(super) use decode::{Reader, verdict};
pub(super) use encode::request;
