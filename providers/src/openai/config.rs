//! Where the server is and how to treat it.

use serde::Deserialize;

use crate::{Secret, account};

/// One account with OpenAI, or one OpenAI-compatible server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Up to and including the version: `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Sent as a bearer token; local servers need none.
    pub key: Option<Secret>,
    /// What language models are asked through.
    pub api: Api,
    /// Asks for token counts (`stream_options.include_usage`); a few old servers refuse the question.
    pub usage: bool,
    /// Names the token limit `max_completion_tokens`, as OpenAI's reasoning models demand; other servers know
    /// `max_tokens`.
    pub max_completion_tokens: bool,
}

/// What language models are asked through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `POST {base}/chat/completions`, which every server knows.
    #[default]
    Chat,
    /// `POST {base}/responses`: OpenAI's and Azure's own.
    Responses,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".to_owned(),
            key: None,
            api: Api::default(),
            usage: true,
            max_completion_tokens: true,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        account::problems(&self.base_url, self.key.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let config = Config { base_url: "localhost:11434".into(), key: Some("two words".into()), ..Config::default() };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["base_url", "key"]);
        assert!(Config::default().problems().is_empty());
    }

    #[test]
    fn a_key_is_never_printed() {
        let config = Config { key: Some("sk-very-secret".into()), ..Config::default() };
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
