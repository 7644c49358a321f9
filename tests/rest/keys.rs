//! API keys: made, listed, used, revoked.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

#[tokio::test]
async fn a_key_is_shown_once_and_never_stored() {
    let server = Server::start().await;
    let made = server.post("/api/keys", json!({"name": " ci ", "scopes": ["speech", "realtime"]})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let key = made.body["key"].as_str().unwrap();
    assert!(key.starts_with("vr_") && key.len() == 46);
    assert_eq!(made.body["name"], "ci");
    assert_eq!(made.body["scopes"], json!(["realtime", "speech"]));
    assert_eq!(made.body["created_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!((&made.body["expires_at"], &made.body["last_used_at"]), (&Value::Null, &Value::Null));

    let list = server.get("/api/keys").await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    assert!(!list.body.to_string().contains(key));
    assert_eq!(list.body["items"][0]["hint"], &key[..7]);
    let entries = std::fs::read_dir(server.dir.path()).unwrap().map(|entry| entry.unwrap().path());
    for file in entries.filter(|path| path.is_file()) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()));
        assert!(!bytes.windows(server.key.len()).any(|window| window == server.key.as_bytes()));
    }
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field_named() {
    let server = Server::start().await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": "a", "scopes": []}), "scopes"),
        (json!({"name": "a", "scopes": ["root"]}), "scopes"),
        (json!({"name": "a", "scopes": "admin"}), "scopes"),
        (json!({"name": "a", "scopes": ["admin", 1]}), "scopes[1]"),
        (json!({"name": "a", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"name": "a", "expires_at": "2025-01-01T00:00:00Z"}), "expires_at"),
        (json!({"name": "a", "expires_at": 1767225600}), "expires_at"),
        (json!({"name": "a", "colour": "red"}), "colour"),
    ] {
        let answer = server.post("/api/keys", body.clone()).await;
        assert_eq!(answer.problem(422).1, field, "{body}");
    }
    assert_eq!(server.get("/api/keys").await.body["items"], json!([]));
    let post = || server.request(Method::POST, "/api/keys");
    let json = |body: &'static str| post().header("content-type", "application/json").body(body);
    for body in ["", "{", "{\"name\":\"a\"} trailing", "\u{feff}{}"] {
        assert_eq!(Answer::of(json(body)).await.problem(400).0, "invalid_json", "{body}");
    }
    for list in ["[]", "[\"a\", null, null]"] {
        assert_eq!(Answer::of(json(list)).await.problem(422).0, "invalid_value", "a list is no object: {list}");
    }
    assert_eq!(Answer::of(post().body("{}")).await.problem(415).0, "unsupported_media_type");
    let huge = post().header("content-type", "application/json").body(vec![b' '; 300 << 10]);
    assert_eq!(Answer::of(huge).await.problem(413).0, "payload_too_large");
}

#[tokio::test]
async fn a_revoked_key_is_gone_and_so_is_a_strangers() {
    let server = Server::start().await;
    let (stranger, _) = server.stranger().await;
    let theirs = server.context.auth.create_key(stranger, "x", "admin".parse().unwrap(), None).await.unwrap();
    assert_eq!(server.delete(&format!("/api/keys/{}", theirs.kept.id)).await.problem(404).0, "not_found");
    let made = server.post("/api/keys", json!({"name": "a"})).await;
    let path = format!("/api/keys/{}", made.body["id"].as_str().unwrap());
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/api/keys").await.body["items"], json!([]));
    assert_eq!(server.delete("/api/keys/nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn last_use_is_noted_to_the_minute() {
    let server = Server::start().await;
    let key = server.api_key("sessions").await;
    for (advance, expected) in
        [(0, "2026-01-01T00:00:00.000Z"), (30, "2026-01-01T00:00:00.000Z"), (40, "2026-01-01T00:01:10.000Z")]
    {
        server.clock.advance(Duration::from_secs(advance));
        let used = Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(&key)).await;
        assert_eq!(used.status, StatusCode::OK);
        // It is written behind the request's back: ask until it is there.
        let noted = async {
            while server.get("/api/keys").await.body["items"][0]["last_used_at"] != expected {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), noted).await.expect(expected);
    }
}
