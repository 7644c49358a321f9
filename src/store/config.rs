//! Where the database is.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// `[database]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `postgres://user:password@host:port/database`; empty = SQLite in the data dir. `VOICE_RELAY_DATABASE_URL` sets it too.
    #[serde(serialize_with = "providers::secret::hide")]
    pub url: SecretString,
    /// Most connections to PostgreSQL.
    pub connections: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: String::new().into(), connections: 8 }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let url = self.url.expose_secret();
        if !url.is_empty() && !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            wrong.push(("url", "must be of the form postgres://user:password@host:port/database".into()));
        }
        if !(1..=1_000).contains(&self.connections) {
            wrong.push(("connections", "must be between 1 and 1000".into()));
        }
        wrong
    }
}
