//! The account with DeepSeek.

use serde::Deserialize;

use crate::{Secret, account};

/// One account with DeepSeek.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `https://api.deepseek.com`.
    pub base_url: String,
    /// Sent as a bearer token.
    pub key: Option<Secret>,
    /// Lets the model think before it answers, which it would by itself: seconds of silence on the phone.
    pub thinking: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { base_url: "https://api.deepseek.com".to_owned(), key: None, thinking: false }
    }
}

impl Config {
    /// Every mistake: the key it is under, and what is allowed.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        account::problems(&self.base_url, self.key.as_ref())
    }
}
