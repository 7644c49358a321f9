//! Whatever a client sends has a defined answer, and the session lives on.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use providers::scripted::SttScript;
use serde_json::json;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    client::{Client, append, only, recording},
    room::{Room, Script},
    turns::{manual, typed},
};

#[tokio::test]
async fn nonsense_is_answered_with_an_error_and_forgiven() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    let binary = Message::binary(vec![0_u8; 32]);
    let garbled = json!({"type": "input_audio_buffer.append", "audio": "!!!", "event_id": "e1"}).to_string();
    for (message, code) in [
        (Message::text("{"), "invalid_json"),
        (Message::text("[]"), "invalid_event"),
        (binary, "invalid_event"),
        (Message::text(r#"{"type":"no.such"}"#), "invalid_value"),
        (Message::text(garbled), "invalid_value"),
        (Message::text(format!("{{{}", " ".repeat(100_000))), "invalid_json"),
    ] {
        client.say(message).await;
        let error = client.next().await;
        assert_eq!(error["error"]["code"], code, "{error}");
    }
    client.send(typed("still there?")).await;
    client.until("conversation.item.done").await;
}

#[tokio::test]
async fn fifteen_mebibytes_in_one_append_are_heard_while_others_are_served() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join_with(&room, manual()).await;
    client.append(&vec![0; 15 * 1024 * 1024 / 2]).await;
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    let mut other = Client::join(&room).await;
    let asked = room.engine.clock.now();
    other.send(typed("hello")).await;
    other.until("conversation.item.done").await;
    assert!(room.engine.clock.now() - asked < Duration::from_secs(1), "a large append stalls everyone else");
    client.until("input_audio_buffer.committed").await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_with_1009() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    let oversize = Message::text(" ".repeat(23 << 20));
    // The server stops reading in the middle and says why.
    let _ = client.socket.send(oversize).await;
    assert_eq!(client.goodbye().await, 1009);
    room.is_empty().await;
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused_with_1007() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    let garbled = Frame::message(vec![b'{', 0xFF, b'}'], OpCode::Data(Data::Text), true);
    client.say(Message::Frame(garbled)).await;
    assert_eq!(client.goodbye().await, 1007);
    room.is_empty().await;
}

#[tokio::test]
async fn ten_thousand_tiny_appends_are_one_turn() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join_with(&room, manual()).await;
    for _ in 0..10_000 {
        client.append(&[100; 3]).await;
    }
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    client.until("input_audio_buffer.committed").await;
    assert_eq!(room.stt.calls(), 1);
}

#[tokio::test]
async fn commits_of_too_little_add_no_silence_and_tell_how_much_there_is() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join_with(&room, manual()).await;
    for attempt in 1..=10 {
        // Three bytes are a sample and half of one.
        client.send(json!({"type": "input_audio_buffer.append", "audio": "AAAA"})).await;
        client.send(json!({"type": "input_audio_buffer.commit", "event_id": "early"})).await;
        let error = client.next().await["error"].take();
        let told = format!("buffer only has {:.2}ms of audio.", f64::from(attempt * 3 / 2) / 24.0);
        assert!(error["message"].as_str().unwrap().ends_with(&told), "{told} {error}");
        assert_eq!((&error["code"], &error["event_id"]), (&json!("input_audio_buffer_commit_empty"), &json!("early")));
    }
    client.append(&[0; 2_400]).await;
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    client.until("input_audio_buffer.committed").await;
}

#[tokio::test]
async fn items_faster_than_they_are_read_back_are_all_kept_and_echoed() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    let text = "a".repeat(1_000_000);
    let (mut tell, mut hear) = (&mut client.socket).split();
    let told = async {
        for at in 0..60 {
            let content = json!([{"type": "input_text", "text": text}]);
            let item = json!({"id": format!("item {at}"), "type": "message", "role": "user", "content": content});
            let event = json!({"type": "conversation.item.create", "event_id": format!("event {at}"), "item": item});
            tell.send(Message::text(event.to_string())).await.unwrap();
        }
    };
    let heard = async {
        let mut answers = Vec::new();
        while answers.len() < 60 {
            let Message::Text(event) = hear.next().await.unwrap().unwrap() else { continue };
            let event: serde_json::Value = serde_json::from_str(&event).unwrap();
            match event["type"].as_str().unwrap() {
                "conversation.item.done" => answers.push(event["item"]["id"].as_str().unwrap().to_owned()),
                "error" => answers.push(event["error"]["event_id"].as_str().unwrap().to_owned()),
                _ => {}
            }
        }
        answers
    };
    let ((), answers) = tokio::join!(told, heard);
    // 32 MiB are as much as a conversation holds.
    let expected = (0..60).map(|at| if at < 33 { format!("item {at}") } else { format!("event {at}") });
    assert_eq!(answers, expected.collect::<Vec<_>>());
    drop((tell, hear));
    client.send(json!({"type": "conversation.item.retrieve", "item_id": "item 0"})).await;
    client.until("conversation.item.retrieved").await;
}

#[tokio::test]
async fn a_file_faster_than_real_time_is_heard_whole_by_a_provider_that_takes_its_time() {
    let stt = SttScript { open: Duration::from_secs(1), ..SttScript::default() };
    let room = Room::open(Script { stt, ..Script::default() }).await;
    let mut session = manual();
    session["audio"]["input"]["transcription"] = json!({"model": "whisper-1"});
    let mut client = Client::join_with(&room, session).await;
    // A minute, of which no more than a few seconds fit between the microphone and the provider.
    for _ in 0..60 {
        client.append(&[0; 24_000]).await;
    }
    client.send(json!({"type": "input_audio_buffer.commit"})).await;
    let events = client.until("conversation.item.input_audio_transcription.completed").await;
    assert_eq!(events.last().unwrap()["usage"]["seconds"], 60.0);
}

#[tokio::test]
async fn the_turns_of_a_file_are_found_in_stream_time() {
    let room = Room::open(Script::default()).await;
    let turn_detection = json!({"type": "server_vad", "create_response": false, "interrupt_response": false});
    let session = json!({"type": "realtime", "audio": {"input": {"turn_detection": turn_detection}}});
    let mut client = Client::join_with(&room, session).await;
    let mut starts = Vec::new();
    for name in ["cards-001", "cards-003", "cards-005"] {
        client.speak(&recording(name)).await;
        let events = client.until("input_audio_buffer.committed").await;
        starts.extend(only(&events, "input_audio_buffer.speech_started").iter().map(|e| e["audio_start_ms"].as_u64()));
    }
    assert!(starts.len() >= 3 && starts.is_sorted(), "{starts:?}");
}

#[tokio::test]
async fn an_hour_of_silence_is_nobodys_turn_and_the_words_after_it_are_heard() {
    const HOUR: u64 = 3_600_000;
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    let half_a_second = Message::text(append(&[0; 12_000]).to_string());
    for _ in 0..HOUR / 500 {
        client.say(half_a_second.clone()).await;
    }
    client.speak(&recording("cards-001")).await;
    let events = client.until("response.done").await;
    assert_eq!(events[0]["type"], "input_audio_buffer.speech_started", "nothing was told of the silence");
    let start = events[0]["audio_start_ms"].as_u64().unwrap();
    assert!((HOUR - 300..HOUR + 1_000).contains(&start), "{start}");
    assert_eq!(room.stt.calls(), only(&events, "input_audio_buffer.speech_started").len() as u64);
}
