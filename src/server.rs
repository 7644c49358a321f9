//! Where the relay listens, what it shows as a certificate, where it keeps its data.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

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

    /// Fills in what an empty value means on this machine; `variable` reads the environment.
    pub(crate) fn resolve(&mut self, variable: impl Fn(&str) -> Option<String>) {
        if !self.data_dir.as_os_str().is_empty() {
            return;
        }
        let home = || PathBuf::from(variable("HOME").unwrap_or_else(|| ".".into())).join(".local/share");
        let base = variable("XDG_DATA_HOME").filter(|dir| dir.starts_with('/')).map_or_else(home, PathBuf::from);
        self.data_dir = base.join("voice-relay");
    }
}

/// A bound address, and the certificate it shows.
pub struct Listener {
    socket: std::net::TcpListener,
    tls: Option<RustlsConfig>,
}

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; is another relay running, or does --listen name a free port?")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error("the certificate {path} cannot be used: {reason}", path = path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Listener {
    /// Binds the configured address and reads, or makes, the certificate.
    pub async fn bind(config: &Config) -> Result<Self, ListenError> {
        let address = config.listen.parse().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let tls = config.certificate().await?;
        let bound = std::net::TcpListener::bind(address).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = bound.map_err(|source| ListenError::Bind { address, source })?;
        Ok(Self { socket, tls })
    }

    /// The URL clients on this machine reach it by.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.socket.local_addr().map_or_else(|_| format!("{scheme}://localhost"), |at| format!("{scheme}://{at}"))
    }
}

impl Config {
    /// The URL clients reach the relay by: as configured, else made of `listen`.
    pub fn url(&self) -> String {
        if !self.public_url.is_empty() {
            return self.public_url.trim_end_matches('/').to_owned();
        }
        let tls = self.tls_self_signed || !self.tls_certificate.as_os_str().is_empty();
        format!("{}://{}", if tls { "https" } else { "http" }, self.listen)
    }

    async fn certificate(&self) -> Result<Option<RustlsConfig>, ListenError> {
        let (certificate, key) = if self.tls_self_signed {
            self_signed(&self.data_dir)?
        } else if self.tls_certificate.as_os_str().is_empty() {
            return Ok(None);
        } else {
            (self.tls_certificate.clone(), self.tls_key.clone())
        };
        let loaded = RustlsConfig::from_pem_file(&certificate, key).await;
        loaded.map(Some).map_err(|error| ListenError::Certificate { path: certificate, reason: error.to_string() })
    }
}

/// Serves `routes` on the listener until `handle` says stop. Nagle's algorithm is off: audio is small and urgent.
pub async fn serve(
    listener: Listener,
    handle: Handle<SocketAddr>,
    routes: IntoMakeServiceWithConnectInfo<Router, SocketAddr>,
) -> io::Result<()> {
    match listener.tls {
        None => {
            let server = axum_server::from_tcp(listener.socket)?;
            server.acceptor(NoDelayAcceptor::new()).handle(handle).serve(routes).await
        }
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
            axum_server::from_tcp(listener.socket)?.acceptor(acceptor).handle(handle).serve(routes).await
        }
    }
}

/// The self-signed certificate for loopback names and its key, made once and kept in the data dir.
fn self_signed(dir: &Path) -> Result<(PathBuf, PathBuf), ListenError> {
    let (certificate, key) = (dir.join("loopback.crt"), dir.join("loopback.key"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    let told = |reason: String| ListenError::Certificate { path: certificate.clone(), reason };
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| told(error.to_string()))?;
    write_private(&key, &made.signing_key.serialize_pem()).map_err(|error| told(error.to_string()))?;
    std::fs::write(&certificate, made.cert.pem()).map_err(|error| told(error.to_string()))?;
    Ok((certificate, key))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}
