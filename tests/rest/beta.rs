//! A client of the beta converses as with the service it was written for.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    live::{Socket, dial, send},
    server::{START, Server},
};

/// The next event, whatever it is.
async fn event(socket: &mut Socket) -> Value {
    let reading = async {
        loop {
            if let Message::Text(text) = socket.next().await.expect("the socket is open").unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an event comes")
}

/// All events up to the first of this type.
async fn until(socket: &mut Socket, kind: &str) -> Vec<Value> {
    let mut events = Vec::new();
    while events.last().is_none_or(|last: &Value| last["type"] != kind) {
        events.push(event(socket).await);
    }
    events
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

async fn greeted(server: &Server, query: &str, headers: &[(&'static str, &str)]) -> (Socket, Value) {
    let (mut socket, _) = dial(server, query, headers).await.unwrap();
    let created = event(&mut socket).await;
    (socket, created)
}

#[tokio::test]
async fn a_beta_client_is_spoken_to_in_the_beta_from_the_first_event_to_the_last() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.key);
    let headers = [("authorization", bearer.as_str()), ("openai-beta", "realtime=v1")];
    let (mut socket, created) = greeted(&server, "?model=gpt-realtime", &headers).await;
    assert_eq!(created["type"], "session.created");
    let session = &created["session"];
    assert_eq!((&session["modalities"], &session["input_audio_format"]), (&json!(["text", "audio"]), &json!("pcm16")));
    assert_eq!((&session["type"], &session["audio"]), (&Value::Null, &Value::Null));
    let introduced = event(&mut socket).await;
    assert_eq!(introduced["type"], "conversation.created");
    assert!(introduced["conversation"]["id"].as_str().unwrap().starts_with("conv_"));

    let update = json!({"instructions": "Be brief.", "voice": "echo", "turn_detection": null, "temperature": 0.6});
    send(&mut socket, json!({"type": "session.update", "session": update})).await;
    let updated = event(&mut socket).await;
    assert_eq!((&updated["session"]["turn_detection"], &updated["session"]["voice"]), (&Value::Null, &json!("echo")));
    assert_eq!(updated["session"]["temperature"], json!(0.6));

    let content = json!([{"type": "input_text", "text": "Are you there?"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(&mut socket, json!({"type": "conversation.item.create", "item": item})).await;
    send(&mut socket, json!({"type": "response.create"})).await;
    let events = until(&mut socket, "response.done").await;
    let expected = [
        "conversation.item.created",
        "response.created",
        "response.output_item.added",
        "conversation.item.created",
        "response.content_part.added",
    ];
    assert_eq!(kinds(&events)[..5], expected);
    let last = ["response.audio.done", "response.audio_transcript.done", "response.content_part.done"];
    assert!(last.iter().all(|kind| kinds(&events).contains(kind)), "{:?}", kinds(&events));
    assert!(kinds(&events).contains(&"response.audio.delta"));
    assert!(
        !kinds(&events).iter().any(|kind| kind.contains("output_audio") || kind.starts_with("conversation.item.done"))
    );
    let done = &events.last().unwrap()["response"];
    assert_eq!((&done["modalities"], &done["voice"]), (&json!(["text", "audio"]), &json!("echo")));
    assert_eq!(done["output"][0]["content"][0]["type"], "audio");
}

#[tokio::test]
async fn a_refusal_names_what_the_beta_calls_the_field() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.key);
    let headers = [("authorization", bearer.as_str()), ("openai-beta", "realtime=v1")];
    let (mut socket, _) = greeted(&server, "?model=gpt-realtime", &headers).await;
    for (session, param) in [
        (json!({"turn_detection": {"type": "server_vad", "threshold": 2}}), "session.turn_detection.threshold"),
        (json!({"voice": "elsewhere/anna"}), "session.voice"),
        (json!({"input_audio_transcription": {"model": "x/y"}}), "session.input_audio_transcription.model"),
    ] {
        send(&mut socket, json!({"type": "session.update", "event_id": "mine", "session": session})).await;
        let refused = until(&mut socket, "error").await.pop().unwrap();
        assert_eq!((&refused["error"]["param"], &refused["error"]["event_id"]), (&json!(param), &json!("mine")));
    }
}

#[tokio::test]
async fn a_browser_asks_by_subprotocol_and_is_answered_realtime() {
    let server = Server::start().await;
    let offered = format!("realtime, openai-insecure-api-key.{}, openai-beta.realtime-v1", server.key);
    let (mut socket, selected) =
        dial(&server, "?model=gpt-realtime", &[("sec-websocket-protocol", &offered)]).await.unwrap();
    assert_eq!(selected, "realtime");
    assert_eq!(event(&mut socket).await["session"]["input_audio_format"], "pcm16");
}

#[tokio::test]
async fn a_transcription_session_has_events_of_its_own() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.key);
    let headers = [("authorization", bearer.as_str()), ("openai-beta", "realtime=v1")];
    let (mut socket, created) = greeted(&server, "?intent=transcription", &headers).await;
    assert_eq!(created["type"], "transcription_session.created");
    assert_eq!(created["session"]["object"], "realtime.transcription_session");
    let session = json!({"input_audio_transcription": {"model": "whisper-1", "language": "en"}});
    send(&mut socket, json!({"type": "transcription_session.update", "session": session})).await;
    let updated = event(&mut socket).await;
    assert_eq!(updated["type"], "transcription_session.updated");
    assert_eq!(updated["session"]["input_audio_transcription"]["language"], "en");
}

#[tokio::test]
async fn a_session_made_over_rest_starts_as_it_was_asked_for() {
    let server = Server::start().await;
    let body = json!({
        "model": "gpt-realtime", "instructions": "Speak like a pirate.", "modalities": ["text"], "temperature": 0.9,
        "voice": "echo", "turn_detection": null,
    });
    let made = server.post("/v1/realtime/sessions", body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.body["client_secret"]["expires_at"], START + 60);
    assert_eq!((&made.body["object"], &made.body["voice"]), (&json!("realtime.session"), &json!("echo")));
    let secret = made.body["client_secret"]["value"].as_str().unwrap();
    assert!(secret.starts_with("ek_"));
    let bearer = format!("Bearer {secret}");

    let headers = [("authorization", bearer.as_str()), ("openai-beta", "realtime=v1")];
    let (_socket, created) = greeted(&server, "", &headers).await;
    for (field, value) in [
        ("model", json!("gpt-realtime")),
        ("instructions", json!("Speak like a pirate.")),
        ("modalities", json!(["text"])),
        ("temperature", json!(0.9)),
        ("voice", json!("echo")),
        ("turn_detection", Value::Null),
    ] {
        assert_eq!(created["session"][field], value, "{field}");
    }
    // The secret is the same credential for a client that speaks the present shape.
    let (_socket, created) = greeted(&server, "", &headers[..1]).await;
    assert_eq!(created["session"]["output_modalities"], json!(["text"]));

    server.clock.advance(Duration::from_secs(60));
    assert_eq!(dial(&server, "", &headers).await.map(drop).unwrap_err().0, 401);
}

#[tokio::test]
async fn a_transcription_session_made_over_rest_is_one() {
    let server = Server::start().await;
    let body = json!({
        "input_audio_transcription": {"model": "whisper-1", "language": "de"},
        "client_secret": {"expires_at": {"anchor": "created_at", "seconds": 120}},
    });
    let made = server.post("/v1/realtime/transcription_sessions", body).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.body["object"], "realtime.transcription_session");
    assert_eq!(made.body["client_secret"]["expires_at"], START + 120);
    let bearer = format!("Bearer {}", made.body["client_secret"]["value"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("openai-beta", "realtime=v1")];
    let (_socket, created) = greeted(&server, "", &headers).await;
    assert_eq!(created["type"], "transcription_session.created");
    assert_eq!(created["session"]["input_audio_transcription"]["language"], "de");
}

#[tokio::test]
async fn a_session_that_cannot_be_made_is_refused_by_name() {
    let server = Server::start().await;
    for (body, param) in [
        (json!({"speed": 9}), "speed"),
        (json!({"turn_detection": {"type": "server_vad", "threshold": 2}}), "turn_detection.threshold"),
        (json!({"modalities": ["video"]}), "modalities[0]"),
        (
            json!({"client_secret": {"expires_after": {"anchor": "created_at", "seconds": 9}}}),
            "client_secret.expires_after.seconds",
        ),
        (json!({"client_secret": {"minutes": 9}}), "client_secret.minutes"),
    ] {
        let answer = server.post("/v1/realtime/sessions", body.clone()).await;
        assert_eq!(answer.openai(400).1, param, "{body}");
    }
    let unknown = server.post("/v1/realtime/sessions", json!({"voice": "elsewhere/anna"})).await;
    assert_eq!(unknown.openai(404).1, "voice");
    assert_eq!(server.post("/v1/realtime/sessions", json!([])).await.status, StatusCode::BAD_REQUEST);
    let unknown = server.post("/v1/realtime/sessions", json!({"model": "nonsense"})).await;
    assert_eq!(unknown.openai(404).0, "model_not_found");
}
