//! How much of a knowledge base there may be.

use serde::{Deserialize, Serialize};

/// `[knowledge]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Documents of one user at most.
    pub documents_per_user: u32,
    /// Text that is read in one document at most, in MiB; the rest of it is left out, told by a warning.
    pub text_mb: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { documents_per_user: 1000, text_mb: 16 }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if !(1..=MOST_DOCUMENTS).contains(&self.documents_per_user) {
            wrong.push(("documents_per_user", format!("must be between 1 and {MOST_DOCUMENTS}")));
        }
        if !(1..=MOST_TEXT_MB).contains(&self.text_mb) {
            wrong.push(("text_mb", format!("must be between 1 and {MOST_TEXT_MB}")));
        }
        wrong
    }
}

/// More than anybody looks through.
const MOST_DOCUMENTS: u32 = 100_000;
/// Some twenty thousand pages: memory of a reader is a multiple of it.
const MOST_TEXT_MB: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_told_by_its_key() {
        let wrong = |documents_per_user, text_mb| {
            let wrong = Config { documents_per_user, text_mb }.validate();
            wrong.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert!(Config::default().validate().is_empty());
        assert_eq!(wrong(0, 65), ["documents_per_user", "text_mb"]);
    }
}
