//! What a provider's failure means to its caller.

use std::{borrow::Cow, fmt, time::Duration};

/// What the caller can do about a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ErrorKind {
    /// Too many requests or quota spent: wait for `retry_after`, or go elsewhere.
    RateLimited,
    /// The key is missing or refused: retrying is useless.
    Unauthorized,
    /// Down, unreachable or overloaded: retry or go elsewhere.
    Unavailable,
    /// The request itself was refused: another attempt with the same input fails too.
    Rejected,
    /// The answer broke its own protocol: go elsewhere.
    Protocol,
    /// No answer in time: retry or go elsewhere.
    Timeout,
}

/// A provider failed. Cloneable, so that it can travel as an ordinary event.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{provider}: {kind}: {detail}")]
pub struct ProviderError {
    /// Which provider, as configured: `local/whisper-base`.
    pub provider: Cow<'static, str>,
    /// What the caller can do.
    pub kind: ErrorKind,
    /// How long the provider asked to be left alone.
    pub retry_after: Option<Duration>,
    /// For the log: never holds a key, a transcript or audio.
    pub detail: String,
}

impl ProviderError {
    /// A failure of `provider` without a retry hint.
    pub fn new(provider: impl Into<Cow<'static, str>>, kind: ErrorKind, detail: impl fmt::Display) -> Self {
        Self { provider: provider.into(), kind, retry_after: None, detail: detail.to_string() }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RateLimited => "rate limited",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::Rejected => "rejected",
            Self::Protocol => "protocol violated",
            Self::Timeout => "timed out",
        })
    }
}
