//! The account with Google AI Studio.

use serde::Deserialize;

use crate::{Secret, account};

/// One account with Google AI Studio.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Up to and including the version: `https://generativelanguage.googleapis.com/v1beta`.
    pub base_url: String,
    /// Sent as `x-goog-api-key`.
    pub key: Option<Secret>,
    /// Most tokens a Gemini 2.5 model thinks before it answers; 0 turns thinking off where the model allows it.
    pub thinking_budget: Option<u32>,
    /// How much later models think: `minimal`, `low`, `medium`, `high`, as far as the model knows them.
    pub thinking_level: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: "https://generativelanguage.googleapis.com/v1beta".to_owned(),
            key: None,
            thinking_budget: None,
            thinking_level: None,
        }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = account::problems(&self.base_url, self.key.as_ref());
        if let Some(level) = &self.thinking_level {
            if self.thinking_budget.is_some() {
                problems.push(("thinking_level", "must be absent where a thinking_budget is set".to_owned()));
            }
            if !LEVELS.contains(&level.as_str()) {
                problems.push(("thinking_level", format!("must be one of {}", LEVELS.join(", "))));
            }
        }
        problems
    }
}

const LEVELS: [&str; 4] = ["minimal", "low", "medium", "high"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported() {
        let config = Config {
            base_url: String::new(),
            thinking_budget: Some(0),
            thinking_level: Some("much".into()),
            ..Config::default()
        };
        let keys: Vec<_> = config.problems().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["base_url", "thinking_level", "thinking_level"]);
        assert!(Config::default().problems().is_empty());
    }
}
