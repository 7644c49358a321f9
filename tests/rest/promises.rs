//! Voice sessions promised to browsers and phones, and conversations that go on in them.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    live::{Socket, dial, next, send},
    server::{Answer, START, Server},
};

async fn connected(server: &Server, promise: &Value) -> Socket {
    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut socket = dial(server, "", &[("authorization", &bearer)]).await.unwrap().0;
    next(&mut socket, "session.created").await;
    socket
}

async fn hang_up(mut socket: Socket) {
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
}

/// What the model answers to the last words there are: it repeats them.
async fn reply(socket: &mut Socket) -> String {
    send(socket, json!({"type": "response.create", "response": {"output_modalities": ["text"]}})).await;
    let done = next(socket, "response.done").await;
    done["response"]["output"][0]["content"][0]["text"].as_str().unwrap().to_owned()
}

async fn type_in(socket: &mut Socket, text: &str) {
    let content = json!([{"type": "input_text", "text": text}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(socket, json!({"type": "conversation.item.create", "item": item})).await;
    next(socket, "conversation.item.done").await;
}

/// The words of a conversation, once there are so many.
async fn words(server: &Server, conversation: &str, count: usize) -> Vec<String> {
    let path = format!("/api/sessions/{conversation}/messages");
    let reading = async {
        loop {
            let read = server.get(&path).await.body;
            let items = read["items"].as_array().cloned().unwrap_or_default();
            if items.len() == count && items.iter().all(|message| message["status"] == "completed") {
                return items.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("all are kept")
}

#[tokio::test]
async fn a_promise_has_all_a_client_needs() {
    let server = Server::start().await;
    let body = json!({"language": "de", "vad_sensitivity": 0.75, "instructions": "Be brief.", "speed": 1.25});
    let made = server.post("/voice/realtime-session", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let promise = &made.body;
    let owner = server.context.auth.owner().id;
    assert_eq!(promise["url"], format!("{}/v1/realtime", server.url.replacen("http", "ws", 1)));
    assert_eq!(promise["model"], "voice-relay");
    assert_eq!(
        (&promise["expires_at"], &promise["client_secret"]["expires_at"]),
        (&json!(START + 300), &json!(START + 300))
    );
    let id = promise["session_id"].as_str().unwrap().strip_prefix(&format!("rtc_{owner}_")).unwrap();
    assert_eq!(promise["conversation_id"].as_str().unwrap().replace('-', ""), id);
    assert!(promise["client_secret"]["value"].as_str().unwrap().starts_with("ek_"));
    let config = &promise["voice_config"];
    assert_eq!(config["voice"], "alloy");
    assert_eq!(config["modalities"], json!(["text", "audio"]));
    assert_eq!((&config["input_audio_format"], &config["output_audio_format"]), (&json!("pcm16"), &json!("pcm16")));
    assert_eq!(config["input_audio_transcription"]["language"], "de");
    assert_eq!(
        (&config["turn_detection"]["type"], &config["turn_detection"]["threshold"]),
        (&json!("server_vad"), &json!(0.25))
    );

    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut socket = dial(&server, "", &[("authorization", &bearer)]).await.unwrap().0;
    let session = next(&mut socket, "session.created").await["session"].clone();
    assert_eq!(session["instructions"], "Be brief.");
    assert_eq!(session["audio"]["input"]["turn_detection"]["threshold"], 0.25);
    assert_eq!(session["audio"]["output"]["speed"], 1.25);
    let listed = server.get("/voice/sessions").await.body["items"][0].clone();
    assert_eq!((&listed["id"], &listed["conversation_id"]), (&promise["session_id"], &promise["conversation_id"]));
    let path = format!("/api/voice/sessions/{}", promise["session_id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.body["state"], "live");
}

#[tokio::test]
async fn nothing_need_be_said_and_what_does_not_fit_is_named() {
    let server = Server::start().await;
    let made = Answer::of(server.request(Method::POST, "/api/voice/realtime-session")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    for (body, status, field) in [
        (json!({"voice": "v".repeat(1_000)}), 422, "voice"),
        (json!({"model": "nonsense"}), 422, "model"),
        (json!({"vad_sensitivity": 2}), 422, "vad_sensitivity"),
        (json!({"modalities": ["smell"]}), 422, "modalities"),
        (json!({"speed": 9}), 422, "speed"),
        (json!({"temperature": 3}), 422, "temperature"),
        (json!({"language": "x".repeat(200)}), 422, "language"),
        (json!({"expires_in_seconds": 1}), 422, "expires_in_seconds"),
        (json!({"shoe_size": 42}), 422, "shoe_size"),
        (json!({"conversation_id": "x"}), 422, "conversation_id"),
    ] {
        let refused = server.post("/voice/realtime-session", body.clone()).await;
        assert_eq!((refused.problem(status).1.as_str(), &body), (field, &body));
    }
    let (stranger, key) = server.stranger().await;
    let theirs = server.session_of(stranger).await;
    server.post("/voice/realtime-session", json!({"conversation_id": theirs})).await.problem(404);
    let own = server.bare(Method::POST, "/voice/realtime-session").bearer_auth(&key);
    assert_eq!(Answer::of(own.json(&json!({"conversation_id": theirs}))).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_was_typed_is_known_to_the_voice_session_and_what_is_said_joins_it() {
    let server = Server::start().await;
    let conversation = server.post("/api/sessions", json!({})).await.body["id"].as_str().unwrap().to_owned();
    let path = format!("/api/sessions/{conversation}/messages");
    server.post(&path, json!({"role": "assistant", "content": "Who are you?"})).await;
    server.post(&path, json!({"role": "user", "content": "My name is Ada."})).await;
    let promise = server.post("/voice/realtime-session", json!({"conversation_id": conversation})).await.body;
    assert_eq!(promise["conversation_id"], conversation);
    let mut socket = connected(&server, &promise).await;
    assert_eq!(reply(&mut socket).await, "You said: My name is Ada.");
    type_in(&mut socket, "And yours?").await;
    assert_eq!(reply(&mut socket).await, "You said: And yours?");
    hang_up(socket).await;
    let said = words(&server, &conversation, 5).await;
    let expected =
        ["Who are you?", "My name is Ada.", "You said: My name is Ada.", "And yours?", "You said: And yours?"];
    assert_eq!(said, expected);
    let listed = server.get("/api/sessions").await.body;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "one conversation, not two");
    assert_eq!(listed["items"][0]["title"], "My name is Ada.");
}

#[tokio::test]
async fn after_a_cut_the_same_secret_goes_on_with_the_conversation() {
    let server = Server::start().await;
    let promise = server.post("/voice/realtime-session", json!({})).await.body;
    let conversation = promise["conversation_id"].as_str().unwrap();
    let mut socket = connected(&server, &promise).await;
    type_in(&mut socket, "Remember the milk.").await;
    hang_up(socket).await;
    words(&server, conversation, 1).await;

    let mut socket = connected(&server, &promise).await;
    assert_eq!(reply(&mut socket).await, "You said: Remember the milk.");
    hang_up(socket).await;
    assert_eq!(words(&server, conversation, 2).await, ["Remember the milk.", "You said: Remember the milk."]);
    let kept = async {
        loop {
            let listed = server.get("/voice/sessions").await.body["items"].as_array().unwrap().clone();
            if listed.len() == 2 && listed.iter().all(|voice| voice["ended_at"].is_string()) {
                return listed;
            }
            tokio::task::yield_now().await;
        }
    };
    let kept = tokio::time::timeout(Duration::from_secs(20), kept).await.expect("both are kept");
    assert_eq!(kept[1]["id"], promise["session_id"]);
    for voice in &kept {
        assert_eq!((&voice["conversation_id"], &voice["transport"]), (&promise["conversation_id"], &json!("ws")));
        let path = format!("/voice/sessions/{}", voice["id"].as_str().unwrap());
        assert_eq!(server.get(&path).await.body, *voice);
    }
}

#[tokio::test]
async fn a_typed_conversation_outlives_a_voice_session_in_which_nothing_was_said() {
    let server = Server::start().await;
    let conversation = server.post("/api/sessions", json!({})).await.body["id"].as_str().unwrap().to_owned();
    let promise = server.post("/voice/realtime-session", json!({"conversation_id": conversation})).await.body;
    hang_up(connected(&server, &promise).await).await;
    let path = format!("/voice/sessions/{}", promise["session_id"].as_str().unwrap());
    let ended = async {
        while !server.get(&path).await.body["ended_at"].is_string() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("its end is kept");
    assert_eq!(server.get(&format!("/api/sessions/{conversation}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn names_of_voice_sessions_that_have_not_their_form_are_not_found() {
    let server = Server::start().await;
    let owner = server.context.auth.owner().id;
    for name in ["x", "rtc_", "rtc_a_b", &format!("rtc_{owner}"), &format!("rtc_{owner}_{}", "0".repeat(31))] {
        server.get(&format!("/voice/sessions/{name}")).await.problem(404);
        server.delete(&format!("/voice/sessions/{name}")).await.problem(404);
    }
}

#[tokio::test]
async fn a_conversations_settings_are_those_of_its_voice_sessions() {
    let server = Server::start().await;
    let settings = json!({"instructions": "Be brief.", "voice": "verse", "language": "de"});
    let made = server.post("/api/sessions", json!({"settings": settings})).await;
    assert_eq!((made.status, &made.body["settings"]), (StatusCode::CREATED, &settings));
    let path = format!("/api/sessions/{}", made.body["id"].as_str().unwrap());
    let patch = async |body: Value| Answer::of(server.request(Method::PATCH, &path).json(&body)).await;
    let changed = patch(json!({"settings": {"voice": null, "temperature": 0.5}})).await;
    assert_eq!(changed.body["settings"], json!({"instructions": "Be brief.", "language": "de", "temperature": 0.5}));
    let promised = async |body: Value| server.post("/voice/realtime-session", body).await.body;
    let promise = promised(json!({"conversation_id": made.body["id"], "language": "fr"})).await;
    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut socket = dial(&server, "", &[("authorization", &bearer)]).await.unwrap().0;
    let session = next(&mut socket, "session.created").await["session"].clone();
    assert_eq!((&session["instructions"], &session["temperature"]), (&json!("Be brief."), &json!(0.5)));
    assert_eq!(session["audio"]["input"]["transcription"]["language"], "fr", "what is asked now goes before");
    for (body, field) in [
        (json!({"settings": {"voice": "v".repeat(1_000)}}), "settings.voice"),
        (json!({"settings": {"temperature": 3}}), "settings.temperature"),
        (json!({"settings": {"colour": "red"}}), "settings.colour"),
        (json!({"settings": {"speed": "fast"}}), "settings.speed"),
    ] {
        assert_eq!(patch(body.clone()).await.problem(422).1, field, "{body}");
    }
    assert_eq!(server.get(&path).await.body["settings"], changed.body["settings"], "a refusal changes nothing");
    assert_eq!(patch(json!({"settings": null})).await.body["settings"], json!({}));
}
