//! Client secrets: what they show, what they refuse, what they do not open.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    live::{dial, goodbye, next, send},
    server::{Answer, START, Server},
};

/// Makes a secret with this body.
pub(crate) async fn secret(server: &Server, body: Value) -> String {
    let made = server.post("/v1/realtime/client_secrets", body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    made.body["value"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_shows_the_whole_session_and_opens_nothing_but_live_voice() {
    let server = Server::start().await;
    let session = json!({"type": "realtime", "model": "gpt-realtime", "instructions": "Speak like a pirate."});
    let body = json!({"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session});
    let made = server.post("/v1/realtime/client_secrets", body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.body["expires_at"], START + 60);
    let shown = &made.body["session"];
    assert_eq!((&shown["object"], &shown["type"]), (&json!("realtime.session"), &json!("realtime")));
    assert!(shown["id"].as_str().unwrap().starts_with("sess_"));
    assert_eq!(shown["instructions"], "Speak like a pirate.");
    assert_eq!(shown["audio"]["input"]["turn_detection"]["type"], "server_vad");
    let secret = made.body["value"].as_str().unwrap();
    assert!(secret.starts_with("ek_"));

    for (method, path) in [
        (Method::POST, "/v1/realtime/client_secrets"),
        (Method::GET, "/v1/models"),
        (Method::POST, "/v1/audio/speech"),
        (Method::GET, "/api/sessions"),
        (Method::GET, "/voice/sessions"),
        (Method::GET, "/metrics"),
    ] {
        let answer = Answer::of(server.bare(method, path).bearer_auth(secret)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn a_secret_needs_no_body_and_lives_ten_minutes() {
    let server = Server::start().await;
    let issued = Answer::of(server.request(Method::POST, "/v1/realtime/client_secrets")).await;
    assert_eq!(issued.body["expires_at"], START + 600);
    assert_eq!(issued.body["session"]["model"], "voice-relay");
}

#[tokio::test]
async fn a_secret_that_cannot_be_is_refused_by_name() {
    let server = Server::start().await;
    for (body, param) in [
        (json!({"expires_after": {"anchor": "created_at", "seconds": 9}}), "expires_after.seconds"),
        (json!({"expires_after": {"anchor": "created_at", "seconds": 7201}}), "expires_after.seconds"),
        (json!({"expires_after": {"anchor": "created_at", "seconds": -1}}), "expires_after.seconds"),
        (json!({"expires_after": {"anchor": "now", "seconds": 60}}), "expires_after.anchor"),
        (json!({"expires_after": {"minutes": 1}}), "expires_after.minutes"),
        (json!({"colour": "red"}), "colour"),
        (json!({"session": "realtime"}), "session"),
        (json!({"session": {"type": "video"}}), "session.type"),
        (
            json!({"session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}}}),
            "session.audio.input.turn_detection.threshold",
        ),
    ] {
        let answer = server.post("/v1/realtime/client_secrets", body.clone()).await;
        assert_eq!(answer.openai(400).1, param, "{body}");
    }
    let unknown =
        server.post("/v1/realtime/client_secrets", json!({"session": {"type": "realtime", "model": "x"}})).await;
    assert_eq!(unknown.openai(404).0, "model_not_found");
    for seconds in [10, 7200] {
        secret(&server, json!({"expires_after": {"seconds": seconds}})).await;
    }
    let transcription = server.post("/v1/realtime/client_secrets", json!({"session": {"type": "transcription"}})).await;
    assert_eq!(transcription.body["session"]["object"], "realtime.transcription_session");
}

#[tokio::test]
async fn a_secret_is_good_for_one_session_at_a_time_and_the_latest_lives() {
    let server = Server::start().await;
    let (one, other) = (secret(&server, json!({})).await, secret(&server, json!({})).await);
    let connect = async |secret: &str| {
        let mut socket = dial(&server, "", &[("authorization", &format!("Bearer {secret}"))]).await.unwrap().0;
        next(&mut socket, "session.created").await;
        socket
    };
    let (mut first, mut beside) = (connect(&one).await, connect(&other).await);
    let mut second = connect(&one).await;
    assert_eq!(goodbye(&mut first).await, (1000, "The client secret was used again, elsewhere.".to_owned()));
    for socket in [&mut second, &mut beside] {
        send(socket, json!({"type": "input_audio_buffer.clear"})).await;
        next(socket, "input_audio_buffer.cleared").await;
    }
    drop(second);
    connect(&one).await;
}
