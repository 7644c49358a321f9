//! Deepgram's adapters against a server that behaves as Deepgram documents, misbehaves, or goes silent.

mod listen;
mod speak;

use std::{future::Future, sync::Arc, time::Duration};

use providers::{ErrorKind, deepgram::Config};
use tokio::time::timeout;

use crate::support::{Server, answer, at_once, cassette::Vendor, dribble, loris};

const KEY: &str = "dg-test-key";

fn config(base_url: &str) -> Arc<Config> {
    let base_url = base_url.trim_end_matches("/v1").to_owned();
    Arc::new(Config { base_url, key: Some(KEY.into()), ..Config::default() })
}

/// What every provider promises who is dropped: the vendor sees it leave.
async fn leaves_at_once(vendor: &mut Vendor) {
    at_once(vendor.ended.recv()).await;
}

/// Fails rather than hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.unwrap()
}

/// The steps of a cassette up to one of them, where the connection is cut.
fn cut(cassette: &str, after: usize) -> String {
    let steps = cassette.lines().filter(|line| !line.starts_with('#')).take(after);
    steps.chain(["= reset"]).collect::<Vec<_>>().join("\n")
}

fn steps(cassette: &str) -> usize {
    cassette.lines().filter(|line| !line.starts_with('#')).count()
}

/// A way to the same server on which every byte of every message travels alone.
async fn dribbling(base_url: &str) -> String {
    format!("ws://{}", dribble::dribbling(base_url, b"\r\n\r\n").await)
}

/// Answers to a handshake, and what they mean.
fn refusals() -> Vec<(&'static str, &'static str, ErrorKind)> {
    vec![
        ("400 Bad Request", "dg-error: Bad Request: unsupported\r\n", ErrorKind::Rejected),
        ("401 Unauthorized", "dg-error: Invalid credentials dg-test-key.\r\n", ErrorKind::Unauthorized),
        ("403 Forbidden", "", ErrorKind::Unauthorized),
        ("402 Payment Required", "", ErrorKind::RateLimited),
        ("404 Not Found", "", ErrorKind::Rejected),
        ("408 Request Timeout", "", ErrorKind::Timeout),
        ("429 Too Many Requests", "retry-after: 7\r\n", ErrorKind::RateLimited),
        ("500 Internal Server Error", "", ErrorKind::Unavailable),
        ("503 Service Unavailable", "", ErrorKind::Unavailable),
        ("504 Gateway Timeout", "", ErrorKind::Timeout),
        ("200 OK", "", ErrorKind::Rejected),
    ]
}

async fn refusing(status: &str, headers: &str) -> Server {
    let body = r#"{"err_code":"E","err_msg":"the reason","request_id":"r"}"#;
    Server::start(vec![answer(status, headers, body)]).await
}
