//! OpenAI's speech and embedding adapters against servers that behave as documented, misbehave, or go silent.

mod embed;
mod live;
mod recorded;
mod speak;

use std::{future::Future, sync::Arc, time::Duration};

use audio::Frame;
use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, ProviderError, SpeechToText as _,
    openai::{Config, SpeechToText},
    stt::{FinalTranscript, SttOptions, Transcript},
};
use tokio::time::timeout;

use crate::support::{
    Server, Step, answer,
    heard::{Heard, keeps_its_promises, last, partials},
};

const KEY: &str = "tiger-key";

fn config(base_url: &str) -> Config {
    Config {
        base_url: base_url.to_owned(),
        key: Some(KEY.into()),
        organization: Some("org-1".into()),
        project: Some("proj_1".into()),
        ..Config::default()
    }
}

fn ears(model: &str, config: Config) -> SpeechToText {
    SpeechToText::new(format!("openai/{model}"), model, Arc::new(config))
}

fn options() -> SttOptions {
    SttOptions { language: Some("en-GB".into()), prompt: Some("Quixal".into()), interim: true, ..SttOptions::default() }
}

/// One second, every sample different from its neighbours.
fn utterance() -> Vec<Frame> {
    (0..50).map(|n| Frame(std::array::from_fn(|at| ((n * 320 + at) % 127) as i16))).collect()
}

async fn hear(ears: &SpeechToText) -> Result<Heard, ProviderError> {
    let audio = stream::iter(utterance()).boxed();
    let events: Heard = soon(ears.transcribe(options(), audio).await?.collect()).await;
    keeps_its_promises(&events, KEY);
    Ok(events)
}

/// Fails rather than hangs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap()
}

/// What every provider promises who is dropped: the vendor sees it leave.
const PROMPT: Duration = Duration::from_millis(50);

/// Statuses, and what they mean.
const REFUSALS: [(&str, ErrorKind); 12] = [
    ("302 Found", ErrorKind::Rejected),
    ("400 Bad Request", ErrorKind::Rejected),
    ("401 Unauthorized", ErrorKind::Unauthorized),
    ("403 Forbidden", ErrorKind::Unauthorized),
    ("404 Not Found", ErrorKind::Rejected),
    ("408 Request Timeout", ErrorKind::Timeout),
    ("413 Content Too Large", ErrorKind::Rejected),
    ("429 Too Many Requests", ErrorKind::RateLimited),
    ("500 Internal Server Error", ErrorKind::Unavailable),
    ("502 Bad Gateway", ErrorKind::Unavailable),
    ("503 Service Unavailable", ErrorKind::Unavailable),
    ("504 Gateway Timeout", ErrorKind::Timeout),
];

/// A server that refuses, quoting the key.
async fn refusing(status: &str) -> Server {
    let body = format!(r#"{{"error":{{"message":"Not with {KEY}, friend.","type":"x","code":null}}}}"#);
    let headers = "content-type: application/json\r\nretry-after: 7\r\nlocation: http://127.0.0.1:1/elsewhere\r\n";
    Server::start(vec![answer(status, headers, body)]).await
}

/// What a refusal becomes.
fn is_refusal(error: &ProviderError, status: &str, kind: ErrorKind, provider: &str) {
    assert_eq!((error.kind, &*error.provider), (kind, provider), "{status}: {error}");
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)), "{status}");
    assert!(error.detail.contains(&status[..3]) && error.detail.contains("friend"), "{error}");
    assert!(!format!("{error:?}").contains(KEY), "{error}");
}

fn json(body: &str) -> Vec<Step> {
    answer("200 OK", "content-type: application/json\r\n", body)
}
