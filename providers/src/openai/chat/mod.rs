//! Chat completions: bytes and thoughts, without a socket. Every server that speaks them shares this.

mod decode;
mod encode;
mod hush;

use std::sync::Arc;

use serde_json::Value;

pub(crate) use decode::{Reader, refused};
pub(crate) use encode::request;

use crate::dialogue::Echoes;

/// How a server's chat completions differ from another's: data, so that one encoder and one reader serve them all.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    /// Asks for token counts (`stream_options.include_usage`).
    pub(crate) usage: bool,
    /// What the token limit is called.
    pub(crate) limit: &'static str,
    /// Further fields of the request.
    pub(crate) extra: Vec<(&'static str, Value)>,
    /// Where the server's reasoning is kept, if it wants it back with its calls.
    pub(crate) echoes: Option<Arc<Echoes>>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { usage: true, limit: "max_tokens", extra: Vec::new(), echoes: None }
    }
}
