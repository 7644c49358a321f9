//! Google's adapters against a server that behaves as Google documents, misbehaves, or goes silent.

mod listen;
mod speak;

use std::{future::Future, sync::Arc, time::Duration};

use providers::{ErrorKind, google::Config};
use tokio::{net::TcpListener, time::timeout};

use crate::support::{
    dribble,
    grpc::{Vendor, steps},
};

const TOKEN: &str = "ya29.test-token";

fn config(base_url: &str) -> Arc<Config> {
    Arc::new(Config {
        speech_url: base_url.to_owned(),
        tts_url: base_url.to_owned(),
        access_token: Some(TOKEN.into()),
        project: Some("relay-1".into()),
        ..Config::default()
    })
}

/// What every provider promises who is dropped: the vendor sees it leave.
async fn leaves_at_once(vendor: &mut Vendor) {
    assert!(timeout(Duration::from_millis(50), vendor.ended.recv()).await.is_ok(), "still there after 50 ms");
}

/// Fails rather than hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap()
}

/// The steps of a cassette up to one of them, and another then.
fn cut(cassette: &str, after: usize, then: &str) -> String {
    let mut steps = steps(cassette);
    steps.truncate(after);
    steps.push(then.to_owned());
    steps.join("\n")
}

/// A way to the same server on which every byte travels alone.
async fn dribbling(base_url: &str) -> String {
    format!("http://{}", dribble::dribbling(base_url, b"").await)
}

/// Somebody who takes connections and says nothing.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    base_url
}

/// How a call ends, before anything was said or after, and what that means.
fn endings() -> Vec<(&'static str, ErrorKind, &'static str)> {
    vec![
        ("< status 3 no such model", ErrorKind::Rejected, "INVALID_ARGUMENT: no such model"),
        ("< status 4 too slow", ErrorKind::Timeout, "DEADLINE_EXCEEDED"),
        ("< status 5 no such recognizer", ErrorKind::Rejected, "NOT_FOUND"),
        ("< status 7 denied to ya29.test-token", ErrorKind::Unauthorized, "PERMISSION_DENIED: denied to […]"),
        ("< status 8 quota", ErrorKind::RateLimited, "RESOURCE_EXHAUSTED"),
        ("< retry 7", ErrorKind::RateLimited, "RESOURCE_EXHAUSTED: slow down"),
        ("< status 10 aborted", ErrorKind::Unavailable, "ABORTED"),
        ("< status 11 out of range", ErrorKind::Rejected, "OUT_OF_RANGE"),
        ("< status 12 unknown method", ErrorKind::Rejected, "UNIMPLEMENTED"),
        ("< status 13 oops", ErrorKind::Unavailable, "INTERNAL: oops"),
        ("< status 14 caf%C3%A9 closed", ErrorKind::Unavailable, "UNAVAILABLE: café closed"),
        ("< status 16 expired", ErrorKind::Unauthorized, "UNAUTHENTICATED"),
        ("< status 77", ErrorKind::Protocol, "status 77"),
        ("< eof", ErrorKind::Unavailable, "without a status"),
        ("= reset", ErrorKind::Unavailable, ""),
        ("= cut", ErrorKind::Unavailable, ""),
        ("< raw 0000000002ffff\n= hang", ErrorKind::Protocol, "broken message"),
        ("< raw 0100000000\n= hang", ErrorKind::Protocol, "compressed"),
        ("< raw 00ffffffff\n= hang", ErrorKind::Protocol, "too large"),
    ]
}

/// Answers that are no gRPC.
fn foreign() -> Vec<(&'static str, ErrorKind)> {
    vec![
        ("< http 400", ErrorKind::Rejected),
        ("< http 401", ErrorKind::Unauthorized),
        ("< http 403", ErrorKind::Unauthorized),
        ("< http 404", ErrorKind::Rejected),
        ("< http 408", ErrorKind::Timeout),
        ("< http 429", ErrorKind::RateLimited),
        ("< http 500", ErrorKind::Unavailable),
        ("< http 503", ErrorKind::Unavailable),
        ("< http 200", ErrorKind::Protocol),
    ]
}
