//! What is told to OpenAI's realtime servers, in which order, and where.

use std::time::Duration;

use audio::Frame;
use providers::{
    ErrorKind, Json, RealtimeModel, azure,
    llm::{Call, Message, Thought, Tool},
    openai::realtime::{Dialect, Settings},
    realtime::{Command, Manner, Opening, Step},
    tts::Voice,
};
use serde_json::{Value, json};

use super::{
    server::{Mood, Server, Vendor},
    suite::model,
    talk::{Talk, manner, respond},
};

fn types(said: &[Value]) -> Vec<&str> {
    said.iter().map(|message| message["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_conversation_is_told_from_its_beginning_in_order() {
    let server = Server::start(Vendor::OpenAi, Mood::Well).await;
    let history = vec![
        Message::System("Be brief.".into()),
        Message::User("Hi".into()),
        Message::Assistant("Hello.".into()),
        Message::Call(Call { call: "c1".into(), name: "look".into(), arguments: "{}".into() }),
        Message::Result { call: "c1".into(), output: "seen".into() },
    ];
    let model = model(Vendor::OpenAi, &server.base_url);
    let mut talk = Talk::open_with(&*model, Opening { model: None, manner: manner(), history }).await.unwrap();
    for _ in 0..10 {
        talk.tell(Command::Hear(Frame([9; Frame::SAMPLES]))).await;
    }
    talk.tell(Command::Commit).await;
    talk.tell(respond(1)).await;
    talk.reply(1).await.unwrap();
    talk.tell(Command::Truncate(Duration::from_micros(250))).await;
    talk.tell(Command::Hear(Frame::SILENCE)).await;
    talk.tell(Command::Discard).await;
    let said = server.heard(21).await;
    let mut expected = vec!["session.update"];
    expected.extend(["conversation.item.create"; 5]);
    expected.extend(["input_audio_buffer.append"; 11]);
    expected.extend(["input_audio_buffer.commit", "response.create", "conversation.item.truncate"]);
    expected.extend(["input_audio_buffer.append", "input_audio_buffer.clear"]);
    assert_eq!(types(&said)[..21], expected[..21]);
    assert_eq!(said[0]["session"]["instructions"], "Be kind.");
    assert_eq!(said[0]["session"]["audio"]["input"]["turn_detection"], Value::Null);
    assert_eq!(said[5]["item"], json!({"type": "function_call_output", "call_id": "c1", "output": "seen"}));
    assert_eq!(said[18], json!({"type": "response.create", "event_id": "reply_1"}));
    let cut = json!({"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0, "audio_end_ms": 0});
    assert_eq!(said[19], cut);
    let bytes: usize = said[6..17].iter().map(|message| decoded(&message["audio"])).sum();
    assert_eq!(bytes, 24_000 / 5 * 2, "200 ms at 24 kHz");
    let heads = server.heads.lock().unwrap();
    assert!(heads[0].starts_with("/v1/realtime?model=gpt-realtime\n"), "{}", heads[0]);
    assert!(heads[0].contains("authorization: Bearer very-secret-key") && !heads[0].contains("openai-beta"));
}

fn decoded(audio: &Value) -> usize {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.decode(audio.as_str().unwrap()).unwrap().len()
}

#[tokio::test]
async fn the_next_reply_is_asked_for_when_the_one_before_is_over_at_the_vendors() {
    // After the settings and a reply's first six messages, the vendor says no more.
    let server = Server::start(Vendor::OpenAi, Mood::Mute(8)).await;
    let mut talk = Talk::open(&*model(Vendor::OpenAi, &server.base_url)).await.unwrap();
    talk.tell(respond(1)).await;
    talk.next().await.unwrap();
    talk.tell(Command::Cancel).await;
    talk.tell(respond(2)).await;
    talk.tell(Command::Hear(Frame::SILENCE)).await;
    let said = server.heard(4).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(types(&said), ["session.update", "response.create", "response.cancel", "input_audio_buffer.append"]);
    assert_eq!(server.said.lock().unwrap().len(), 4);

    let server = Server::start(Vendor::OpenAi, Mood::Well).await;
    let mut talk = Talk::open(&*model(Vendor::OpenAi, &server.base_url)).await.unwrap();
    talk.tell(respond(1)).await;
    talk.next().await.unwrap();
    talk.tell(Command::Cancel).await;
    talk.tell(respond(2)).await;
    talk.reply(2).await.unwrap();
    let said = server.heard(4).await;
    assert_eq!(types(&said), ["session.update", "response.create", "response.cancel", "response.create"]);
    assert_eq!(said[2]["response_id"], "resp_1");
}

#[tokio::test]
async fn a_reply_in_another_manner_says_how_it_differs() {
    let server = Server::start(Vendor::OpenAi, Mood::Well).await;
    let mut talk = Talk::open(&*model(Vendor::OpenAi, &server.base_url)).await.unwrap();
    let tool = Tool { name: "look".into(), description: String::new(), parameters: Json::from_checked("{}") };
    let voice = Some(Voice { name: "cedar".into(), language: None, speed: 1.25 });
    let other = Manner { instructions: "Be short.".into(), tools: vec![tool], voice, ..manner() };
    for reply in [1, 2] {
        talk.tell(Command::Respond { reply, manner: Box::new(other.clone()) }).await;
        talk.reply(reply).await.unwrap();
    }
    let said = server.heard(4).await;
    assert_eq!(types(&said), ["session.update", "session.update", "response.create", "response.create"]);
    assert_eq!(said[1]["session"], json!({"type": "realtime", "audio": {"output": {"speed": 1.25}}}));
    assert_eq!(said[2]["response"]["instructions"], "Be short.");
    assert_eq!(said[2]["response"]["audio"], json!({"output": {"voice": "cedar"}}));
    assert_eq!(said[3]["response"].get("audio"), None, "once it has spoken its voice stays");
}

#[tokio::test]
async fn expiry_ends_a_conversation_and_small_complaints_do_not() {
    let server = Server::start(Vendor::OpenAi, Mood::Well).await;
    let mut talk = Talk::open(&*model(Vendor::OpenAi, &server.base_url)).await.unwrap();
    server
        .say(r#"{"type":"error","error":{"type":"invalid_request_error","code":"invalid_value","message":"no"}}"#)
        .await;
    talk.tell(respond(1)).await;
    talk.reply(1).await.unwrap();
    server.say(r#"{"type":"error","error":{"code":"session_expired","message":"60 minutes, very-secret-key"}}"#).await;
    let error = talk.next().await.unwrap_err();
    assert_eq!((error.kind, error.provider.as_ref()), (ErrorKind::Unavailable, "openai/gpt-realtime"));
    assert!(!error.detail.contains("very-secret-key"));
}

#[tokio::test]
async fn refused_settings_do_not_open_a_conversation() {
    let refusal = r#"{"type":"error","error":{"type":"invalid_request_error","code":"invalid_model","message":"no"}}"#;
    let server = Server::start(Vendor::OpenAi, Mood::Garbled(0, refusal)).await;
    let error = Talk::open(&*model(Vendor::OpenAi, &server.base_url)).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Rejected);
}

#[tokio::test]
async fn calls_are_made_and_answered() {
    let server = Server::start(Vendor::OpenAi, Mood::Garbled(3, CALL)).await;
    let mut talk = Talk::open(&*model(Vendor::OpenAi, &server.base_url)).await.unwrap();
    talk.tell(respond(1)).await;
    let steps = talk.reply(1).await.unwrap();
    let call = Step::Thought(Thought::CallStarted { call: "call_1".into(), name: "look".into() });
    assert!(steps.contains(&call), "{steps:?}");
    talk.tell(Command::Add(Message::Result { call: "call_1".into(), output: "seen".into() })).await;
    talk.tell(respond(2)).await;
    talk.reply(2).await.unwrap();
    let said = server.heard(4).await;
    assert_eq!(said[2]["item"], json!({"type": "function_call_output", "call_id": "call_1", "output": "seen"}));
}

const CALL: &str = r#"{"type":"response.function_call_arguments.done","event_id":"event_30","response_id":"resp_1","item_id":"item_9","output_index":1,"call_id":"call_1","name":"look","arguments":"{\"at\":1}"}"#;

#[tokio::test]
async fn each_dialect_and_vendor_has_its_address_and_its_key() {
    for (dialect, path) in [
        (Dialect::Ga, "/openai/v1/realtime?model=my-realtime\n"),
        (Dialect::Beta, "/openai/realtime?api-version=2024-10-01-preview&deployment=my-realtime\n"),
    ] {
        let server = Server::start(Vendor::Azure, Mood::Well).await;
        let config = azure::llm::Config {
            base_url: server.base_url.clone(),
            key: Some("k-1".into()),
            api_version: Some("2024-10-01-preview".into()),
            ..azure::llm::Config::default()
        };
        let settings = Settings { dialect, ..Settings::default() };
        let model = azure::RealtimeModel::new("azure/my-realtime", "my-realtime", config.into(), settings);
        Talk::open(&model as &dyn RealtimeModel).await.unwrap();
        let heads = server.heads.lock().unwrap();
        assert!(heads[0].starts_with(path) && heads[0].contains("api-key: k-1"), "{}", heads[0]);
    }
    let server = Server::start(Vendor::OpenAiBeta, Mood::Well).await;
    Talk::open(&*model(Vendor::OpenAiBeta, &server.base_url)).await.unwrap();
    assert!(server.heads.lock().unwrap()[0].contains("openai-beta: realtime=v1"));
    assert_eq!(server.heard(1).await[0]["session"]["modalities"], json!(["text", "audio"]));
}
