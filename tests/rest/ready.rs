//! `/ready` tells what is missing, and nothing more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use reqwest::StatusCode;
use serde_json::json;
use voice_relay::rest::{Look, Part, Ready};

use crate::server::Server;

fn always(works: bool) -> Look {
    Box::new(move || std::future::ready(works).boxed())
}

#[tokio::test]
async fn a_role_is_ready_while_one_of_its_engines_works() {
    let parts = vec![
        Part { name: "llm", any: vec![("openai/chat".into(), always(false)), ("local/agent".into(), always(true))] },
        Part { name: "storage", any: vec![("data dir".into(), always(true))] },
    ];
    let server = Server::with(|context| context.ready = Ready::new(parts)).await;
    let ready = server.get("/ready").await;
    assert_eq!(ready.status, StatusCode::OK);
    let expected = json!({
        "status": "ready",
        "checks": {"accepting": "ok", "database": "ok", "llm": "ok", "storage": "ok"},
        "parts": {"llm": {"local/agent": "ok", "openai/chat": "failed"}, "storage": {"data dir": "ok"}},
        "missing": [],
    });
    assert_eq!(ready.body, expected);
}

#[tokio::test]
async fn what_is_missing_is_named_and_what_never_answers_is_missing() {
    let never: Look = Box::new(|| std::future::pending().boxed());
    let parts = vec![
        Part { name: "storage", any: vec![("data dir".into(), always(false))] },
        Part { name: "tts", any: vec![("local/hibari".into(), never)] },
    ];
    let server = Server::with(|context| context.ready = Ready::new(parts)).await;
    server.context.db.close().await;
    let ready = server.get("/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.body["missing"], json!(["database", "storage", "tts"]));
}

#[tokio::test]
async fn a_flood_of_questions_is_one_look_and_a_late_one_looks_again() {
    let (looks, works) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
    let (counted, answer) = (Arc::clone(&looks), Arc::clone(&works));
    let look: Look = Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(answer.load(Ordering::Relaxed)).boxed()
    });
    let parts = vec![Part { name: "stt", any: vec![("local/whisper-base".into(), look)] }];
    let server = Server::with(|context| context.ready = Ready::new(parts)).await;
    futures_util::future::join_all((0..20).map(|_| server.get("/ready"))).await;
    assert_eq!(looks.load(Ordering::Relaxed), 1);
    works.store(false, Ordering::Relaxed);
    assert_eq!(server.get("/ready").await.status, StatusCode::OK, "as found a moment ago");
    server.clock.advance(Duration::from_secs(5));
    assert_eq!(server.get("/ready").await.body["missing"], json!(["stt"]));
}
