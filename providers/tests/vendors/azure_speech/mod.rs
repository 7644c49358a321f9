//! Azure's Speech adapters against a server that behaves as Microsoft's SDKs expect, misbehaves, or goes silent.

mod listen;
mod speak;

use std::{future::Future, sync::Arc, time::Duration};

use providers::{ErrorKind, azure::speech::Config};
use tokio::time::timeout;

use crate::support::{
    Server, answer, loris,
    usp::{Service, steps},
};

const KEY: &str = "0123azurekey";

fn config(base_url: &str) -> Config {
    let base_url = Some(base_url.trim_end_matches("/v1").to_owned());
    Config { stt_base_url: base_url.clone(), tts_base_url: base_url, key: Some(KEY.into()), ..Config::default() }
}

fn shared(base_url: &str) -> Arc<Config> {
    Arc::new(config(base_url))
}

/// What every provider promises who is dropped: the vendor sees it leave.
async fn leaves_at_once(service: &mut Service) -> Result<(), String> {
    timeout(Duration::from_millis(50), service.end()).await.expect("still there after 50 ms")
}

/// Fails rather than hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.unwrap()
}

/// The steps of a script up to one of them, where the connection is cut.
fn cut(script: &str, after: usize) -> String {
    steps(script).into_iter().take(after).chain(["= reset".to_owned()]).collect::<Vec<_>>().join("\n")
}

/// Answers to a handshake, and what they mean.
const REFUSALS: [(&str, &str, &str, ErrorKind); 11] = [
    ("400 Bad Request", "", r#"{"error":{"code":"400","message":"bad language"}}"#, ErrorKind::Rejected),
    (
        "401 Unauthorized",
        "",
        r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key 0123azurekey."}}"#,
        ErrorKind::Unauthorized,
    ),
    ("403 Forbidden", "", "", ErrorKind::Unauthorized),
    ("403 Forbidden", "", r#"{"error":{"code":"403","message":"Out of call volume quota."}}"#, ErrorKind::RateLimited),
    ("404 Not Found", "", "", ErrorKind::Rejected),
    ("408 Request Timeout", "", "", ErrorKind::Timeout),
    ("429 Too Many Requests", "retry-after: 7\r\n", "", ErrorKind::RateLimited),
    ("500 Internal Server Error", "", "<html>", ErrorKind::Unavailable),
    ("503 Service Unavailable", "", "", ErrorKind::Unavailable),
    ("504 Gateway Timeout", "", "", ErrorKind::Timeout),
    // Redirects are not followed: they could carry the key elsewhere.
    ("307 Temporary Redirect", "location: wss://elsewhere.example/\r\n", "", ErrorKind::Rejected),
];

async fn refusing(status: &str, headers: &str, body: &str) -> Server {
    Server::start(vec![answer(status, headers, body)]).await
}
