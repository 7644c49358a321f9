//! Where the relay listens, what it shows as a certificate, where it keeps its data.

use std::{net::SocketAddr, path::PathBuf};

use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::config::Source;

/// `[server]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port.
    pub listen: String,
    /// The URL clients reach the relay by, if it stands behind a proxy; empty = made from `listen`.
    pub public_url: String,
    /// Database, keys, models; empty = `voice-relay` in the XDG data dir.
    pub data_dir: PathBuf,
    /// The admin key; empty = one is made at first start and shown once. `VOICE_RELAY_ADMIN_KEY` sets it too.
    #[serde(serialize_with = "providers::secret::hide")]
    pub admin_key: Secret,
    /// PEM file of the certificate chain; empty = no TLS.
    pub tls_certificate: PathBuf,
    /// PEM file of the certificate's key.
    pub tls_key: PathBuf,
    /// Make and use a self-signed certificate for loopback names.
    pub tls_self_signed: bool,
    /// How long running sessions may go on after SIGTERM, in seconds.
    pub drain_seconds: u64,
    /// Origins whose pages may call the relay (CORS).
    pub allowed_origins: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            public_url: String::new(),
            data_dir: PathBuf::new(),
            admin_key: String::new().into(),
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            tls_self_signed: false,
            drain_seconds: 20,
            allowed_origins: Vec::new(),
        }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.listen.parse::<SocketAddr>().is_err() {
            wrong.push(("listen", "must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080".into()));
        }
        let key = self.admin_key.expose_secret();
        if !key.is_empty() && (key.len() < 16 || key.contains(|c: char| c.is_whitespace() || c.is_control())) {
            wrong.push(("admin_key", "must have at least 16 characters and no white space".into()));
        }
        if self.tls_certificate.as_os_str().is_empty() != self.tls_key.as_os_str().is_empty() {
            wrong.push(("tls_key", "must be given together with tls_certificate".into()));
        }
        if self.tls_self_signed && !self.tls_certificate.as_os_str().is_empty() {
            wrong.push(("tls_self_signed", "must be false where tls_certificate is given".into()));
        }
        if self.drain_seconds > 3600 {
            wrong.push(("drain_seconds", "must be between 0 and 3600".into()));
        }
        for origin in &self.allowed_origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains(['/', ' ', '*'])) {
                wrong.push(("allowed_origins", format!("`{origin}` is no origin; write https://example.org")));
            }
        }
        wrong
    }

    /// Fills in what an empty value means on this machine.
    pub(crate) fn resolve(&mut self, source: &dyn Source) {
        if !self.data_dir.as_os_str().is_empty() {
            return;
        }
        let home = || PathBuf::from(source.get("HOME").unwrap_or_else(|| ".".into())).join(".local/share");
        let base = source.get("XDG_DATA_HOME").filter(|dir| dir.starts_with('/')).map_or_else(home, PathBuf::from);
        self.data_dir = base.join("voice-relay");
    }
}
