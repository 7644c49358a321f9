//! Credentials for a TURN server that shares a secret with the relay.
//!
//! Source: "A REST API for Access to TURN Services", draft-uberti-behave-turn-rest-00, as coturn's `use-auth-secret` reads
//! it: the user name is the time of expiry and a name, the password the base64 of its HMAC-SHA1 under the secret.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::config::Turn;

/// What a browser's `RTCPeerConnection` takes as one of its `iceServers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IceServer {
    /// Where it listens.
    pub urls: Vec<String>,
    /// Who asks, and until when.
    pub username: String,
    /// Good until then, for this server alone.
    pub credential: String,
}

impl Turn {
    /// Credentials for `name`, if there is a server to use them at.
    pub fn credentials(&self, name: &str, now: SystemTime) -> Option<IceServer> {
        if self.urls.is_empty() {
            return None;
        }
        let expiry = now + Duration::from_secs(self.credential_secs);
        let expiry = expiry.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let username = format!("{expiry}:{name}");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.secret.expose_secret().as_bytes());
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Some(IceServer { urls: self.urls.clone(), username, credential })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_those_a_turn_server_computes() {
        let turn =
            Turn { urls: vec!["turn:turn.example.org:3478".into()], secret: "north".into(), credential_secs: 86_400 };
        let server = turn.credentials("ann", UNIX_EPOCH + Duration::from_secs(1_433_895_918)).unwrap();
        assert_eq!(server.username, "1433982318:ann");
        // printf '1433982318:ann' | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(server.credential, "rmFIzIVFPZsm1XICglSAiDnFlB0=");
        assert!(Turn::default().credentials("ann", UNIX_EPOCH).is_none());
    }
}
