//! Connections, shared by calls: a call needs no handshake of its own once there was one to its host.
//!
//! An HTTP client opens one connection a host, and servers take about a hundred calls on each: what is more would wait
//! until others end. So there is a client for every [`CALLS`] calls at once. Built like those of [`http`].

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Client, Url, redirect::Policy};

use super::super::http;
use crate::{ErrorKind, ProviderError};

/// A connection, counted among its calls until dropped.
pub(super) struct Line {
    pub(super) client: Client,
    pub(super) held: Arc<()>,
}

/// A line to this address with room for one more call.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] when TLS cannot be set up on this machine.
pub(super) async fn line(provider: &str, url: &Url) -> Result<Line, ProviderError> {
    static DIRECT: Mutex<Vec<Line>> = Mutex::new(Vec::new());
    static PROXIED: Mutex<Vec<Line>> = Mutex::new(Vec::new());
    let direct = http::is_loopback(url);
    let lines = if direct { &DIRECT } else { &PROXIED };
    if let Some(line) = free(&lines.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(line);
    }
    let built = tokio::task::spawn_blocking(move || build(direct)).await;
    let failed = |why: String| ProviderError::new(provider.to_owned(), ErrorKind::Unavailable, why);
    let client = built
        .map_err(|_| failed("building the HTTP client was cut off".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    let line = Line { client, held: Arc::default() };
    let first = line.share();
    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    Ok(first)
}

impl Line {
    fn share(&self) -> Self {
        Self { client: self.client.clone(), held: self.held.clone() }
    }
}

fn free(lines: &[Line]) -> Option<Line> {
    // One count is the list's own.
    lines.iter().find(|line| Arc::strong_count(&line.held) <= CALLS).map(Line::share)
}

fn build(direct: bool) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("voice-relay/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(http::CONNECT)
        .tcp_nodelay(true)
        .redirect(Policy::none())
        .http2_prior_knowledge()
        .http2_initial_stream_window_size(UNREAD)
        .http2_initial_connection_window_size(UNREAD * CALLS as u32)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(PATIENCE);
    if direct { builder.no_proxy().build() } else { builder.build() }
}

/// Google's servers take 100.
const CALLS: usize = 80;
/// Bytes of answers that may wait for their reader: some seconds of sound.
const UNREAD: u32 = 256 << 10;
/// A connection that has gone silent during calls is tested after so long, and given up after so long again.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(20);
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_full_at_its_limit_and_free_again_after() {
        let lines = [Line { client: Client::new(), held: Arc::default() }];
        let mut calls: Vec<_> = (0..CALLS).map(|_| free(&lines).unwrap()).collect();
        assert!(free(&lines).is_none());
        calls.pop();
        assert!(free(&lines).is_some());
    }
}
