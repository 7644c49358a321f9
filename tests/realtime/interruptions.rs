//! A person speaks over the reply, or takes it back.

use std::time::Duration;

use providers::scripted::{Length, TtsScript};
use serde_json::json;
use voice_relay::realtime::Config;

use crate::{
    client::{Client, only, recording, sound},
    room::{Room, Script},
    turns::{says, typed},
};

/// A reply of half a minute that is handed out as it is heard.
fn talkative() -> Script {
    let tts = TtsScript { length: Length::Fixed(Duration::from_secs(30)), ..TtsScript::default() };
    let config = Config { websocket_lead_ms: 200, ..Config::default() };
    Script { stt: says(&["ten of clubs", "four queen of clubs", "seven of clubs"]), tts, config, ..Script::default() }
}

#[tokio::test]
async fn speaking_over_the_reply_stops_it_and_what_was_said_is_answered_every_time() {
    let room = Room::open(talkative()).await;
    let mut client = Client::join(&room).await;
    client.speak(&recording("cards-001")).await;
    client.until("response.output_audio.delta").await;
    for (name, said) in [("cards-002", "four queen of clubs"), ("cards-003", "seven of clubs")] {
        client.speak(&recording(name)).await;
        let cut = client.until("response.done").await;
        let done = cut.last().unwrap();
        assert_eq!(done["response"]["status"], "cancelled");
        assert_eq!(done["response"]["status_details"]["reason"], "turn_detected");
        assert_eq!(only(&cut, "input_audio_buffer.speech_started").len(), 1);
        assert_eq!(only(&cut, "response.output_audio.done").len(), 1);
        assert!(sound(&cut).len() < 10 * 48_000, "far less than the reply of 30 s");

        let id = done["response"]["id"].clone();
        let next = client.until("response.output_audio.delta").await;
        assert!(only(&next, "response.output_audio.delta").iter().all(|delta| delta["response_id"] != id));
        let words: String = only(&next, "response.output_audio_transcript.delta")
            .iter()
            .map(|delta| delta["delta"].as_str().unwrap())
            .collect();
        assert!(format!("You said: {said}").starts_with(&words), "{words}");
    }
}

#[tokio::test]
async fn a_cancelled_reply_ends_at_once_and_sends_no_more() {
    let room = Room::open(talkative()).await;
    let mut client = Client::join(&room).await;
    client.send(typed("tell me everything")).await;
    client.send(json!({"type": "response.create"})).await;
    client.until("response.output_audio.delta").await;
    client.send(json!({"type": "response.cancel"})).await;
    let done = client.until("response.done").await.pop().unwrap();
    assert_eq!(done["response"]["status_details"]["reason"], "client_cancelled");
    client.send(json!({"type": "response.cancel", "event_id": "again"})).await;
    let error = client.next().await;
    assert_eq!(error["error"]["code"], "response_cancel_not_active", "{error}");
}

#[tokio::test]
async fn speech_is_made_no_further_ahead_than_it_is_handed_out() {
    let mut script = talkative();
    script.config.synthesis_lead_ms = 1_000;
    let room = Room::open(script).await;
    let mut client = Client::join(&room).await;
    client.send(typed("tell me everything")).await;
    client.send(json!({"type": "response.create"})).await;
    // More than the lead and what may be made ahead comes only if releasing gives credit.
    let mut bytes = 0;
    while bytes < 3 * 48_000 {
        bytes += sound(&[client.next().await]).len();
    }
    client.send(json!({"type": "response.cancel"})).await;
    client.until("response.done").await;
}
