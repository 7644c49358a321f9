//! The door to live sessions: who gets in, with what, and what is kept of what was said.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, http},
};
use voice_relay::{auth::Auth, realtime::admission::Admission};

use crate::{
    secrets::secret,
    server::{Answer, Server},
};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Dials with these headers; a refusal gives status and body.
pub(crate) async fn dial(
    server: &Server,
    query: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Socket, String), (u16, Value)> {
    dial_at(server, &format!("/v1/realtime{query}"), headers).await
}

/// The same on any path.
pub(crate) async fn dial_at(
    server: &Server,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Socket, String), (u16, Value)> {
    let url = format!("{}{path}", server.url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, response)) => Ok((socket, protocol(&response))),
        Err(tungstenite::Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err((response.status().as_u16(), serde_json::from_slice(body).unwrap_or(Value::Null)))
        }
        Err(error) => panic!("{error}"),
    }
}

fn protocol<T>(response: &http::Response<T>) -> String {
    let selected = response.headers().get_all("sec-websocket-protocol").into_iter();
    selected.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join(",")
}

pub(crate) async fn owner(server: &Server, query: &str) -> Socket {
    let bearer = format!("Bearer {}", server.key);
    dial(server, query, &[("authorization", &bearer)]).await.unwrap().0
}

pub(crate) async fn refused(server: &Server, query: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
    let (status, body) = dial(server, query, headers).await.map(|_| ()).unwrap_err();
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// How the relay ends it: the code and the reason.
pub(crate) async fn goodbye(socket: &mut Socket) -> (u16, String) {
    let ending = async {
        loop {
            if let Message::Close(Some(frame)) = socket.next().await.expect("it says goodbye").unwrap() {
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ending).await.expect("it ends")
}

/// The next event of this type.
pub(crate) async fn next(socket: &mut Socket, kind: &str) -> Value {
    let finding = async {
        loop {
            let message = socket.next().await.expect("the socket is open").unwrap();
            let Message::Text(text) = message else { continue };
            let event: Value = serde_json::from_str(&text).unwrap();
            assert_ne!(event["type"], "error", "{event}");
            if event["type"] == kind {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), finding).await.unwrap_or_else(|_| panic!("no {kind} came"))
}

pub(crate) async fn send(socket: &mut Socket, event: Value) {
    socket.send(Message::Text(event.to_string().into())).await.unwrap();
}

#[tokio::test]
async fn a_key_gets_in_in_every_form_and_the_subprotocol_is_realtime() {
    let server = Server::start().await;
    let key = server.api_key("realtime").await;
    let bearer = format!("Bearer {key}");
    let offered = format!("realtime, openai-insecure-api-key.{key}, openai-agents-sdk.0.20.0");
    for (headers, selected) in [
        (vec![("authorization", bearer.as_str())], ""),
        (vec![("api-key", key.as_str())], ""),
        (vec![("authorization", bearer.as_str()), ("sec-websocket-protocol", "realtime")], "realtime"),
        (vec![("sec-websocket-protocol", offered.as_str())], "realtime"),
    ] {
        let (mut socket, protocol) = dial(&server, "?model=gpt-realtime", &headers).await.unwrap();
        assert_eq!(protocol, selected);
        let created = next(&mut socket, "session.created").await;
        assert_eq!(created["session"]["model"], "gpt-realtime");
    }
}

#[tokio::test]
async fn who_may_not_is_told_before_the_upgrade() {
    let server = Server::start().await;
    let path = "?model=gpt-realtime";
    assert_eq!(refused(&server, path, &[]).await, (401, "missing_api_key".into()));
    assert_eq!(refused(&server, path, &[("authorization", "Bearer wrong")]).await, (401, "invalid_api_key".into()));
    let offered = [("sec-websocket-protocol", "realtime, openai-insecure-api-key.ek_wrong")];
    assert_eq!(refused(&server, path, &offered).await, (401, "invalid_api_key".into()));
    let other = format!("Bearer {}", server.api_key("speech sessions").await);
    assert_eq!(refused(&server, path, &[("authorization", &other)]).await, (403, "insufficient_scope".into()));
    let url = format!("{path}&token={}&api-key={}", server.key, server.key);
    assert_eq!(refused(&server, &url, &[]).await, (401, "missing_api_key".into()));
}

#[tokio::test]
async fn what_is_not_served_is_told_before_the_upgrade() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.key);
    let auth = ("authorization", bearer.as_str());
    assert_eq!(refused(&server, "?model=nonsense", &[auth]).await, (404, "model_not_found".into()));
    assert_eq!(refused(&server, "?model=whisper-1", &[auth]).await, (404, "model_not_found".into()));
    assert_eq!(refused(&server, "", &[auth]).await, (400, "missing_model".into()));
    assert_eq!(refused(&server, "?call_id=rtc_1", &[auth]).await, (404, "call_not_found".into()));
    let plain = server.get("/v1/realtime?model=gpt-realtime").await;
    assert_eq!(plain.openai(426).0, "upgrade_required");
    server.context.engine.drain.begin();
    assert_eq!(refused(&server, "?model=gpt-realtime", &[auth]).await, (503, "shutting_down".into()));
}

#[tokio::test]
async fn a_full_house_answers_429_until_somebody_leaves() {
    let server = Server::with(|context| context.engine.admission = Admission::new(1, 1)).await;
    let bearer = format!("Bearer {}", server.key);
    let mut first = owner(&server, "?model=gpt-realtime").await;
    next(&mut first, "session.created").await;
    let auth = [("authorization", bearer.as_str())];
    assert_eq!(refused(&server, "?model=gpt-realtime", &auth).await, (429, "rate_limit_exceeded".into()));
    first.close(None).await.unwrap();
    while first.next().await.is_some() {}
    let again = async {
        while dial(&server, "?model=gpt-realtime", &auth).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("the place is free again");
}

#[tokio::test]
async fn a_transcription_session_needs_no_model_and_its_intent_wins() {
    let server = Server::start().await;
    for query in ["?intent=transcription", "?intent=transcription&model=gpt-4o-mini-transcribe"] {
        let mut socket = owner(&server, query).await;
        assert_eq!(next(&mut socket, "session.created").await["session"]["type"], "transcription");
    }
}

#[tokio::test]
async fn a_client_secret_opens_its_session_until_it_expires() {
    let server = Server::start().await;
    let session = json!({
        "type": "realtime", "model": "gpt-realtime", "instructions": "Speak like a pirate.",
        "audio": {"output": {"voice": "marin"}},
    });
    let body = json!({"expires_after": {"anchor": "created_at", "seconds": 60}, "session": session});
    let secret = secret(&server, body).await;
    let (bearer, offered) = (format!("Bearer {secret}"), format!("realtime, openai-insecure-api-key.{secret}"));
    let token = format!("?token={secret}");
    for (query, headers) in [
        ("", vec![("authorization", bearer.as_str())]),
        ("?model=gpt-realtime", vec![("sec-websocket-protocol", offered.as_str())]),
        (token.as_str(), vec![]),
    ] {
        let (mut socket, _) = dial(&server, query, &headers).await.unwrap();
        let created = next(&mut socket, "session.created").await;
        assert_eq!(created["session"]["instructions"], "Speak like a pirate.");
        assert_eq!(created["session"]["audio"]["output"]["voice"], "marin");
    }

    server.clock.advance(Duration::from_secs(60));
    assert_eq!(refused(&server, "", &[("authorization", &bearer)]).await, (401, "invalid_api_key".into()));
}

#[tokio::test]
async fn a_secret_ends_with_the_key_that_issued_it() {
    let server = Server::start().await;
    let made = server.post("/api/keys", json!({"name": "pages", "scopes": ["realtime"]})).await.body;
    let issue = server.bare(Method::POST, "/v1/realtime/client_secrets").bearer_auth(made["key"].as_str().unwrap());
    let issued = Answer::of(issue).await;
    let bearer = format!("Bearer {}", issued.body["value"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    assert!(dial(&server, "", &headers).await.is_ok());
    server.delete(&format!("/api/keys/{}", made["id"].as_str().unwrap())).await;
    assert_eq!(refused(&server, "", &headers).await, (401, "invalid_api_key".into()));
}

#[tokio::test]
async fn a_secret_ends_with_a_key_that_a_command_revoked() {
    let server = Server::start().await;
    let made = server.post("/api/keys", json!({"name": "pages", "scopes": ["realtime"]})).await.body;
    let issue = server.bare(Method::POST, "/v1/realtime/client_secrets").bearer_auth(made["key"].as_str().unwrap());
    let issued = Answer::of(issue).await;
    let bearer = format!("Bearer {}", issued.body["value"].as_str().unwrap());
    let command = Auth::beside(server.context.db.clone(), server.clock.clone()).await.unwrap();
    command.revoke_key(command.owner().id, made["id"].as_str().unwrap().parse().unwrap()).await.unwrap();
    assert_eq!(refused(&server, "", &[("authorization", &bearer)]).await, (401, "invalid_api_key".into()));
}

#[tokio::test]
async fn what_was_said_is_kept_and_read_back_over_rest() {
    let server = Server::start().await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let live = server.get("/voice/sessions").await.body;
    let id = live["items"][0]["conversation_id"].as_str().unwrap().to_owned();
    let content = json!([{"type": "input_text", "text": "Are you there?"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(&mut socket, json!({"type": "conversation.item.create", "item": item})).await;
    send(&mut socket, json!({"type": "response.create", "response": {"output_modalities": ["text"]}})).await;
    let done = next(&mut socket, "response.done").await;
    assert_eq!(done["response"]["status"], "completed", "{done}");
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}

    let path = format!("/api/sessions/{id}/messages");
    let reading = async {
        loop {
            let read = server.get(&path).await.body;
            if read["items"].as_array().is_some_and(|items| items.len() == 2) {
                return read;
            }
            tokio::task::yield_now().await;
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await.expect("both are kept");
    let said: Vec<_> = read["items"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(said, ["user", "assistant"]);
    assert_eq!(read["items"][0]["content"], "Are you there?");
    let reply = done["response"]["output"][0]["content"][0]["text"].as_str().unwrap();
    assert_eq!(read["items"][1]["content"], reply);
    assert_eq!(server.get(&format!("/api/sessions/{id}")).await.body["title"], "Are you there?");
}

#[tokio::test]
async fn an_operator_ends_a_session_and_its_client_is_told() {
    let server = Server::start().await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let live = server.get("/voice/sessions").await.body;
    let id = live["items"][0]["id"].as_str().unwrap();
    assert_eq!(server.delete(&format!("/voice/sessions/{id}")).await.status, StatusCode::ACCEPTED);
    let ending = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.is_some(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), ending).await.unwrap(), "closed with a reason");
}
