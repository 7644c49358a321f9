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

/// "Mm": harmonics of a voice through the formants of a closed mouth, at 24 kHz, and a second of silence.
fn hum(millis: u16) -> Vec<i16> {
    let gain = |f: f32| {
        let formants = [(260.0, 60.0), (1_050.0, 150.0), (2_200.0, 200.0), (2_900.0, 250.0)];
        formants.iter().map(|&(at, wide): &(f32, f32)| at * at / (at * at - f * f).hypot(wide * f)).product::<f32>()
    };
    let (seconds, mut phase) = (f32::from(millis) / 1_000.0, 0.0_f32);
    let hum = (0..millis * 24).map(|at| {
        let time = f32::from(at) / 24_000.0;
        let pitch = 120.0 * (1.0 + 0.2 * time);
        phase += std::f32::consts::TAU * pitch / 24_000.0;
        let sum: f32 = (1..40_u8).map(f32::from).map(|k| gain(k * pitch) / k * (k * phase).sin()).sum();
        (sum * (time / 0.03).min((seconds - time) / 0.05).clamp(0.0, 1.0) * 1_500.0) as i16
    });
    hum.chain(vec![0; 24_000]).collect()
}

#[tokio::test]
async fn a_hum_over_the_reply_does_not_stop_it_and_words_after_it_do() {
    let stt = says(&["ten of clubs", "Mm-hm.", "seven of clubs"]);
    let room = Room::open(Script { stt, ..talkative() }).await;
    let mut client = Client::join(&room).await;
    client.speak(&recording("cards-001")).await;
    client.until("response.output_audio.delta").await;
    let quiet = recording("cards-001").len() as u64 / 24 + 1_000;
    client.append(&hum(500)).await;
    client.speak(&recording("cards-003")).await;
    let cut = client.until("response.done").await;
    assert_eq!(cut.last().unwrap()["response"]["status_details"]["reason"], "turn_detected");
    let started = only(&cut, "input_audio_buffer.speech_started");
    assert_eq!(started.len(), 1);
    assert!(started[0]["audio_start_ms"].as_u64().unwrap() > quiet + 500, "{started:?}");
}

#[tokio::test]
async fn a_short_even_sound_stops_the_reply_once_it_is_understood_as_a_word() {
    let room = Room::open(Script { stt: says(&["ten of clubs", "No."]), ..talkative() }).await;
    let mut client = Client::join(&room).await;
    client.speak(&recording("cards-001")).await;
    client.until("response.output_audio.delta").await;
    client.append(&hum(350)).await;
    let cut = client.until("response.done").await;
    assert_eq!(cut.last().unwrap()["response"]["status_details"]["reason"], "turn_detected");
    let next = client.until("response.output_audio_transcript.delta").await;
    assert_eq!(only(&next, "input_audio_buffer.committed").len(), 1);
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
