//! Where the relay listens, what it shows as a certificate, where it keeps its data.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
use axum_server::{
    Handle, Server,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use ipnet::IpNet;
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
    /// Addresses or networks of proxies whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<String>,
    /// Requests per second that one caller may make in the long run; 0 = as many as they like.
    pub requests_per_second: u32,
    /// Requests that one caller may make at once.
    pub requests_burst: u32,
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
            trusted_proxies: Vec::new(),
            requests_per_second: 20,
            requests_burst: 600,
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
        if !key.is_empty() && (key.len() < 16 || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            wrong.push(("admin_key", "must have at least 16 characters, all of ASCII and no white space".into()));
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
        for proxy in &self.trusted_proxies {
            if network(proxy).is_none() {
                wrong.push(("trusted_proxies", format!("`{proxy}` is no address or network; write 10.0.0.0/8")));
            }
        }
        if self.requests_burst == 0 {
            wrong.push(("requests_burst", "must be at least 1; requests_per_second = 0 means no limit".into()));
        }
        wrong
    }

    /// The proxies that are believed.
    pub(crate) fn trusted(&self) -> Vec<IpNet> {
        self.trusted_proxies.iter().filter_map(|proxy| network(proxy)).collect()
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

/// A network, or an address as the network that has no other.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| address.into()))
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
    #[error("cannot listen on {address}: {source}; {}", remedy(source.kind()))]
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

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
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
        format!("{}://{}", if self.tls() { "https" } else { "http" }, self.listen)
    }

    /// Whether the relay itself speaks TLS.
    pub fn tls(&self) -> bool {
        self.tls_self_signed || !self.tls_certificate.as_os_str().is_empty()
    }

    async fn certificate(&self) -> Result<Option<RustlsConfig>, ListenError> {
        let (certificate, key) = if self.tls_self_signed {
            self_signed(&self.data_dir)?
        } else if self.tls_certificate.as_os_str().is_empty() {
            return Ok(None);
        } else {
            (self.tls_certificate.clone(), self.tls_key.clone())
        };
        let loaded = RustlsConfig::from_pem_file(&certificate, &key).await.map_err(|error| {
            let reason = format!("{error} (its key: {})", key.display());
            ListenError::Certificate { path: certificate, reason }
        })?;
        let mut spoken = (*loaded.get_inner()).clone();
        spoken.alpn_protocols = vec![b"http/1.1".to_vec()];
        loaded.reload_from_config(Arc::new(spoken));
        Ok(Some(loaded))
    }
}

/// Takes as many open files as the machine gives: a connection is one, and shells give no more than 1024 at first. A failure
/// leaves what there was.
#[cfg(unix)]
pub fn take_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "no more open files can be had than at first");
    }
}

/// Takes as many open files as the machine gives, which is as many as there are.
#[cfg(not(unix))]
pub fn take_open_files() {}

/// What to do about an address that cannot be had.
fn remedy(kind: io::ErrorKind) -> &'static str {
    if kind == io::ErrorKind::AddrInUse {
        "is another relay running? --listen names another port"
    } else if kind == io::ErrorKind::PermissionDenied {
        "ports below 1024 are root's: --listen names another one"
    } else if kind == io::ErrorKind::AddrNotAvailable {
        "this machine has no such address"
    } else {
        "--listen names another address"
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
            let server = axum_server::from_tcp(listener.socket)?.acceptor(NoDelayAcceptor::new());
            impatient(server).handle(handle).serve(routes).await
        }
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).acceptor(NoDelayAcceptor::new());
            let server = axum_server::from_tcp(listener.socket)?.acceptor(acceptor);
            impatient(server).handle(handle).serve(routes).await
        }
    }
}

/// Lets nobody hold a connection with half a request, or by staying after one. HTTP/1.1 alone, which WebSockets need.
/// (`Server::http1_only` would refuse upgrades.) A connection that never says a first byte has no deadline: hyper-util
/// waits for it to tell the version, outside of ours.
fn impatient<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    *server.http_builder() = http;
    server
}

/// What is read ahead of a request, a head's most with it. hyper would take 400 KiB for each connection that uploads.
const BUFFER: usize = 64 << 10;

/// How long a request's head may take to come, and a connection may wait for its next one.
const HEAD: Duration = Duration::from_secs(30);

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

#[cfg(test)]
mod tests {
    use axum::{
        extract::ws::{Message, WebSocketUpgrade},
        routing::get,
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;
    use crate::clock::Clock;

    async fn serving() -> SocketAddr {
        let config = Config { listen: "127.0.0.1:0".into(), ..Config::default() };
        let listener = Listener::bind(&config).await.unwrap();
        let address = listener.socket.local_addr().unwrap();
        let greet = async |upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(async |mut socket| socket.send(Message::Text("hello".into())).await.unwrap())
        };
        let routes = Router::new().route("/", get(async || "here")).route("/live", get(greet));
        tokio::spawn(serve(listener, Handle::new(), routes.into_make_service_with_connect_info::<SocketAddr>()));
        address
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_half_a_request_or_stays_after_one_is_hung_up_on() {
        let address = serving().await;
        for said in ["GET / HTTP/1.1\r\nhost: x\r\nx-slow: ", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let began = Clock::system().now();
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(said.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let _reset_is_an_end_too = socket.read_to_end(&mut answer).await;
            assert!(Clock::system().now() - began <= HEAD * 2, "{said:?}");
            assert_eq!(answer.ends_with(b"here"), said.ends_with("\r\n\r\n"), "{said:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_becomes_a_websocket() {
        let url = format!("ws://{}/live", serving().await);
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let said = futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap();
        assert_eq!(said.into_text().unwrap().as_str(), "hello");
    }
}
