//! A provider's failure, told to a client without the provider's inside.

use std::time::Duration;

use axum::http::StatusCode;
use providers::{ErrorKind, ProviderError};

use super::fault::Fault;
use crate::{
    metrics::{self, Role},
    realtime::{Offer, Task},
};

/// Logs a failure, which its meter has counted, and says what the client can do about it.
pub(super) fn failed(role: Role, error: &ProviderError) -> Fault {
    tracing::warn!(%error, "a provider failed");
    fault(role, error)
}

/// What the client can do about a failure.
pub(super) fn fault(role: Role, error: &ProviderError) -> Fault {
    let what = match role {
        Role::Listen => "Speech-to-text",
        Role::Speak => "Text-to-speech",
        Role::Think => "The language model",
        Role::Advise => "The turn detector",
        Role::Converse => "The speech-to-speech model",
        Role::Embed => "The embedding model",
    };
    told(what, error)
}

/// The engine of this name, or the first of the vendor of this name, that does this here.
pub(super) fn named(offer: &Offer, task: Task, name: &str) -> Result<String, Fault> {
    let theirs = |engine: &&String| *engine == name || engine.split_once('/').is_some_and(|(vendor, _)| vendor == name);
    let what = match task {
        Task::Transcription => "transcribes",
        Task::Speech => "speaks",
        Task::Language => "thinks",
        Task::Realtime => "converses",
    };
    let message = format!("No provider of this name {what} here; `GET /voice/providers` names those that do.");
    let engine = offer.names().engines(task).iter().find(theirs);
    engine.cloned().ok_or_else(|| Fault::invalid("provider", message))
}

/// The same of an account's voices, which no meter counts.
pub(super) fn shelf(error: &ProviderError) -> Fault {
    tracing::warn!(%error, "a voice library failed");
    told("The voice library", error)
}

fn told(what: &str, error: &ProviderError) -> Fault {
    let (status, code, why) = match error.kind {
        ErrorKind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", "is busy: try again later"),
        ErrorKind::Rejected => (StatusCode::BAD_REQUEST, "rejected_input", "cannot do this with your input"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable", "is not available now"),
        ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "provider_timeout", "did not answer in time"),
        ErrorKind::Unauthorized | ErrorKind::Protocol => {
            (StatusCode::BAD_GATEWAY, "provider_failed", "failed; an operator has to look at it")
        }
    };
    let fault = Fault::new(status, code, format!("{what} {why}."));
    match (error.retry_after, error.kind) {
        (Some(wait), _) => fault.after(wait),
        (None, ErrorKind::RateLimited) => fault.after(Duration::from_secs(1)),
        (None, _) => fault,
    }
}

/// A provider gave nothing at all for too long, or ended without an answer.
pub(super) fn silent(role: Role, kind: ErrorKind) -> Fault {
    metrics::provider_failed(role, "relay", kind);
    failed(role, &ProviderError::new("relay", kind, "no answer came"))
}
