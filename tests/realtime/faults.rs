//! A provider fails; the session says so and lives on.

use providers::{
    ErrorKind,
    scripted::{Fault, Faults, LlmScript, SttScript, TtsScript},
};
use serde_json::json;
use voice_relay::realtime::Config;

use crate::{
    client::{Client, only, recording},
    room::{Room, Script},
    turns::typed,
};

/// Ways to fail a first call; the second one works.
fn faults() -> [Faults; 5] {
    [
        Fault::Refuse(ErrorKind::Unavailable),
        Fault::Ignore,
        Fault::Break { after: 0, kind: ErrorKind::RateLimited },
        Fault::Hang { after: 0 },
        Fault::Vanish { after: 0 },
    ]
    .map(|fault| Faults::default().on(1, fault))
}

fn impatient() -> Config {
    Config { patience_secs: 1, ..Config::default() }
}

#[tokio::test]
async fn a_model_that_fails_fails_its_response_and_the_next_is_answered() {
    for faults in faults() {
        let llm = LlmScript { faults, ..LlmScript::default() };
        let room = Room::open(Script { llm, config: impatient(), ..Script::default() }).await;
        fails_once(&mut Client::join(&room).await).await;
    }
}

#[tokio::test]
async fn a_voice_that_fails_fails_its_response_and_the_next_is_spoken() {
    for faults in faults() {
        let tts = TtsScript { faults, ..TtsScript::default() };
        let room = Room::open(Script { tts, config: impatient(), ..Script::default() }).await;
        fails_once(&mut Client::join(&room).await).await;
    }
}

#[tokio::test]
async fn speech_that_could_not_be_understood_is_told_and_the_next_turn_is_answered() {
    for faults in faults() {
        let stt = SttScript { faults, ..SttScript::default() };
        let room = Room::open(Script { stt, config: impatient(), ..Script::default() }).await;
        let session = json!({"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}});
        let mut client = Client::join_with(&room, session).await;
        client.speak(&recording("cards-001")).await;
        client.until("conversation.item.input_audio_transcription.failed").await;
        client.speak(&recording("cards-003")).await;
        let mut events = client.until("response.done").await;
        if events.last().unwrap()["response"]["status"] != "completed" {
            events = client.until("response.done").await;
        }
        assert_eq!(events.last().unwrap()["response"]["status"], "completed");
    }
}

async fn fails_once(client: &mut Client) {
    for status in ["failed", "completed"] {
        client.send(typed("hello")).await;
        client.send(json!({"type": "response.create"})).await;
        let events = client.until("response.done").await;
        let done = events.last().unwrap();
        assert_eq!(done["response"]["status"], status, "{done}");
        let added = only(&events, "response.output_item.added").len();
        assert_eq!(added, only(&events, "response.output_item.done").len());
    }
}
