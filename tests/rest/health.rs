//! How providers are and what they can do, told to monitors and clients; never a key.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, http::HeaderMap};
use futures_util::FutureExt;
use providers::{
    layers::{Observation, Observer, Role},
    llm::LlmCapabilities,
    probe::Ailment,
    stt::SttCapabilities,
    tts::TtsCapabilities,
};
use reqwest::{Method, StatusCode};
use serde_json::json;
use voice_relay::{
    clock::Clock,
    config::Config,
    engines::{Account, Engines},
    metrics::ProviderMeter,
    rest::Ready,
    roster::{self, Abilities, Ask, Checkup, Library, Named, Roster},
};

use crate::server::{Answer, Server};

const KEY: &str = "planted-key-4711";

fn roster(clock: &Clock) -> Roster {
    let config = roster::Config { interval_seconds: 0 };
    Roster::new(&config, clock.clone(), Arc::new(ProviderMeter::new(clock.clone())))
}

fn asked(account: &str, found: Result<(), Ailment>) -> (Checkup, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let ask: Ask = Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(found).boxed()
    });
    (Checkup::Asked { account: account.to_owned(), ask }, count)
}

fn ear() -> Abilities {
    Abilities::Stt(SttCapabilities { interim_results: true, word_timestamps: true, languages: vec!["en".into()] })
}

fn mouth(voices: &[&str]) -> Abilities {
    let voices = voices.iter().map(|voice| (*voice).to_owned()).collect();
    Abilities::Tts(TtsCapabilities { max_chars: Some(2_000), voices, ..TtsCapabilities::default() })
}

/// A relay whose first ear is ill, whose second is well, and whose mind is OpenAI's.
async fn relay(mind: Result<(), Ailment>) -> (Server, Arc<AtomicUsize>) {
    let (ill, count) = asked("deepgram", Err(Ailment::KeyRefused));
    let server = Server::with(|context| {
        context.roster = roster(&context.engine.clock);
        context.roster.add("deepgram/nova-3", ear(), ill, None);
        context.roster.add("local/whisper-base", ear(), Checkup::Embedded, None);
        let mind = asked("openai", mind).0;
        context.roster.add("openai/chat", Abilities::Llm(LlmCapabilities::default()), mind, None);
        context.roster.add("local/hibari", mouth(&["hibari"]), Checkup::Embedded, None);
    })
    .await;
    (server, count)
}

#[tokio::test]
async fn anybody_learns_how_providers_are_and_whoever_has_a_key_why() {
    let (server, _) = relay(Ok(())).await;
    let open = Answer::of(server.bare(Method::GET, "/health/providers")).await;
    assert_eq!(open.status, StatusCode::OK, "each role has one that works");
    let expected = json!({"status": "degraded", "providers": [
        {"name": "deepgram/nova-3", "kind": "stt", "state": "failing"},
        {"name": "local/whisper-base", "kind": "stt", "state": "healthy"},
        {"name": "openai/chat", "kind": "llm", "state": "healthy"},
        {"name": "local/hibari", "kind": "tts", "state": "healthy"},
    ]});
    assert_eq!(open.body, expected);
    let told = server.get("/health/providers").await.body;
    let ill = json!({
        "name": "deepgram/nova-3", "kind": "stt", "state": "failing",
        "reason": "key refused", "checked_at": "2026-01-01T00:00:00.000Z", "latency_ms": null,
    });
    assert_eq!(told["providers"][0], ill);
    assert_eq!(told["providers"][2]["latency_ms"], 0);
    let wrong = Answer::of(server.bare(Method::GET, "/health/providers").bearer_auth("vr_wrong")).await;
    wrong.problem(401);
}

#[tokio::test]
async fn a_role_without_a_working_engine_answers_503() {
    let (server, _) = relay(Err(Ailment::Timeout)).await;
    let all = server.get("/health/providers").await;
    assert_eq!((all.status, &all.body["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")));
    let openai = server.get("/health/openai").await;
    assert_eq!(openai.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(openai.body["providers"][0]["reason"], "timeout");
    assert_eq!(openai.body["providers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn openai_is_told_apart_from_not_being_used() {
    let (server, _) = relay(Ok(())).await;
    let well = Answer::of(server.bare(Method::GET, "/health/openai")).await;
    assert_eq!((well.status, &well.body["status"]), (StatusCode::OK, &json!("ok")));
    let without = Server::start().await.get("/health/openai").await;
    assert_eq!(without.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(without.body, json!({"status": "not_configured", "providers": []}));
}

#[tokio::test]
async fn a_flood_of_questions_is_one_probe_and_traffic_is_told_at_once() {
    let (server, count) = relay(Ok(())).await;
    futures_util::future::join_all((0..30).map(|_| server.get("/health/providers"))).await;
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let heard = Observation::First { after: Duration::from_millis(120) };
    server.context.roster.observe("deepgram/nova-3", Role::Stt, heard);
    let told = server.get("/health/providers").await.body;
    assert_eq!((&told["status"], &told["providers"][0]["latency_ms"]), (&json!("ok"), &json!(120)));
    assert_eq!(count.load(Ordering::Relaxed), 1);
    server.clock.advance(Duration::from_secs(60));
    server.get("/health/providers").await;
    assert_eq!(count.load(Ordering::Relaxed), 2, "a minute later they are asked again");
}

#[tokio::test]
async fn what_each_engine_can_do_is_listed_under_both_paths() {
    let (server, _) = relay(Ok(())).await;
    let listed = server.get("/voice/providers").await.body;
    let first = json!({
        "name": "deepgram/nova-3", "provider": "deepgram", "kind": "stt", "enabled": true, "default": true,
        "healthy": true, "state": "unknown", "streaming": true, "interim_results": true, "word_timestamps": true,
        "languages": ["en"], "limits": {},
    });
    assert_eq!(listed["items"][0], first);
    assert_eq!(listed["items"][1]["default"], false);
    let mouth = &listed["items"][3];
    assert_eq!((&mouth["limits"]["max_characters"], &mouth["default_voice"]), (&json!(2_000), &json!("hibari")));
    assert_eq!(server.get("/api/voice/providers").await.body, listed);
    Answer::of(server.bare(Method::GET, "/voice/providers")).await.problem(401);
}

#[tokio::test]
async fn voices_come_from_the_account_where_it_has_a_library() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let library = Library::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let mine = Named { id: "x1y2".into(), name: Some("My own".into()), cloned: true };
        std::future::ready(Ok(vec![Named { id: "rachel".into(), name: None, cloned: false }, mine])).boxed()
    });
    let server = Server::with(|context| {
        context.roster = roster(&context.engine.clock);
        context.roster.add("elevenlabs/flash", mouth(&["rachel"]), Checkup::Embedded, Some(library));
        context.roster.add("local/hibari", mouth(&["hibari", "suzume"]), Checkup::Embedded, None);
    })
    .await;
    let listed = server.get("/voice/voices").await.body;
    let told = listed["items"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|voice| (voice["id"].as_str().unwrap(), voice["name"].as_str().unwrap())).collect();
    assert_eq!(told, [("rachel", "rachel"), ("x1y2", "My own"), ("hibari", "hibari"), ("suzume", "suzume")]);
    let usual: Vec<_> = listed["items"].as_array().unwrap().iter().map(|voice| voice["default"] == true).collect();
    assert_eq!(usual, [true, false, false, false]);
    let local = server.get("/api/voice/voices?provider=local").await.body;
    assert_eq!(local["items"].as_array().unwrap().len(), 2);
    let one = server.get("/voice/voices?provider=elevenlabs/flash").await.body;
    assert_eq!(one["items"].as_array().unwrap().len(), 2);
    assert_eq!(fetched.load(Ordering::Relaxed), 1, "what was fetched is kept");
    assert_eq!(server.get("/voice/voices?colour=red").await.problem(422).1, "colour");
}

/// A vendor that refuses the key, and repeats it.
async fn gossip() -> String {
    let answer = async |headers: HeaderMap| {
        let said = headers.values().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(" ");
        (StatusCode::UNAUTHORIZED, format!(r#"{{"error":{{"message":"I do not know {said}"}}}}"#))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    url
}

#[tokio::test]
async fn real_engines_are_asked_with_their_keys_and_no_answer_holds_one() {
    let account = Account { base_url: gossip().await, api_key: KEY.into(), ..Account::default() };
    let mut config = Config {
        deepgram: account.clone(),
        elevenlabs: account.clone(),
        anthropic: account.clone(),
        ..Config::default()
    };
    config.openai.base_url = format!("{}/v1", account.base_url);
    config.openai.api_key = KEY.into();
    config.providers.stt = vec!["deepgram/nova-3".into(), "elevenlabs/scribe_v2_realtime".into()];
    config.providers.llm = vec!["anthropic/claude-sonnet-4-5".into(), "openai/chat".into()];
    config.providers.tts = vec!["elevenlabs/eleven_flash_v2_5".into()];
    config.providers.turn.clear();
    let engines = Engines::load(&config, &Clock::system()).await.unwrap();
    let ready = Ready::new(voice_relay::engines::parts(&config, &engines.roster));
    let server = Server::with(|context| {
        context.roster = engines.roster;
        context.providers = engines.providers;
        context.ready = ready;
    })
    .await;
    let health = server.get("/health/providers").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    let told = health.body["providers"].as_array().unwrap();
    assert_eq!(told.len(), 5);
    assert!(told.iter().all(|provider| provider["reason"] == "key refused"), "{}", health.body);
    let ready = Answer::of(server.bare(Method::GET, "/ready")).await;
    assert_eq!(ready.body["missing"], json!(["llm", "stt", "tts"]));
    assert_eq!(ready.body["parts"]["stt"]["deepgram/nova-3"], "failed");
    let speech = json!({"model": "tts-1", "input": "Hello.", "voice": "alloy"});
    let refused = server.post("/v1/audio/speech", speech).await;
    assert!(refused.status.is_server_error(), "{}", refused.body);
    let mut answers = vec![health, ready, refused];
    for path in ["/health/openai", "/voice/providers", "/voice/voices", "/v1/models", "/metrics", "/health"] {
        answers.push(server.get(path).await);
    }
    for answer in answers {
        let text = format!("{} {:?}", answer.body, answer.headers);
        assert!(!text.contains("planted") && !text.contains("I do not know"), "{text}");
    }
}
