//! The Azure OpenAI resource.

use serde::Deserialize;

use crate::{Secret, account, openai::Api};

/// One Azure OpenAI resource. The model of a [`LanguageModel`](super::LanguageModel) is the name of a deployment in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The resource: `https://NAME.openai.azure.com`.
    pub base_url: String,
    /// Sent as `api-key`.
    pub key: Option<Secret>,
    /// A dated version, `2024-10-21`, for the classic path `openai/deployments/NAME/…`; without one, `openai/v1/…`.
    pub api_version: Option<String>,
    /// What language models are asked through; the classic path knows only chat completions.
    pub api: Api,
    /// Names the token limit `max_completion_tokens`, as reasoning models demand; old versions know `max_tokens`.
    pub max_completion_tokens: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { base_url: String::new(), key: None, api_version: None, api: Api::default(), max_completion_tokens: true }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = account::problems(&self.base_url, self.key.as_ref());
        let is_version = |version: &str| {
            !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        match self.api_version.as_deref() {
            Some(version) if !is_version(version) => {
                problems.push(("api_version", "must be a version such as 2024-10-21, or absent".to_owned()));
            }
            Some(_) if self.api == Api::Responses => {
                problems.push(("api", "must be \"chat\" where an api_version is set".to_owned()));
            }
            Some(_) | None => {}
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let keys = |config: Config| config.problems().into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(Config::default()), ["base_url"]);
        let good = Config { base_url: "https://me.openai.azure.com".into(), ..Config::default() };
        assert!(keys(good.clone()).is_empty());
        assert_eq!(keys(Config { api_version: Some("a b".into()), ..good.clone() }), ["api_version"]);
        let both = Config { api_version: Some("2024-10-21".into()), api: Api::Responses, ..good };
        assert_eq!(keys(both), ["api"]);
    }
}
