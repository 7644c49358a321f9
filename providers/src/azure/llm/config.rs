//! The Azure OpenAI resource.

use reqwest::Url;
use serde::Deserialize;

use crate::{ProviderError, Secret, account, net::events::Peer, openai::Api};

/// One Azure OpenAI resource. A model, such as a [`LanguageModel`](super::LanguageModel)'s, is the name of a deployment in it.
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
    /// Numbers in an embedding's vector; unset for the model's own count. Only newer models can be asked for fewer.
    pub dimensions: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            key: None,
            api_version: None,
            api: Api::default(),
            max_completion_tokens: true,
            dimensions: None,
        }
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
        if self.dimensions == Some(0) {
            problems.push(("dimensions", "must be at least 1, or absent".to_owned()));
        }
        problems
    }

    /// The address of a function of a deployment.
    pub(in crate::azure) fn address(
        &self,
        peer: &Peer,
        deployment: &str,
        function: &str,
    ) -> Result<Url, ProviderError> {
        let Some(version) = &self.api_version else {
            return peer.address(&self.base_url, &format!("openai/v1/{function}"));
        };
        let mut url = peer.address(&self.base_url, &format!("openai/deployments/{deployment}/{function}"))?;
        url.query_pairs_mut().append_pair("api-version", version);
        Ok(url)
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
        assert_eq!(keys(Config { dimensions: Some(0), ..good.clone() }), ["dimensions"]);
        let both = Config { api_version: Some("2024-10-21".into()), api: Api::Responses, ..good };
        assert_eq!(keys(both), ["api"]);
    }
}
