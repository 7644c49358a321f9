//! Sessions share nothing that one could spoil for another.

use serde_json::Value;

use crate::{
    client::{Client, only, recording},
    room::{Room, Script},
};

/// Where the turns of a speaker begin and end.
async fn turns(room: &Room, silent: &mut [Client]) -> Vec<(Value, Value)> {
    let turn_detection = serde_json::json!({"type": "server_vad", "create_response": false});
    let session = serde_json::json!({"type": "realtime", "audio": {"input": {"turn_detection": turn_detection}}});
    let mut speaker = Client::join_with(room, session).await;
    let mut turns = Vec::new();
    for name in ["cards-001", "cards-002", "austen-0880", "cards-004"] {
        for chunk in recording(name).into_iter().chain([0; 36_000]).collect::<Vec<_>>().chunks(480) {
            speaker.append(chunk).await;
            for client in &mut *silent {
                client.append(&[0; 480]).await;
            }
        }
    }
    speaker.send(serde_json::json!({"type": "input_audio_buffer.clear"})).await;
    let events = speaker.until("input_audio_buffer.cleared").await;
    let starts = only(&events, "input_audio_buffer.speech_started");
    let ends = only(&events, "input_audio_buffer.speech_stopped");
    for (start, end) in starts.into_iter().zip(ends) {
        turns.push((start["audio_start_ms"].clone(), end["audio_end_ms"].clone()));
    }
    turns
}

#[tokio::test]
async fn twenty_silent_sessions_beside_a_speaker_change_nothing_in_its_turns() {
    let room = Room::open(Script::default()).await;
    let alone = turns(&room, &mut []).await;
    assert!(alone.len() >= 4, "{alone:?}");
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(Client::join(&room).await);
    }
    assert_eq!(turns(&room, &mut silent).await, alone);
}
