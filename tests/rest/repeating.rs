//! `Idempotency-Key`: what is sent again is answered as before and done once.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use voice_relay::store::idempotency;

use crate::{
    minds::{Mind, thinks},
    server::{Answer, Server},
};

fn request(server: &Server, path: &str, key: &str, body: &Value) -> RequestBuilder {
    server.request(Method::POST, path).header("idempotency-key", key).json(body)
}

async fn send(server: &Server, path: &str, key: &str, body: Value) -> Answer {
    Answer::of(request(server, path, key, &body)).await
}

async fn sessions(server: &Server) -> usize {
    server.get("/api/sessions?limit=100").await.body["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_again_is_answered_as_before_and_done_once() {
    let server = Server::start().await;
    let first = send(&server, "/api/sessions", "k-1", json!({"title": "Lunch"})).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::CREATED, ""));
    let again = send(&server, "/api/sessions", "k-1", json!({"title": "Lunch"})).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((again.header("idempotent-replayed"), again.header("content-type")), ("true", "application/json"));
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(sessions(&server).await, 1);
    for (path, body) in [("/api/sessions", json!({"title": "Supper"})), ("/api/folders", json!({"title": "Lunch"}))] {
        let other = send(&server, path, "k-1", body).await;
        assert_eq!(other.problem(422), ("idempotency_key_reused".into(), "idempotency-key".into()));
    }
    assert_eq!(send(&server, "/api/sessions", "k-2", json!({"title": "Lunch"})).await.status, StatusCode::CREATED);
    assert_eq!(sessions(&server).await, 2);

    let (_, stranger) = server.stranger().await;
    let theirs = server.bare(Method::POST, "/api/sessions").bearer_auth(&stranger).header("idempotency-key", "k-1");
    let theirs = Answer::of(theirs.json(&json!({"title": "Lunch"}))).await;
    assert_eq!((theirs.status, theirs.header("idempotent-replayed")), (StatusCode::CREATED, ""));
    assert_ne!(theirs.body["id"], first.body["id"], "keys are a user's own");
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let server = Server::start().await;
    let body = json!({"title": "Once"});
    let sent = (0..20).map(|_| send(&server, "/api/sessions", "race", body.clone()));
    let answers = futures_util::future::join_all(sent).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).collect();
    assert!(!made.is_empty() && made.iter().all(|answer| answer.body == made[0].body));
    assert_eq!(made.iter().filter(|answer| answer.header("idempotent-replayed").is_empty()).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert_eq!((refused.problem(409).0.as_str(), refused.header("retry-after")), ("idempotency_in_progress", "1"));
    }
    assert_eq!(sessions(&server).await, 1);
    assert_eq!(send(&server, "/api/sessions", "race", body).await.body, made[0].body);
}

#[tokio::test]
async fn whoever_was_cut_off_finds_the_answer() {
    let mind = Mind::saying(&["One ", "two."]);
    let heard = mind.clone();
    let server = Server::with(|context| thinks(context, "acme/mind", mind)).await;
    let session = server.post("/api/sessions", json!({})).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/api/sessions/{session}");
    server.post(&format!("{path}/messages"), json!({"role": "user", "content": "Count"})).await;
    let replies = format!("{path}/replies");
    let waiting = tokio::spawn(request(&server, &replies, "r", &json!({})).send());
    while heard.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    let meanwhile = send(&server, &replies, "r", json!({})).await;
    assert_eq!(meanwhile.problem(409).0, "idempotency_in_progress");
    waiting.abort();
    heard.allow(2);
    let found = async {
        loop {
            let answer = send(&server, &replies, "r", json!({})).await;
            if answer.status == StatusCode::CREATED {
                return answer;
            }
            assert_eq!(answer.problem(409).0, "idempotency_in_progress");
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(20), found).await.expect("it is kept");
    assert_eq!((found.header("idempotent-replayed"), &found.body["content"]), ("true", &json!("One two.")));
    let kept = server.get(&format!("{path}/messages")).await.body["items"].clone();
    assert_eq!((kept.as_array().unwrap().len(), &kept[1]), (2, &found.body));
    assert_eq!(heard.asked().len(), 1);
}

#[tokio::test]
async fn an_error_is_not_kept_for_nothing_was_done() {
    let server = Server::start().await;
    send(&server, "/api/sessions", "k", json!({"title": ""})).await.problem(422);
    send(&server, "/api/sessions", "k", json!({"title": "", "mood": 1})).await.problem(422);
    let made = send(&server, "/api/sessions", "k", json!({"title": "Lunch"})).await;
    assert_eq!((made.status, made.header("idempotent-replayed")), (StatusCode::CREATED, ""));
    assert_eq!(send(&server, "/api/sessions", "k", json!({"title": "Lunch"})).await.body, made.body);
}

#[tokio::test]
async fn what_shows_a_secret_once_shows_it_once() {
    let server = Server::start().await;
    let session = server.session().await;
    let share = format!("/api/sessions/{session}/share");
    for (path, body, field) in [
        ("/api/keys", json!({"name": "phone"}), "key"),
        (share.as_str(), json!({}), "share_token"),
        ("/voice/realtime-session", json!({}), "client_secret"),
        ("/api/voice/realtime-session", json!({}), "client_secret"),
    ] {
        let first = send(&server, path, path, body.clone()).await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
        assert!(!first.body[field].is_null(), "{}", first.body);
        let again = send(&server, path, path, body).await;
        assert_eq!(again.problem(409).0, "idempotency_already_done", "{path}");
    }
    assert_eq!(server.get("/api/keys").await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn answers_are_given_again_for_a_day_and_then_forgotten() {
    let server = Server::start().await;
    let send = || send(&server, "/api/sessions", "k", json!({}));
    let first = send().await.body;
    server.clock.advance(Duration::from_secs(24 * 3_600 - 1));
    assert_eq!(send().await.body, first);
    server.clock.advance(Duration::from_secs(1));
    let fresh = send().await.body;
    assert_ne!(fresh, first);
    assert_eq!(send().await.body, fresh, "which is kept for another day");
    let now = || jiff::Timestamp::try_from(server.clock.wall()).unwrap();
    assert_eq!(idempotency::sweep(&server.context.db, now()).await.unwrap(), 0);
    server.clock.advance(Duration::from_secs(24 * 3_600));
    assert_eq!(idempotency::sweep(&server.context.db, now()).await.unwrap(), 1);
}

#[tokio::test]
async fn keys_that_are_none_are_refused_and_where_there_is_nothing_to_repeat_they_have_no_effect() {
    let server = Server::start().await;
    for key in ["", "with space", "ümlaut", &"k".repeat(256)] {
        let refused = send(&server, "/api/sessions", key, json!({})).await;
        assert_eq!(refused.problem(422), ("invalid_idempotency_key".into(), "idempotency-key".into()), "{key}");
    }
    let twice = request(&server, "/api/sessions", "a", &json!({})).header("idempotency-key", "b");
    assert_eq!(Answer::of(twice).await.problem(422).0, "invalid_idempotency_key");
    assert_eq!(send(&server, "/api/sessions", &"k".repeat(255), json!({})).await.status, StatusCode::CREATED);
    let form = reqwest::multipart::Form::new().text("file", "x");
    let upload = server.request(Method::POST, "/api/messages/0190b0a0-0000-7000-8000-000000000000/attachments");
    let upload = Answer::of(upload.header("idempotency-key", "u").multipart(form)).await;
    assert_eq!(upload.problem(422).0, "idempotency_unsupported");
    let list = server.request(Method::GET, "/api/sessions").header("idempotency-key", "not a key");
    assert_eq!(Answer::of(list).await.status, StatusCode::OK);
    // Without a user there is nobody to keep it for.
    let login = server.bare(Method::POST, "/api/auth/login").header("idempotency-key", "l");
    Answer::of(login.json(&json!({"email": "nobody@example.org", "password": "wrong horse"}))).await.problem(401);

    let body = json!({"text": "Hello.", "format": "pcm"});
    for _ in 0..2 {
        let spoken = request(&server, "/voice/synthesize", "s", &body).send().await.unwrap();
        assert_eq!(spoken.status(), StatusCode::OK);
        assert!(spoken.headers().get("idempotent-replayed").is_none(), "a stream is made again");
        assert!(!spoken.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_panic_is_told_and_may_be_tried_again() {
    let server = Server::with(|context| {
        context.providers.tts = std::sync::Arc::new(Panicking);
    })
    .await;
    for _ in 0..2 {
        let answer = send(&server, "/voice/synthesize", "p", json!({"text": "Hello."})).await;
        assert_eq!(answer.problem(500).0, "internal_error");
    }
}

/// A voice with a fault of its own.
struct Panicking;

impl providers::TextToSpeech for Panicking {
    fn capabilities(&self) -> providers::tts::TtsCapabilities {
        providers::tts::TtsCapabilities::default()
    }

    fn speak(
        &self,
        _: providers::tts::Voice,
        _: futures_util::stream::BoxStream<'static, providers::tts::Clause>,
    ) -> futures_util::future::BoxFuture<'_, Result<providers::tts::SpeechStream, providers::ProviderError>> {
        panic!("a fault inside")
    }
}
