//! Calls that go well.

use std::{fs, time::Duration};

use audio::{Clip, SampleRate, wav};
use providers::scripted::{LlmScript, Reply};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::{
    caller::{Caller, is_loud},
    relay::{Script, relay},
};

/// A recording of the samples folder at 24 kHz.
pub(crate) fn recording(name: &str) -> Vec<i16> {
    let path = format!("{}/samples/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let clip: Clip = wav::read(&fs::read(path).unwrap()).unwrap();
    clip.resampled(SampleRate::HZ_24000).unwrap().samples
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn a_spoken_question_is_answered_aloud_and_in_events() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    caller.say(&recording("question"));
    let events = caller.until("output_audio_buffer.stopped").await;
    let kinds = kinds(&events);
    for kind in [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.committed",
        "response.created",
        "output_audio_buffer.started",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.done",
        "output_audio_buffer.stopped",
    ] {
        assert!(kinds.contains(&kind), "{kind} is missing in {kinds:?}");
    }
    assert!(!kinds.contains(&"response.output_audio.delta"), "sound goes over RTP");
    let heard = caller.heard();
    assert!(heard.iter().any(|packet| is_loud(&packet.samples)));
    assert!(heard.iter().any(|packet| packet.marker));
}

#[tokio::test]
async fn packets_come_every_20_ms_whether_anybody_speaks_or_not() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    let mut last = caller.hear().await;
    let began = Instant::now();
    for _ in 0..50 {
        let next = caller.hear().await;
        assert_eq!(next.sequence, last.sequence.wrapping_add(1));
        assert_eq!(next.timestamp.wrapping_sub(last.timestamp) % 960, 0);
        assert_eq!(next.samples.len(), 480);
        last = next;
    }
    assert!(began.elapsed() > Duration::from_millis(900), "a burst: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_long_reply_that_a_fast_model_gives_all_at_once_is_told_whole() {
    let words = "word ".repeat(3_000);
    let llm = LlmScript { every: Reply::Text(words.clone()), ..LlmScript::default() };
    let relay = relay(Script { llm, ..Script::default() }).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    caller.send(json!({"type": "response.create", "response": {"output_modalities": ["text"]}})).await;
    let events = caller.until("response.done").await;
    let deltas = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    assert_eq!(deltas.map(|event| event["delta"].as_str().unwrap()).collect::<String>(), words);
}

#[tokio::test]
async fn audio_flows_soon_after_the_offer() {
    let relay = relay(Script::default()).await;
    let began = Instant::now();
    let mut caller = Caller::dial(&format!("{}/v1/realtime/calls?model=gpt-realtime", relay.url), &relay.key).await;
    caller.hear().await;
    println!("offer to first packet: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_hangup_ends_the_call() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    assert_eq!(relay.context.engine.admission.list().len(), 1);
    let id = caller.location.rsplit('/').next().unwrap().to_owned();
    assert!(id.starts_with("rtc_"), "{id}");
    let answer = relay.post(&format!("/v1/realtime/calls/{id}/hangup"), json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, Value::String(String::new())));
    caller.is_left().await;
    gone(&relay).await;
    assert_eq!(relay.post(&format!("/v1/realtime/calls/{id}/hangup"), json!({})).await.status, 404);
}

#[tokio::test]
async fn a_client_that_closes_its_connection_frees_its_place() {
    let relay = relay(Script::default()).await;
    let caller = Caller::call(&relay.url, &relay.key).await;
    caller.connection.close().await.unwrap();
    gone(&relay).await;
}

/// Waits until no session is live.
pub(crate) async fn gone(relay: &crate::server::Server) {
    let empty = async {
        while !relay.context.engine.admission.list().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(crate::caller::PATIENCE, empty).await.expect("a session outlived its client");
}
