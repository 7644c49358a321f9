//! Where the server is and how to treat it.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{Secret, layers::Timeouts, net::http::endpoint};

/// One OpenAI-compatible server and one of its models.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Up to and including the version: `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// Sent as a bearer token; local servers need none.
    pub key: Option<Secret>,
    /// Milliseconds to open a reply: connect, send, and be answered at all.
    pub open_timeout_ms: u64,
    /// Milliseconds from then to the first word; a local server may load its model first.
    pub first_timeout_ms: u64,
    /// Milliseconds between words.
    pub idle_timeout_ms: u64,
    /// Asks for token counts (`stream_options.include_usage`); a few old servers refuse the question.
    pub usage: bool,
    /// Names the token limit `max_completion_tokens`, as OpenAI's reasoning models demand, not `max_tokens`.
    pub max_completion_tokens: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            model: String::new(),
            key: None,
            open_timeout_ms: 20_000,
            first_timeout_ms: 20_000,
            idle_timeout_ms: 10_000,
            usage: true,
            max_completion_tokens: false,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Err(why) = endpoint(&self.base_url, "models") {
            problems.push(("base_url", why));
        }
        if self.model.trim().is_empty() {
            problems.push(("model", "must name a model of the server".to_owned()));
        }
        if self.key.as_ref().is_some_and(|key| !key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())) {
            problems.push(("key", "must consist of printable ASCII characters without spaces".to_owned()));
        }
        let timeouts = [
            ("open_timeout_ms", self.open_timeout_ms),
            ("first_timeout_ms", self.first_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
        ];
        for (name, value) in timeouts {
            if !(1..=600_000).contains(&value) {
                problems.push((name, "must be 1 to 600000 milliseconds".to_owned()));
            }
        }
        problems
    }

    /// The waits as the [`Timed`](crate::layers::Timed) layer takes them.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts {
            open: Duration::from_millis(self.open_timeout_ms),
            first: Duration::from_millis(self.first_timeout_ms),
            idle: Duration::from_millis(self.idle_timeout_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let config = Config {
            base_url: "localhost:11434".into(),
            key: Some("two words".into()),
            idle_timeout_ms: 0,
            ..Config::default()
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["base_url", "model", "key", "idle_timeout_ms"]);
        let good = Config { base_url: "http://127.0.0.1:11434/v1/".into(), model: "qwen3".into(), ..Config::default() };
        assert!(good.problems().is_empty());
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { key: Some("sk-very-secret".into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
