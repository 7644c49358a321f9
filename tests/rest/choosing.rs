//! Clients choose among what the operator offers, by every door, and reach nothing else.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};
use providers::{
    ErrorKind, ProviderError, RealtimeModel, SpeechToText, TextToSpeech,
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
    scripted::{self, Length, SttScript, TtsScript},
};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use voice_relay::{
    clock::Clock,
    config::{Config, Flags},
    engines::Engines,
    realtime::{Choices, Names, Offer, Providers, Task},
};

use crate::{
    live::{Socket, next, owner, refused, send},
    secrets::secret,
    server::{Answer, Server, catalog, names},
};

/// A server that speaks OpenAI's chat completions and says in each reply which of its models was asked.
struct Minds {
    url: String,
    /// What it answers with.
    status: Arc<AtomicU16>,
}

impl Minds {
    async fn open() -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let app = Router::new().route("/v1/chat/completions", post(answer)).with_state(Arc::clone(&status));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, status }
    }
}

async fn answer(State(status): State<Arc<AtomicU16>>, Json(asked): Json<Value>) -> Response {
    let status = StatusCode::from_u16(status.load(Ordering::Relaxed)).unwrap();
    let words = asked["model"].as_str().unwrap();
    let said = json!({"choices": [{"index": 0, "delta": {"content": words}, "finish_reason": null}]});
    let over = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let body = format!("data: {said}\n\ndata: {over}\n\ndata: [DONE]\n\n");
    (status, [("content-type", "text/event-stream")], body).into_response()
}

/// A relay whose configuration is this text; its ears and mouth are scripted.
async fn configured(text: &str) -> Server {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("relay.toml");
    let scripted = "[providers]\nstt = ['scripted/stt']\ntts = ['scripted/tts']\nturn = ''\n";
    std::fs::write(&file, format!("{scripted}{text}")).unwrap();
    let home = BTreeMap::from([("HOME".to_owned(), dir.path().display().to_string())]);
    let config = Config::load(&Flags { config: Some(file), ..Flags::default() }, &home).unwrap();
    let Engines { providers, offer, .. } = Engines::load(&config, &Clock::system()).await.unwrap();
    Server::with(|context| {
        context.providers = providers;
        context.catalog = catalog(offer);
    })
    .await
}

/// What is answered to a typed greeting.
async fn reply(socket: &mut Socket) -> String {
    let content = json!([{"type": "input_text", "text": "Who are you?"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(socket, json!({"type": "conversation.item.create", "item": item})).await;
    send(socket, json!({"type": "response.create", "response": {"output_modalities": ["text"]}})).await;
    let done = next(socket, "response.done").await;
    done["response"]["output"][0]["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

async fn reply_of(server: &Server, model: &str) -> String {
    reply(&mut owner(server, &format!("?model={model}")).await).await
}

#[tokio::test]
async fn a_session_thinks_with_the_model_it_names_and_else_as_configured() {
    let (first, second) = (Minds::open().await, Minds::open().await);
    let server = configured(&format!(
        "llm = ['first/small', 'second/big']\n[offered]\nllm = ['second/huge']\n\
         [names]\nwise = 'second/huge'\n[routes.es]\nllm = ['second/spanish']\n\
         [compatible.first]\nbase_url = '{}'\n[compatible.second]\nbase_url = '{}'\n",
        first.url, second.url
    ))
    .await;
    for (model, expected) in [
        ("voice-relay", "small"),
        ("gpt-realtime", "small"),
        ("second/huge", "huge"),
        ("huge", "huge"),
        ("wise", "huge"),
        ("second/big", "big"),
    ] {
        assert_eq!(reply_of(&server, model).await, expected, "{model}");
    }
    let bearer = format!("Bearer {}", server.key);
    let headers = [("authorization", bearer.as_str())];
    for unknown in ["second/secret", "openai/gpt-4o", "claude-x", "scripted/tts"] {
        let answer = refused(&server, &format!("?model={unknown}"), &headers).await;
        assert_eq!(answer, (404, "model_not_found".into()), "{unknown}");
    }

    let mut socket = owner(&server, "?model=gpt-realtime").await;
    let transcription = json!({"model": "whisper-1", "language": "es-MX"});
    let session = json!({"type": "realtime", "audio": {"input": {"transcription": transcription}}});
    send(&mut socket, json!({"type": "session.update", "session": session})).await;
    assert_eq!(reply(&mut socket).await, "spanish");

    first.status.store(503, Ordering::Relaxed);
    assert_eq!(reply_of(&server, "voice-relay").await, "big", "the next of the chain takes over");
    second.status.store(503, Ordering::Relaxed);
    first.status.store(200, Ordering::Relaxed);
    assert_eq!(reply_of(&server, "huge").await, "small", "behind what was asked for stands the chain");
}

#[tokio::test]
async fn models_are_listed_as_offered() {
    let server = configured(
        "llm = ['ollama/a']\n[offered]\nllm = ['ollama/b', 'ollama/a']\n[routes.es]\nstt = ['scripted/stt']\n",
    )
    .await;
    let list = server.get("/v1/models").await.body;
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["voice-relay", "scripted/stt", "scripted/tts", "ollama/a", "ollama/b"]);
    for (id, status) in [
        ("whisper-1", 200),
        ("ollama/b", 200),
        ("tts-1-hd", 200),
        ("ollama/c", 404),
        ("gpt-4o", 200),
        ("claude-x", 404),
    ] {
        assert_eq!(server.get(&format!("/v1/models/{id}")).await.status, status, "{id}");
    }
}

/// Ears that understand this, whatever is said.
fn ears(text: &str) -> Arc<dyn SpeechToText> {
    Arc::new(scripted::SpeechToText::new(SttScript { every: Some(text.to_owned()), ..SttScript::default() }))
}

/// A mouth whose every clause lasts so long.
fn mouth(millis: u64) -> Arc<dyn TextToSpeech> {
    let length = Length::Fixed(Duration::from_millis(millis));
    Arc::new(scripted::TextToSpeech::new(TtsScript { length, ..TtsScript::default() }))
}

/// A relay that offers a second pair of ears, a second mouth and a speech-to-speech model.
async fn well_equipped(model: Arc<dyn RealtimeModel>) -> Server {
    let one = |name: &str| [name.to_owned()];
    let names: Names = names()
        .with(Task::Transcription, one("vendor/ears"))
        .with(Task::Speech, one("vendor/mouth"))
        .with(Task::Realtime, one("openai/gpt-realtime"));
    let offer = Offer::new(Choices {
        names,
        ears: [("vendor/ears".to_owned(), ears("by the other"))].into(),
        voices: [("vendor/mouth".to_owned(), mouth(2_000))].into(),
        models: [("openai/gpt-realtime".to_owned(), model)].into(),
    });
    Server::with(|context| {
        let usual = context.providers.clone();
        context.providers = Providers { stt: ears("by the usual"), tts: mouth(1_000), ..usual };
        context.catalog = catalog(offer);
    })
    .await
}

#[tokio::test]
async fn recordings_and_texts_go_to_the_model_that_is_named() {
    let server = well_equipped(Arc::new(Silent)).await;
    for (model, expected) in [
        ("whisper-1", Ok("by the usual")),
        ("vendor/ears", Ok("by the other")),
        ("ears", Ok("by the other")),
        ("deepgram/nova-3", Err(404)),
    ] {
        let tone = audio::Clip::new(audio::SampleRate::HZ_8000, vec![1_000; 8_000]);
        let file = Part::bytes(audio::wav::write(&tone, audio::Encoding::Pcm16)).file_name("a.wav");
        let form = Form::new().part("file", file).text("model", model);
        let answer = Answer::of(server.request(Method::POST, "/v1/audio/transcriptions").multipart(form)).await;
        match expected {
            Ok(text) => assert_eq!(answer.body["text"], text, "{model}"),
            Err(status) => assert_eq!(answer.openai(status), ("model_not_found".into(), "model".into())),
        }
    }
    for (model, voice, expected) in [
        ("tts-1", "alloy", Ok(48_000)),
        ("vendor/mouth", "alloy", Ok(96_000)),
        ("tts-1", "vendor/Rachel", Ok(48_000)),
        ("tts-1", "elevenlabs/Rachel", Err("voice")),
        ("openai/tts-1", "alloy", Err("model")),
    ] {
        let body = json!({"model": model, "voice": voice, "input": "Hello.", "response_format": "pcm"});
        let spoken = server.request(Method::POST, "/v1/audio/speech").json(&body).send().await.unwrap();
        match expected {
            Ok(bytes) => assert_eq!(spoken.bytes().await.unwrap().len(), bytes, "{model} {voice}"),
            Err(param) => {
                let answer = Answer::of(server.request(Method::POST, "/v1/audio/speech").json(&body)).await;
                assert_eq!(answer.openai(404), ("model_not_found".into(), param.into()));
            }
        }
    }
}

/// The next event, an error or not.
async fn any(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.unwrap().unwrap().unwrap();
        if let tokio_tungstenite::tungstenite::Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn a_session_that_asks_for_what_is_not_offered_is_told_where_and_nothing_changes() {
    let server = well_equipped(Arc::new(Silent)).await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let input = |model: &str| json!({"input": {"transcription": {"model": model}}});
    let update = |audio: Value| {
        let session = json!({"type": "realtime", "instructions": "Be brief.", "audio": audio});
        json!({"type": "session.update", "event_id": "mine", "session": session})
    };
    let respond = json!({"type": "response.create", "event_id": "mine",
        "response": {"audio": {"output": {"voice": "elevenlabs/Rachel"}}}});
    for (event, param) in [
        (update(input("deepgram/nova-3")), "session.audio.input.transcription.model"),
        (update(json!({"output": {"voice": "elevenlabs/Rachel"}})), "session.audio.output.voice"),
        (respond, "response.audio.output.voice"),
    ] {
        send(&mut socket, event).await;
        let told = any(&mut socket).await;
        assert_eq!(told["type"], "error", "{told}");
        let error = &told["error"];
        assert_eq!((&error["code"], &error["param"]), (&json!("model_not_found"), &json!(param)));
        assert_eq!(error["event_id"], "mine");
    }
    send(&mut socket, json!({"type": "session.update", "session": {"type": "realtime", "audio": input("ears")}})).await;
    let updated = next(&mut socket, "session.updated").await;
    assert_eq!(updated["session"]["instructions"], "", "a refused update changed nothing");
    assert_eq!(updated["session"]["audio"]["input"]["transcription"]["model"], "ears");
}

#[tokio::test]
async fn a_client_secret_opens_no_more_than_is_offered() {
    let server = well_equipped(Arc::new(Silent)).await;
    for (session, param) in [
        (json!({"type": "realtime", "model": "openai/gpt-4o"}), "model"),
        (
            json!({"type": "realtime", "audio": {"input": {"transcription": {"model": "deepgram/nova-3"}}}}),
            "session.audio.input.transcription.model",
        ),
        (json!({"type": "realtime", "audio": {"output": {"voice": "openai/alloy"}}}), "session.audio.output.voice"),
        (
            json!({"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-4o"}}}}),
            "session.audio.input.transcription.model",
        ),
    ] {
        let answer = server.post("/v1/realtime/client_secrets", json!({"session": session})).await;
        assert_eq!(answer.openai(404), ("model_not_found".into(), param.into()));
    }
    let session = json!({"type": "realtime", "model": "openai/gpt-realtime"});
    assert!(secret(&server, json!({"session": session})).await.starts_with("ek_"));
}

/// A speech-to-speech model that cannot be had just now.
struct Silent;

impl RealtimeModel for Silent {
    fn capabilities(&self) -> RealtimeCapabilities {
        RealtimeCapabilities::default()
    }

    fn converse(
        &self,
        _: Opening,
        _: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        Box::pin(async { Err(ProviderError::new("silent", ErrorKind::Unavailable, "says nothing")) })
    }
}
