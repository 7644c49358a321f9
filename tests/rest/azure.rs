//! Azure's clients find what they look for where they look for it.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    live::{dial_at, next},
    server::{Answer, Server},
};

#[tokio::test]
async fn the_path_without_a_date_speaks_as_ours_and_dated_ones_speak_the_beta() {
    let server = Server::start().await;
    let key = server.api_key("realtime").await;
    let headers = [("api-key", key.as_str())];
    let (mut socket, _) = dial_at(&server, "/openai/v1/realtime?model=gpt-realtime", &headers).await.unwrap();
    assert_eq!(next(&mut socket, "session.created").await["session"]["type"], "realtime");
    let path = "/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime";
    let (mut socket, _) = dial_at(&server, path, &headers).await.unwrap();
    let created = next(&mut socket, "session.created").await;
    assert_eq!(
        (&created["session"]["input_audio_format"], &created["session"]["model"]),
        (&json!("pcm16"), &json!("gpt-realtime"))
    );
    next(&mut socket, "conversation.created").await;
    for path in ["/openai/v1/realtime?model=gpt-realtime", path] {
        let (status, body) = dial_at(&server, path, &[("api-key", "wrong")]).await.map(drop).unwrap_err();
        assert_eq!((status, &body["error"]["code"]), (401, &json!("invalid_api_key")));
    }
}

#[tokio::test]
async fn rest_is_there_too() {
    let server = Server::start().await;
    let key = server.api_key("realtime speech").await;
    let asked = |method, path: &str| server.bare(method, path).header("api-key", &key);
    for path in ["/openai/v1/models", "/openai/models?api-version=2024-10-01-preview"] {
        assert_eq!(Answer::of(asked(Method::GET, path)).await.body["object"], "list", "{path}");
    }
    let secret = Answer::of(asked(Method::POST, "/openai/v1/realtime/client_secrets")).await;
    assert!(secret.body["value"].as_str().unwrap().starts_with("ek_"));
    for path in ["/openai/realtimeapi/sessions?api-version=2025-04-01-preview", "/openai/realtime/sessions"] {
        let made = Answer::of(asked(Method::POST, path).json(&json!({"model": "gpt-realtime"}))).await;
        assert!(made.body["client_secret"]["value"].as_str().unwrap().starts_with("ek_"), "{}", made.body);
    }
    let body = json!({"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "pcm"});
    for path in ["/openai/v1/audio/speech", "/openai/deployments/tts-1/audio/speech?api-version=2024-10-21"] {
        let spoken = asked(Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!(spoken.status(), StatusCode::OK, "{path}");
    }
    let wrong = Answer::of(asked(Method::POST, "/openai/v1/audio/speech").json(&json!({"model": 1}))).await;
    wrong.openai(400);
    assert_eq!(Answer::of(asked(Method::GET, "/openai/nothing")).await.openai(404).0, "not_found");
}
