//! The account with Anthropic.

use serde::Deserialize;

use crate::{Secret, account};

/// One account with Anthropic.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `https://api.anthropic.com`.
    pub base_url: String,
    /// Sent as `x-api-key`.
    pub key: Option<Secret>,
    /// Sent as `anthropic-version`.
    pub version: String,
    /// Most tokens of a reply where the session sets no limit: the vendor wants one.
    pub max_tokens: u32,
    /// Leaves thinking to the model, as those demand that always think; else it is turned off: it is silence on the phone.
    pub thinking: bool,
    /// Passes the session's temperature on; models since Opus 4.7 refuse it.
    pub temperature: bool,
    /// Asks for the conversation to be cached from turn to turn.
    pub cache: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: "https://api.anthropic.com".to_owned(),
            key: None,
            version: "2023-06-01".to_owned(),
            max_tokens: 4096,
            thinking: false,
            temperature: false,
            cache: true,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = account::problems(&self.base_url, self.key.as_ref());
        if self.version.is_empty() || !self.version.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.push(("version", "must be a version such as 2023-06-01".to_owned()));
        }
        if self.max_tokens == 0 {
            problems.push(("max_tokens", "must be at least 1".to_owned()));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let config = Config { base_url: String::new(), version: String::new(), max_tokens: 0, ..Config::default() };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["base_url", "version", "max_tokens"]);
        assert!(Config::default().problems().is_empty());
    }
}
