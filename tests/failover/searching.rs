//! The embedding model hangs: a few searches wait for it, the others go by words at once, and it is asked again later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    client::PATIENCE,
    relay::{KEY, Relay, configuration, eventually},
};

const CHAINS: [&[&str]; 3] = [&["scripted/stt"], &["scripted/llm"], &["scripted/tts"]];
const MODEL: &str = "mine/bge";

/// An embedding server of one's own that hangs while it is told to; its URL.
async fn server(hangs: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/embeddings", post(embed)).with_state(hangs);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn embed(State(hangs): State<Arc<AtomicBool>>, Json(asked): Json<Value>) -> Json<Value> {
    if hangs.load(Ordering::Relaxed) {
        return std::future::pending().await;
    }
    let texts = asked["input"].as_array().unwrap().len();
    let vectors: Vec<_> = (0..texts).map(|at| json!({"index": at, "embedding": [1.0, 0.5, at]})).collect();
    Json(json!({"data": vectors, "usage": {"prompt_tokens": texts, "total_tokens": texts}}))
}

async fn post_to(relay: &Relay, path: &str, body: Value) -> Value {
    let request = reqwest::Client::new().post(format!("{}{path}", relay.url)).bearer_auth(KEY).json(&body);
    request.timeout(PATIENCE).send().await.unwrap().json().await.unwrap()
}

/// Whether meaning was searched, and how long the search took. Words find the document in any case.
#[expect(clippy::disallowed_methods, reason = "what a person waits is measured")]
async fn search(relay: &Relay) -> (bool, Duration) {
    let began = Instant::now();
    let found = post_to(relay, "/api/search", json!({"query": "how long to wash hands"})).await;
    assert_eq!(found["passages"][0]["source"]["title"], "Hand hygiene", "{found}");
    (found["semantic"].as_bool().unwrap(), began.elapsed())
}

async fn resting(relay: &Relay) -> f64 {
    relay.metric("voice_relay_provider_resting", &["role=\"embed\"", &format!("provider=\"{MODEL}\"")]).await
}

#[tokio::test]
async fn a_model_that_hangs_holds_up_three_searches_and_no_more() {
    let hangs = Arc::new(AtomicBool::new(false));
    let vendors = format!("[compatible.mine]\nbase_url = \"{}\"\n", server(hangs.clone()).await);
    let relay = Relay::launch(&configuration(CHAINS, &format!("embed = \"{MODEL}\""), &vendors), &[]).await;
    let text = json!({"title": "Hand hygiene", "text": "Wash your hands for as long as it takes to sing."});
    post_to(&relay, "/api/documents", text).await;
    eventually("it is found by its meaning", PATIENCE, async || {
        let ready = &["outcome=\"ready\""];
        relay.metric("voice_relay_documents_total", ready).await == 1.0
    })
    .await;
    assert!(search(&relay).await.0);
    hangs.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let (semantic, took) = search(&relay).await;
        assert!(!semantic && took >= Duration::from_millis(1_900), "{took:?}");
    }
    assert_eq!(resting(&relay).await, 1.0);
    for _ in 0..3 {
        let (semantic, took) = search(&relay).await;
        assert!(!semantic && took < Duration::from_millis(1_000), "{took:?}");
    }
    assert!(relay.log().contains("left alone"), "{}", relay.log());
    assert_eq!(relay.errors_of(MODEL).await, 6.0);
    hangs.store(false, Ordering::Relaxed);
    eventually("it is asked again", PATIENCE, async || search(&relay).await.0).await;
    assert_eq!(resting(&relay).await, 0.0);
    let labels = [&format!("provider=\"{MODEL}\"")[..], "role=\"embed\"", "kind=\"input\""];
    assert_eq!(relay.metric("voice_relay_provider_tokens_total", &labels).await, 3.0);
}
