//! One configuration mistake, told so that it can be mended without reading the source.

use std::fmt;

/// A mistake: where it stands and what is allowed there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// `/etc/voice-relay.toml:12`, `environment VOICE_RELAY__SERVER__LISTEN`, `--listen` or `default`.
    pub origin: String,
    /// The key's path, `server.listen`; empty when the whole source is unreadable.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.origin, self.message)
        } else {
            write!(f, "{}: {}: {}", self.origin, self.key, self.message)
        }
    }
}

/// Every mistake of a configuration, never only the first.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "{count} configuration {}:", if count == 1 { "mistake" } else { "mistakes" })?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
