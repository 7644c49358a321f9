//! Typed conversations: begun, written in, changed, over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

async fn patch(server: &Server, path: &str, body: Value) -> Answer {
    Answer::of(server.request(Method::PATCH, path).json(&body)).await
}

async fn begin(server: &Server) -> String {
    let made = server.post("/api/sessions", json!({})).await;
    assert_eq!((made.status, &made.body["title"]), (StatusCode::CREATED, &Value::Null));
    made.body["id"].as_str().unwrap().to_owned()
}

async fn read(server: &Server, session: &str) -> Vec<String> {
    let read = server.get(&format!("/api/sessions/{session}/messages")).await.body;
    read["items"].as_array().unwrap().iter().map(|item| item["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_conversation_is_begun_named_and_put_away() {
    let server = Server::start().await;
    let named = server.post("/api/sessions", json!({"title": "  Über den Wolken  "})).await.body;
    assert_eq!(named["title"], "Über den Wolken");
    let path = format!("/api/sessions/{}", begin(&server).await);
    assert_eq!(patch(&server, &path, json!({"title": "Lunch"})).await.body["title"], "Lunch");
    let away = patch(&server, &path, json!({"archived": true})).await.body;
    assert_eq!((&away["title"], &away["archived"]), (&json!("Lunch"), &json!(true)));
    assert_eq!(server.get("/api/sessions?archived=true").await.body["items"], json!([away]));
    assert_eq!(patch(&server, &path, json!({"title": null})).await.body["title"], Value::Null);
    assert_eq!(patch(&server, &path, json!({})).await.body["archived"], true);
    for (body, field) in [
        (json!({"title": ""}), "title"),
        (json!({"title": "a\nb"}), "title"),
        (json!({"title": "x".repeat(201)}), "title"),
        (json!({"archived": null, "color": 1}), "color"),
        (json!({"archived": "yes"}), "archived"),
    ] {
        assert_eq!(patch(&server, &path, body.clone()).await.problem(422).1, field, "{body}");
    }
}

#[tokio::test]
async fn messages_are_written_changed_and_deleted() {
    let server = Server::start().await;
    let session = begin(&server).await;
    let messages = format!("/api/sessions/{session}/messages");
    let question = json!({"role": "user", "content": "What time is it?\0", "client_message_id": "q"});
    let first = server.post(&messages, question.clone()).await;
    assert_eq!(server.post(&messages, question).await.body, first.body, "kept once");
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!((&first.body["modality"], &first.body["status"]), (&json!("text"), &json!("completed")));
    let parent = &first.body["id"];
    let answer =
        json!({"role": "assistant", "content": "Noon <b>'; DROP TABLE messages; --", "parent_message_id": parent});
    let second = server.post(&messages, answer).await.body;
    assert_eq!(&second["parent_message_id"], parent);
    assert_eq!(read(&server, &session).await, ["What time is it?\u{fffd}", "Noon <b>'; DROP TABLE messages; --"]);
    assert_eq!(server.get(&format!("/api/sessions/{session}")).await.body["title"], "What time is it?\u{fffd}");

    let path = format!("/api/messages/{}", parent.as_str().unwrap());
    assert_eq!(server.get(&path).await.body, first.body);
    assert_eq!(patch(&server, &path, json!({"content": "What day is it?"})).await.body["content"], "What day is it?");
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.get(&path).await.problem(404).0, "not_found");
    let left = server.get(&messages).await.body["items"].clone();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["parent_message_id"]), (1, &Value::Null));
}

#[tokio::test]
async fn a_message_sent_again_is_kept_once_however_often_at_once() {
    let server = Server::start().await;
    let session = begin(&server).await;
    let messages = format!("/api/sessions/{session}/messages");
    let body = json!({"role": "user", "content": "hello", "client_message_id": "m-1"});
    let sent = futures_util::future::join_all((0..8).map(|_| server.post(&messages, body.clone()))).await;
    assert!(sent.iter().all(|answer| answer.status == StatusCode::CREATED && answer.body == sent[0].body));
    assert_eq!(read(&server, &session).await, ["hello"]);
    let other = json!({"role": "user", "content": "goodbye", "client_message_id": "m-1"});
    assert_eq!(server.post(&messages, other.clone()).await.problem(422).1, "client_message_id");
    let elsewhere = format!("/api/sessions/{}/messages", begin(&server).await);
    assert_eq!(server.post(&elsewhere, other).await.status, StatusCode::CREATED, "names are a session's own");
    let many = (0..20).map(|n| json!({"role": "user", "content": n.to_string()}));
    futures_util::future::join_all(many.map(|body| server.post(&messages, body))).await;
    assert_eq!(read(&server, &session).await.len(), 20, "a page");
}

#[tokio::test]
async fn a_message_that_cannot_be_is_refused_by_its_field() {
    let server = Server::start().await;
    let messages = format!("/api/sessions/{}/messages", begin(&server).await);
    let elsewhere = format!("/api/sessions/{}/messages", begin(&server).await);
    let stray = server.post(&elsewhere, json!({"role": "user", "content": "elsewhere"})).await.body["id"].clone();
    for (body, field) in [
        (json!({"role": "tool", "content": "x"}), "role"),
        (json!({"role": "boss", "content": "x"}), "role"),
        (json!({"content": "x"}), "role"),
        (json!({"role": "user"}), "content"),
        (json!({"role": "user", "content": " \n"}), "content"),
        (json!({"role": "user", "content": 7}), "content"),
        (json!({"role": "user", "content": "x", "mood": "good"}), "mood"),
        (json!({"role": "user", "content": "x", "client_message_id": ""}), "client_message_id"),
        (json!({"role": "user", "content": "x", "client_message_id": "y".repeat(129)}), "client_message_id"),
        (json!({"role": "user", "content": "x", "parent_message_id": "1"}), "parent_message_id"),
        (json!({"role": "user", "content": "x", "parent_message_id": stray}), "parent_message_id"),
    ] {
        assert_eq!(server.post(&messages, body.clone()).await.problem(422).1, field, "{body}");
    }
    let large = json!({"role": "user", "content": "x".repeat(300_000)});
    assert_eq!(server.post(&messages, large).await.problem(413).0, "payload_too_large");
    assert_eq!(server.get(&messages).await.body["items"], json!([]), "nothing of it is kept");
}

#[tokio::test]
async fn nobody_writes_in_somebody_elses_conversation() {
    let server = Server::start().await;
    let session = begin(&server).await;
    let messages = format!("/api/sessions/{session}/messages");
    let id = server.post(&messages, json!({"role": "user", "content": "mine"})).await.body["id"].clone();
    let (_, key) = server.stranger().await;
    let message = format!("/api/messages/{}", id.as_str().unwrap());
    let words = json!({"content": "theirs"});
    let post = json!({"role": "user", "content": "theirs"});
    for (method, path, body) in [
        (Method::GET, message.clone(), Value::Null),
        (Method::PATCH, message.clone(), words),
        (Method::DELETE, message, Value::Null),
        (Method::POST, messages, post),
        (Method::PATCH, format!("/api/sessions/{session}"), json!({"title": "theirs"})),
    ] {
        let request = server.bare(method.clone(), &path).bearer_auth(&key).json(&body);
        assert_eq!(Answer::of(request).await.problem(404).0, "not_found", "{method} {path}");
    }
    assert_eq!(read(&server, &session).await, ["mine"]);
}
