//! Embedded engines: they run in this process, or as its child, and need no network.

mod ahead;
mod english;
mod g2p;
mod graph;
mod mel;
mod piece;
mod spoken;

pub mod agent;
pub mod command;
pub mod hibari;
pub mod minilm;
pub mod models;
pub mod pool;
pub mod turn;
pub mod whisper;

use std::{fmt, path::Path};

use crate::{ErrorKind, ProviderError};

/// A model file that cannot be used: which, why, and what to do about it.
fn unusable(provider: &str, path: &Path, error: impl fmt::Display) -> ProviderError {
    let why = if path.exists() { error.to_string() } else { "no such file".into() };
    let detail = format!("cannot load {}: {why}; `voice-relay models install` fetches it anew", path.display());
    ProviderError::new(provider.to_owned(), ErrorKind::Unavailable, detail)
}
