//! A connection to the service, the requests on it, and its complaints as errors.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;

use super::{
    Config,
    wire::{
        Head,
        trouble::{self, Trouble},
    },
};
use crate::{
    ErrorKind, ProviderError,
    net::{
        refusal::{said, unkeyed},
        ws::{self, Receiver, Sender},
    },
};

/// A resource, and the name under which its failures are told.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: Cow<'static, str>,
    pub(super) config: Arc<Config>,
}

impl Account {
    /// Opens a connection to a function of a service.
    ///
    /// # Errors
    ///
    /// As [`ws::connect`]; a refusal that speaks of a quota is [`ErrorKind::RateLimited`] whatever its status.
    pub(super) async fn open(
        &self,
        (base, function): (String, String),
        query: &[(&'static str, String)],
    ) -> Result<(Sender, Receiver), ProviderError> {
        let rejected = |why| self.error(&Trouble::new(ErrorKind::Rejected, &format!("the base URL {why}")));
        let mut url = ws::endpoint(&base, &function).map_err(rejected)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.config.key {
            headers.insert("ocp-apim-subscription-key", ws::secret_header(&self.name, "", key)?);
        }
        headers.extend(HeaderValue::try_from(id()).ok().map(|id| (HEADER_CONNECTION, id)));
        let mut limited = false;
        let opened = ws::connect(&self.name, &url, headers, |_, body| {
            let said = said(body);
            limited = trouble::kind_of(&said) == Some(ErrorKind::RateLimited);
            unkeyed(&said, self.config.key.as_ref())
        });
        let opened = opened.await;
        opened
            .map_err(|error| ProviderError { kind: if limited { ErrorKind::RateLimited } else { error.kind }, ..error })
    }

    /// A complaint of this provider, without the key should the service quote it.
    pub(super) fn error(&self, trouble: &Trouble) -> ProviderError {
        ProviderError::new(self.name.clone(), trouble.kind, unkeyed(&trouble.detail, self.config.key.as_ref()))
    }
}

/// One request and its answers: an utterance, a clause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    pub(super) request: String,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self { request: id() }
    }

    /// Who is speaking to the service, as it wants to know first of all.
    pub(super) fn hello(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let system = json!({"name": "voice-relay", "version": version, "build": "Rust", "lang": "Rust"});
        self.json("speech.config", &json!({"context": {"system": system}}).to_string())
    }

    pub(super) fn json(&self, path: &str, body: &str) -> String {
        self.text(path, "application/json", body)
    }

    pub(super) fn text(&self, path: &str, content: &str, body: &str) -> String {
        self.head(path, Some(content), |head| head.with_text(body))
    }

    /// Sound; none at all means its end.
    pub(super) fn audio(&self, content: Option<&str>, body: &[u8]) -> Vec<u8> {
        self.head("audio", content, |head| head.with_bytes(body))
    }

    fn head<T>(&self, path: &str, content: Option<&str>, write: impl FnOnce(Head<'_>) -> T) -> T {
        let timestamp = format!("{:.3}", Timestamp::now());
        write(Head { path, request: &self.request, timestamp: &timestamp, content })
    }
}

/// A random UUID without dashes (RFC 9562, version 4), as requests and connections must have.
fn id() -> String {
    let random = || RandomState::new().hash_one(());
    let (high, low) = (random() & !0xf000 | 0x4000, random() & !(0b11 << 62) | 0b10 << 62);
    format!("{high:016x}{low:016x}")
}

const HEADER_CONNECTION: reqwest::header::HeaderName = reqwest::header::HeaderName::from_static("x-connectionid");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_without_dashes_and_differ() {
        let (one, other) = (id(), id());
        assert_ne!(one, other);
        for id in [one, other] {
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            assert!(id.as_bytes()[12] == b'4' && b"89ab".contains(&id.as_bytes()[16]), "{id}");
        }
    }

    #[test]
    fn messages_tell_when_they_were_sent() {
        let message = Turn { request: "ab".into() }.json("speech.config", "{}");
        let stamp = message.lines().find_map(|line| line.strip_prefix("X-Timestamp: ")).unwrap();
        assert!(stamp.parse::<Timestamp>().is_ok() && stamp.len() == "2026-11-26T14:00:00.000Z".len(), "{stamp}");
    }
}
