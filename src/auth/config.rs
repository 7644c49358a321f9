//! What the operator says about accounts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `[accounts]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who may make accounts.
    pub registration: Registration,
    /// How long an access token is good for, in minutes.
    pub access_token_minutes: u32,
    /// How long a refresh token is good for that is not used, in days.
    pub refresh_token_days: u32,
}

/// Who may make accounts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody who reaches the relay.
    Open,
    /// Admins, for others.
    Closed,
}

impl Default for Config {
    /// Closed: whoever has an account speaks at the operator's expense, with engines that are paid by the minute.
    fn default() -> Self {
        Self { registration: Registration::Closed, access_token_minutes: 15, refresh_token_days: 30 }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if !(1..=1_440).contains(&self.access_token_minutes) {
            wrong.push(("access_token_minutes", "must be between 1 and 1440".into()));
        }
        if !(1..=365).contains(&self.refresh_token_days) {
            wrong.push(("refresh_token_days", "must be between 1 and 365".into()));
        }
        wrong
    }

    /// How long an access token is good for.
    pub const fn access_life(&self) -> Duration {
        Duration::from_secs(self.access_token_minutes as u64 * 60)
    }

    /// How long a refresh token is good for.
    pub const fn refresh_life(&self) -> Duration {
        Duration::from_secs(self.refresh_token_days as u64 * 86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_says_nothing_gets_closed_doors_and_short_tokens() {
        let config = Config::default();
        assert_eq!(config.registration, Registration::Closed);
        assert_eq!(config.access_life(), Duration::from_secs(900));
        assert_eq!(config.refresh_life(), Duration::from_secs(30 * 86_400));
        assert_eq!(config.validate(), []);
    }

    #[test]
    fn lives_without_bounds_are_refused() {
        let keys = |config: Config| config.validate().into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        let nothing = Config { access_token_minutes: 0, refresh_token_days: 0, ..Config::default() };
        assert_eq!(keys(nothing), ["access_token_minutes", "refresh_token_days"]);
        assert_eq!(keys(Config { access_token_minutes: 1441, ..Config::default() }), ["access_token_minutes"]);
    }
}
