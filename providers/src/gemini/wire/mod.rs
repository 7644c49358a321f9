//! `streamGenerateContent`: bytes and thoughts, without a socket.

mod decode;
mod encode;
mod schema;

pub(super) use decode::{Reader, verdict};
pub(super) use encode::{function, request, response};
