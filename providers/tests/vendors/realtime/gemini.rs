//! What is told to Gemini Live, and when: it answers by itself, so what makes it answer waits.

use std::time::Duration;

use audio::Frame;
use providers::{
    ErrorKind,
    llm::{Message, Thought},
    realtime::{Command, Opening, Step},
};
use serde_json::{Value, json};

use super::{
    server::{Mood, Server, Vendor},
    suite::model,
    talk::{Talk, opening, respond, say, words},
};

/// What a client message is: the name of its part.
fn kinds(said: &[Value]) -> Vec<String> {
    let kind = |message: &Value| {
        let (name, inner) = message.as_object().unwrap().iter().next().unwrap();
        match (name.as_str(), inner.as_object().unwrap().keys().next()) {
            ("realtimeInput", Some(part)) => part.clone(),
            _ => name.clone(),
        }
    };
    said.iter().map(kind).collect()
}

async fn hear(talk: &Talk, frames: usize) {
    for _ in 0..frames {
        talk.tell(Command::Hear(Frame([9; Frame::SAMPLES]))).await;
    }
}

#[tokio::test]
async fn the_end_of_the_activity_waits_until_a_reply_is_wanted() {
    let server = Server::start(Vendor::Gemini, Mood::Binary).await;
    let mut talk = Talk::open(&*model(Vendor::Gemini, &server.base_url)).await.unwrap();
    hear(&talk, 2).await;
    talk.tell(Command::Commit).await;
    assert_eq!(kinds(&server.heard(5).await), ["setup", "clientContent", "activityStart", "audio", "audio"]);
    hear(&talk, 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.said.lock().unwrap().len(), 5, "the next utterance is not part of this one");
    talk.tell(respond(1)).await;
    assert_eq!(words(&talk.reply(1).await.unwrap()), "Hello there.", "binary messages are understood");
    assert_eq!(kinds(&server.heard(8).await)[5..], ["activityEnd", "activityStart", "audio"]);
    let heads = server.heads.lock().unwrap();
    let path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent\n";
    assert!(heads[0].starts_with(path) && heads[0].contains("x-goog-api-key: very-secret-key"), "{}", heads[0]);
}

#[tokio::test]
async fn what_is_heard_over_a_reply_waits_and_may_be_taken_back() {
    let server = Server::start(Vendor::Gemini, Mood::Slow).await;
    let mut talk = Talk::open(&*model(Vendor::Gemini, &server.base_url)).await.unwrap();
    talk.tell(say("Hello?")).await;
    talk.tell(respond(1)).await;
    talk.next().await.unwrap();
    hear(&talk, 3).await;
    talk.tell(Command::Discard).await;
    hear(&talk, 1).await;
    talk.tell(Command::Cancel).await;
    talk.tell(Command::Truncate(Duration::ZERO)).await;
    hear(&talk, 1).await;
    talk.tell(Command::Commit).await;
    talk.tell(respond(2)).await;
    talk.reply(2).await.unwrap();
    let mut expected = vec!["setup", "clientContent", "activityStart", "text", "activityEnd"];
    expected.extend(["activityStart", "audio", "audio", "activityEnd"]);
    assert_eq!(kinds(&server.heard(9).await), expected);
}

#[tokio::test]
async fn older_models_take_words_at_any_time() {
    let server = Server::start(Vendor::GeminiOlder, Mood::Well).await;
    let history = vec![Message::User("Hi".into()), Message::Assistant("Hello.".into())];
    let model = model(Vendor::GeminiOlder, &server.base_url);
    let mut talk = Talk::open_with(&*model, Opening { history, ..opening() }).await.unwrap();
    talk.tell(say("How are you?")).await;
    talk.tell(respond(1)).await;
    talk.reply(1).await.unwrap();
    let said = server.heard(3).await;
    assert_eq!(said[1]["clientContent"]["turnComplete"], false);
    assert_eq!(said[1]["clientContent"]["turns"][1], json!({"role": "model", "parts": [{"text": "Hello."}]}));
    let asked = json!({"turns": [{"role": "user", "parts": [{"text": "How are you?"}]}], "turnComplete": true});
    assert_eq!(said[2]["clientContent"], asked);
    talk.tell(respond(2)).await;
    talk.reply(2).await.unwrap();
    assert_eq!(server.heard(4).await[3]["clientContent"], json!({"turnComplete": true}));
}

#[tokio::test]
async fn the_history_comes_before_what_is_heard_however_late_it_is_told() {
    for typed in [false, true] {
        let server = Server::start(Vendor::Gemini, Mood::Well).await;
        let mut talk = Talk::open(&*model(Vendor::Gemini, &server.base_url)).await.unwrap();
        if !typed {
            hear(&talk, 1).await;
        }
        talk.tell(say("Hi")).await;
        talk.tell(Command::Add(Message::Assistant("Hello.".into()))).await;
        talk.tell(if typed { say("How are you?") } else { Command::Commit }).await;
        talk.tell(respond(1)).await;
        talk.reply(1).await.unwrap();
        let said = server.heard(5).await;
        let live = if typed { "text" } else { "audio" };
        assert_eq!(kinds(&said), ["setup", "clientContent", "activityStart", live, "activityEnd"]);
        assert_eq!(said[0]["setup"]["historyConfig"], json!({"initialHistoryInClientContent": true}));
        let history =
            json!([{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "Hello."}]}]);
        assert_eq!(said[1]["clientContent"], json!({"turns": history, "turnComplete": true}));
    }
}

#[tokio::test]
async fn a_functions_answer_waits_until_a_reply_is_wanted() {
    let call =
        r#"{"toolCall":{"functionCalls":[{"id":"c1","name":"look","args":{"at":1}},{"id":"c2","name":"wait"}]}}"#;
    let server = Server::start(Vendor::Gemini, Mood::Garbled(3, call)).await;
    let mut talk = Talk::open(&*model(Vendor::Gemini, &server.base_url)).await.unwrap();
    talk.tell(say("Look")).await;
    talk.tell(respond(1)).await;
    let steps = talk.reply(1).await.unwrap();
    assert!(steps.contains(&Step::Thought(Thought::CallStarted { call: "c1".into(), name: "look".into() })));
    assert!(steps.contains(&Step::Thought(Thought::CallArguments(r#"{"at":1}"#.into()))));
    talk.tell(Command::Add(Message::Result { call: "c1".into(), output: r#"{"seen":true}"#.into() })).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.said.lock().unwrap().len(), 5);
    talk.tell(respond(2)).await;
    let answered = &server.heard(6).await[5]["toolResponse"]["functionResponses"];
    assert_eq!(answered[0], json!({"id": "c1", "name": "look", "response": {"seen": true}}));
    assert_eq!(answered[1]["response"], json!({"result": "(no result yet)"}));
}

#[tokio::test]
async fn a_farewell_ends_the_conversation_between_replies() {
    let server = Server::start(Vendor::Gemini, Mood::Garbled(2, r#"{"goAway":{"timeLeft":"50s"}}"#)).await;
    let mut talk = Talk::open(&*model(Vendor::Gemini, &server.base_url)).await.unwrap();
    hear(&talk, 5).await;
    talk.tell(Command::Commit).await;
    talk.tell(respond(1)).await;
    assert_eq!(words(&talk.reply(1).await.unwrap()), "Hello there.", "what is under way is not cut");
    assert_eq!(talk.next().await.unwrap_err().kind, ErrorKind::Unavailable);
}
