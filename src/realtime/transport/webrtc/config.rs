//! `[webrtc]`: where calls arrive and what clients are told of it.

use std::net::{IpAddr, SocketAddr};

use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

/// `[webrtc]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether calls are taken at all.
    pub enabled: bool,
    /// Address and port of the one UDP socket of all calls; empty = those of `[server] listen`.
    pub listen: String,
    /// Address and port for calls over TCP (RFC 6544), where UDP is blocked; empty = none.
    pub tcp_listen: String,
    /// Addresses clients reach this machine by, where they differ from its own (NAT); empty = all of its own.
    pub advertise: Vec<String>,
    /// The TURN server clients may use, if there is one.
    pub turn: Turn,
}

/// `[webrtc.turn]`: a TURN server that shares a secret with the relay, as coturn does with `use-auth-secret`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Turn {
    /// Its URLs (RFC 7065): `turn:turn.example.org:3478?transport=udp`; empty = no TURN server.
    pub urls: Vec<String>,
    /// The secret it shares with the relay.
    #[serde(serialize_with = "providers::secret::hide")]
    pub secret: Secret,
    /// How long credentials are good for, in seconds.
    pub credential_secs: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: String::new(),
            tcp_listen: String::new(),
            advertise: Vec::new(),
            turn: Turn::default(),
        }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self { urls: Vec::new(), secret: String::new().into(), credential_secs: 3600 }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        for (key, value) in [("listen", &self.listen), ("tcp_listen", &self.tcp_listen)] {
            if !value.is_empty() && value.parse::<SocketAddr>().is_err() {
                wrong.push((key, "must be an address and a port, such as 0.0.0.0:8080 or [::]:8080".into()));
            }
        }
        for address in &self.advertise {
            if address.parse::<IpAddr>().map_or(true, |address| address.is_unspecified()) {
                wrong.push(("advertise", format!("`{address}` is no address clients can send to")));
            }
        }
        for url in &self.turn.urls {
            if !url.starts_with("turn:") && !url.starts_with("turns:") {
                wrong.push(("turn.urls", format!("`{url}` is no TURN URL; write turn:host:port")));
            }
        }
        if self.turn.urls.is_empty() != self.turn.secret.expose_secret().is_empty() {
            wrong.push(("turn.secret", "must be given together with turn.urls".into()));
        }
        if !(60..=86_400).contains(&self.turn.credential_secs) {
            wrong.push(("turn.credential_secs", "must be between 60 and 86400".into()));
        }
        wrong
    }

    /// The addresses to advertise. Those that are none were told at start.
    pub(super) fn advertised(&self) -> impl Iterator<Item = IpAddr> {
        self.advertise.iter().filter_map(|address| address.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense_and_every_value_that_does_not_is_named() {
        assert_eq!(Config::default().validate(), []);
        let config = Config {
            listen: "8080".into(),
            tcp_listen: "localhost".into(),
            advertise: vec!["0.0.0.0".into(), "example.org".into(), "2001:db8::1".into()],
            turn: Turn { urls: vec!["stun:a".into()], credential_secs: 1, ..Turn::default() },
            ..Config::default()
        };
        let named: Vec<_> = config.validate().into_iter().map(|(key, _)| key).collect();
        let expected =
            ["listen", "tcp_listen", "advertise", "advertise", "turn.urls", "turn.secret", "turn.credential_secs"];
        assert_eq!(named, expected);
    }
}
