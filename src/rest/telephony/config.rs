//! `[telephony]`.

use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use toml::Table;

use crate::realtime::{
    RELAY,
    protocol::{
        Query,
        settings::{self, Defaults},
    },
};

/// What calls are like, and the secrets by which phone networks prove themselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The session object that calls begin with, as in `session.update`.
    pub session: Table,
    /// What the assistant does first, as instructions of its first reply; empty = it waits for the caller.
    pub greeting: String,
    /// Twilio's auth token; empty = `TWILIO_AUTH_TOKEN` in the environment.
    #[serde(serialize_with = "providers::secret::hide")]
    pub twilio_auth_token: Secret,
    /// Telnyx' public key; empty = `TELNYX_PUBLIC_KEY` in the environment.
    pub telnyx_public_key: String,
    /// Vonage's signature secret; empty = `VONAGE_SIGNATURE_SECRET` in the environment.
    #[serde(serialize_with = "providers::secret::hide")]
    pub vonage_signature_secret: Secret,
    /// The URL the relay is reached by: `server.public_url`.
    #[serde(skip)]
    pub public_url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            session: Table::new(),
            greeting: String::new(),
            twilio_auth_token: String::new().into(),
            telnyx_public_key: String::new(),
            vonage_signature_secret: String::new().into(),
            public_url: String::new(),
        }
    }
}

/// The variables of the environment that hold these secrets, as the vendors' own tools name them.
pub const VARIABLES: [&str; 3] = ["TWILIO_AUTH_TOKEN", "TELNYX_PUBLIC_KEY", "VONAGE_SIGNATURE_SECRET"];

/// Longest greeting, in bytes: what fits into one parameter of a stream.
const LONGEST_GREETING: usize = 500;

impl Config {
    /// Takes from the environment what is not set.
    pub(crate) fn fill(&mut self, variable: impl Fn(&str) -> Option<String>) {
        let value = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let [twilio, telnyx, vonage] = VARIABLES.map(value);
        if let Some(token) = twilio.filter(|_| self.twilio_auth_token.expose_secret().is_empty()) {
            self.twilio_auth_token = token.into();
        }
        if let Some(key) = telnyx.filter(|_| self.telnyx_public_key.is_empty()) {
            self.telnyx_public_key = key;
        }
        if let Some(secret) = vonage.filter(|_| self.vonage_signature_secret.expose_secret().is_empty()) {
            self.vonage_signature_secret = secret.into();
        }
    }

    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let query = Query::Conversation { model: Some(RELAY.to_owned()) };
        let session = RawValue::from_string(self.session_json());
        let merged = session.map(|session| settings::initial(&query, Some(&session), &Defaults::default()));
        match merged {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let field = error.param.map_or_else(String::new, |param| format!("{param}: "));
                wrong.push(("session", format!("{field}{}", error.message)));
            }
            Err(_) => wrong.push(("session", "must be a session object as in session.update".to_owned())),
        }
        if self.greeting.len() > LONGEST_GREETING {
            wrong.push(("greeting", format!("must have at most {LONGEST_GREETING} bytes")));
        }
        if !self.telnyx_public_key.is_empty() && super::telnyx::key(&self.telnyx_public_key).is_none() {
            wrong.push(("telnyx_public_key", "must be 32 bytes in base64, as Telnyx' portal shows it".to_owned()));
        }
        wrong
    }

    /// The session object as JSON.
    pub(super) fn session_json(&self) -> String {
        serde_json::to_string(&self.session).unwrap_or_else(|_| "{}".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_session_is_checked_as_the_protocol_checks_it() {
        let good = "session = { instructions = 'Be brief.', audio = { output = { voice = 'marin', speed = 1.1 } } }";
        assert_eq!(config(good).validate(), []);
        let wrong = config("session = { audio = { output = { speed = 9.0 } } }").validate();
        assert!(wrong[0].1.starts_with("session.audio.output.speed: "), "{wrong:?}");
        assert_eq!(config("telnyx_public_key = 'abc'").validate()[0].0, "telnyx_public_key");
    }

    #[test]
    fn the_environment_fills_what_is_not_set() {
        let mut config = config("twilio_auth_token = 'mine'");
        config.fill(|name| Some(format!(" {name}\n")));
        assert_eq!(config.twilio_auth_token.expose_secret(), "mine");
        assert_eq!(config.vonage_signature_secret.expose_secret(), "VONAGE_SIGNATURE_SECRET");
        assert!(!format!("{config:?}").contains("mine"));
    }
}
