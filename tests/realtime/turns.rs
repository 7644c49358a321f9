//! A turn is heard, understood and answered.

use std::{sync::Arc, time::Duration};

use audio::Frame;
use futures_util::future::BoxFuture;
use providers::{
    ProviderError, TurnDetector,
    scripted::{Length, LlmScript, Reply, SttScript, TtsScript},
};
use serde_json::json;
use tokio::sync::mpsc;
use voice_relay::realtime::history::Entry;

use crate::{
    client::{Client, kinds, only, recording, sound},
    room::{Room, Script},
};

#[tokio::test]
async fn a_spoken_question_is_transcribed_and_answered_aloud_in_the_wires_order() {
    let llm = LlmScript { replies: vec![Reply::Text("Right.".to_owned())], ..LlmScript::default() };
    let room = Room::open(Script { stt: says(&["ten of clubs"]), llm, ..Script::default() }).await;
    let session = json!({"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}});
    let mut client = Client::join_with(&room, session).await;
    client.speak(&recording("cards-001")).await;
    let events = client.until("response.done").await;

    let transcript: Vec<_> = only(&events, "conversation.item.input_audio_transcription.completed");
    assert_eq!(transcript[0]["transcript"], "ten of clubs");
    let rest: Vec<_> =
        events.iter().filter(|event| !event["type"].as_str().unwrap().contains("transcription")).cloned().collect();
    let once = |kind: &str| assert_eq!(only(&rest, kind).len(), 1, "{kind}");
    let order = [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.done",
    ];
    let found = kinds(&rest);
    let firsts = order.iter().map(|kind| found.iter().position(|found| found == kind).expect(kind));
    assert!(firsts.is_sorted(), "{found:?}");
    once("input_audio_buffer.speech_started");
    once("response.created");
    assert_eq!(events.last().unwrap()["response"]["status"], "completed");
    // 60 ms a character at 24 kHz, two bytes a sample.
    assert_eq!(sound(&events).len(), "Right.".len() * 60 * 48);
}

/// The place and the words of each delta of the person's transcript.
fn deltas(events: &[serde_json::Value]) -> (Vec<usize>, String) {
    let kind = "conversation.item.input_audio_transcription.delta";
    let places = (0..events.len()).filter(|&at| events[at]["type"] == kind).collect();
    let words = only(events, kind).iter().map(|delta| delta["delta"].as_str().unwrap()).collect();
    (places, words)
}

#[tokio::test]
async fn words_are_told_while_the_person_still_speaks_and_only_added_to() {
    let stt = SttScript { partials: Some(Duration::from_millis(200)), ..says(&["ten of clubs"]) };
    let room = Room::open(Script { stt, ..Script::default() }).await;
    let session = json!({"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}});
    let mut client = Client::join_with(&room, session).await;
    client.append(&recording("cards-001")).await;
    // Nothing has ended the turn yet: without words before its end this would wait in vain.
    let mut events = client.until("conversation.item.input_audio_transcription.delta").await;
    client.append(&[0; 24_000]).await;
    events.extend(client.until("conversation.item.input_audio_transcription.completed").await);

    let at = |kind: &str| events.iter().position(|event| event["type"] == kind).expect(kind);
    let (places, words) = deltas(&events);
    assert!(at("input_audio_buffer.speech_started") < places[0]);
    assert!(places[0] < at("input_audio_buffer.speech_stopped"));
    let item = &events[at("input_audio_buffer.speech_started")]["item_id"];
    assert!(places.iter().all(|&place| events[place]["item_id"] == *item && events[place]["content_index"] == 0));
    assert!("ten of clubs".starts_with(&words), "{words}");
    assert_eq!(events.last().unwrap()["transcript"], "ten of clubs");
    assert_eq!(events.last().unwrap()["item_id"], *item);
}

#[tokio::test]
async fn words_of_a_manual_turn_are_told_before_its_commit() {
    let stt = SttScript { partials: Some(Duration::from_millis(200)), ..says(&["five five"]) };
    let room = Room::open(Script { stt, ..Script::default() }).await;
    let mut session = manual();
    session["audio"]["input"]["transcription"] = json!({"model": "whisper-1"});
    let mut client = Client::join_with(&room, session).await;
    client.append(&recording("cards-004")).await;
    let told = client.until("conversation.item.input_audio_transcription.delta").await;
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    let events = client.until("conversation.item.input_audio_transcription.completed").await;
    let committed = only(&events, "input_audio_buffer.committed")[0];
    assert_eq!(told.last().unwrap()["item_id"], committed["item_id"]);
}

#[tokio::test]
async fn a_manual_turn_is_answered_when_it_is_committed_and_asked_for_at_once() {
    let script = Script { stt: says(&["five five"]), ..Script::default() };
    let room = Room::open(script).await;
    let mut client = Client::join_with(&room, manual()).await;
    client.append(&recording("cards-004")).await;
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    client.send(json!({"type": "response.create"})).await;
    let events = client.until("response.done").await;
    assert_eq!(only(&events, "input_audio_buffer.committed").len(), 1);
    let said = only(&events, "response.output_audio_transcript.done");
    assert_eq!(said[0]["transcript"], "You said: five five");
}

#[tokio::test]
async fn what_is_committed_is_heard_to_the_last_frame_and_no_further() {
    let room = Room::open(Script::default()).await;
    let mut session = manual();
    session["audio"]["input"]["transcription"] = json!({"model": "whisper-1"});
    let mut client = Client::join_with(&room, session).await;
    // 105 ms: five frames and a quarter, which is filled up.
    for samples in [2_520, 2_400] {
        client.append(&vec![1_000; samples]).await;
        client.send(json!({"type": "input_audio_buffer.commit"})).await;
        let events = client.until("conversation.item.input_audio_transcription.completed").await;
        let expected = if samples == 2_520 { 0.12 } else { 0.1 };
        assert_eq!(events.last().unwrap()["usage"]["seconds"], expected);
    }
}

#[tokio::test]
async fn the_second_of_two_commits_at_once_finds_the_buffer_empty() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join_with(&room, manual()).await;
    client.append(&[0; 24_000]).await;
    client.send(json!({"type": "input_audio_buffer.commit", "event_id": "first"})).await;
    client.send(json!({"type": "input_audio_buffer.commit", "event_id": "second"})).await;
    let events = client.until("error").await;
    assert_eq!(only(&events, "input_audio_buffer.committed").len(), 1);
    let error = &events.last().unwrap()["error"];
    assert_eq!((&error["code"], &error["event_id"]), (&json!("input_audio_buffer_commit_empty"), &json!("second")));
}

#[tokio::test]
async fn what_was_cleared_is_not_committed() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join_with(&room, manual()).await;
    client.append(&[0; 24_000]).await;
    client.send(json!({"type": "input_audio_buffer.clear"})).await;
    client.until("input_audio_buffer.cleared").await;
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    let error = client.until("error").await.pop().unwrap();
    assert_eq!(error["error"]["code"], "input_audio_buffer_commit_empty");
    client.append(&[0; 4_800]).await;
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    client.until("input_audio_buffer.committed").await;
}

#[tokio::test]
async fn a_typed_question_is_answered_in_text_alone() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join_with(&room, json!({"type": "realtime", "output_modalities": ["text"]})).await;
    client.send(typed("good morning")).await;
    client.send(json!({"type": "response.create"})).await;
    let events = client.until("response.done").await;
    let said = only(&events, "response.output_text.done");
    assert_eq!(said[0]["text"], "You said: good morning");
    assert!(sound(&events).is_empty());
}

#[tokio::test]
async fn telephony_speech_comes_at_8_khz_and_lasts_as_long() {
    let length = Length::Fixed(Duration::from_millis(1_010));
    let tts = TtsScript { length, ..TtsScript::default() };
    let llm = LlmScript { replies: vec![Reply::Text("Right.".to_owned())], ..LlmScript::default() };
    let room = Room::open(Script { llm, tts, ..Script::default() }).await;
    let output = json!({"format": {"type": "audio/pcmu"}});
    let mut client = Client::join_with(&room, json!({"type": "realtime", "audio": {"output": output}})).await;
    client.send(typed("hello")).await;
    client.send(json!({"type": "response.create"})).await;
    let events = client.until("response.done").await;
    assert_eq!(sound(&events).len(), 8_080);
}

#[tokio::test]
async fn a_turn_detector_hears_the_turn_up_to_the_pause_and_its_yes_ends_the_turn() {
    let (told, mut asked) = mpsc::unbounded_channel();
    let turn = Some(Arc::new(Certain(told)) as _);
    let room = Room::open(Script { turn, ..Script::default() }).await;
    let detection = json!({"type": "semantic_vad", "eagerness": "low"});
    let session = json!({"type": "realtime", "audio": {"input": {"turn_detection": detection}}});
    let mut client = Client::join_with(&room, session).await;
    client.append(&recording("cards-001")).await;
    // Far less than the 8 s that a low eagerness would wait without the detector's yes.
    client.append(&[0; 24 * 1_500]).await;
    let events = client.until("input_audio_buffer.speech_stopped").await;
    let heard = asked.recv().await.unwrap();
    let start = only(&events, "input_audio_buffer.speech_started")[0]["audio_start_ms"].as_u64().unwrap();
    let end = events.last().unwrap()["audio_end_ms"].as_u64().unwrap();
    assert!(heard >= 500 && heard <= end - start, "{heard} ms of {start}..{end}");
    client.until("response.created").await;
}

#[tokio::test]
async fn what_was_said_and_heard_is_in_the_history() {
    let script = Script { stt: says(&["seven of clubs"]), ..Script::default() };
    let room = Room::open(script).await;
    let mut client = Client::join(&room).await;
    client.speak(&recording("cards-003")).await;
    client.until("response.done").await;
    client.socket.close(None).await.unwrap();
    assert!(room.engine.drain.finish(Duration::from_secs(10)).await);

    let entries = room.diary.0.borrow();
    assert!(matches!(entries[0].1, Entry::Opened { .. }));
    assert!(matches!(entries.last().unwrap().1, Entry::Closed { complete: true, .. }));
    let text = format!("{entries:?}");
    assert!(text.contains("You said: seven of clubs") && text.contains("\"seven of clubs\""), "{text}");
}

/// A turn detector that is always sure, and tells how many milliseconds it heard.
struct Certain(mpsc::UnboundedSender<u64>);

impl TurnDetector for Certain {
    fn complete(&self, audio: Vec<Frame>) -> BoxFuture<'_, Result<f32, ProviderError>> {
        let _ = self.0.send(20 * audio.len() as u64);
        Box::pin(async { Ok(1.0) })
    }
}

pub(crate) fn says(texts: &[&str]) -> SttScript {
    SttScript { texts: texts.iter().map(|&text| text.to_owned()).collect(), ..SttScript::default() }
}

pub(crate) fn manual() -> serde_json::Value {
    json!({"type": "realtime", "audio": {"input": {"turn_detection": null}}})
}

pub(crate) fn typed(text: &str) -> serde_json::Value {
    let content = json!([{"type": "input_text", "text": text}]);
    json!({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}})
}
