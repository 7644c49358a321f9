//! The Responses API: bytes and thoughts, without a socket.

mod decode;
mod encode;

pub(crate) use decode::Reader;
pub(crate) use encode::request;
