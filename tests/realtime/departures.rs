//! How sessions end: the client leaves, vanishes or does not read; the server expires it, kicks it or shuts down.

use std::time::Duration;

use providers::scripted::{Length, TtsScript};
use serde_json::json;
use voice_relay::realtime::Config;

use crate::{
    client::{Client, recording},
    room::{Room, Script},
    turns::typed,
};

#[tokio::test]
async fn a_client_that_leaves_is_let_go() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    assert_eq!(room.engine.admission.list().len(), 1);
    client.socket.close(None).await.unwrap();
    room.is_empty().await;
}

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_of_everything_leaves_nothing_behind() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    client.append(&recording("austen-0870")).await;
    client.until("input_audio_buffer.speech_started").await;
    let Client { socket } = client;
    // No goodbye: the socket is reset.
    let stream = socket.into_inner();
    stream.set_zero_linger().unwrap();
    drop(stream);
    room.is_empty().await;
    assert!(room.engine.drain.finish(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn a_client_that_gives_no_sign_of_life_is_given_up() {
    let config = Config { stall_secs: 1, ..Config::default() };
    let room = Room::open(Script { config, ..Script::default() }).await;
    // Gone in the middle of a word without FIN: its connection stands, but nothing comes, not even an answer to pings.
    let mut client = Client::join(&room).await;
    client.append(&recording("austen-0870")[..36_000]).await;
    client.until("input_audio_buffer.speech_started").await;
    room.is_empty().await;
    drop(client);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_with_1013() {
    let tts = TtsScript { length: Length::Fixed(Duration::from_secs(120)), ..TtsScript::default() };
    let config = Config {
        websocket_lead_ms: 600_000,
        synthesis_lead_ms: 600_000,
        downlink_bytes: 256 * 1024,
        ..Config::default()
    };
    let room = Room::open(Script { tts, config, ..Script::default() }).await;
    let mut client = Client::join(&room).await;
    client.send(typed("tell me everything")).await;
    client.send(json!({"type": "response.create"})).await;
    // Nothing is read until the server has given up.
    room.is_empty().await;
    assert_eq!(client.goodbye().await, 1013);
}

#[tokio::test]
async fn a_session_expires_with_an_error_and_1001() {
    let config = Config { longest_session_secs: 1, ..Config::default() };
    let room = Room::open(Script { config, ..Script::default() }).await;
    let mut client = Client::join(&room).await;
    let error = client.next().await;
    assert_eq!(error["error"]["code"], "session_expired");
    assert_eq!(client.goodbye().await, 1001);
}

#[tokio::test]
async fn a_kicked_session_is_told_goodbye() {
    let room = Room::open(Script::default()).await;
    let mut client = Client::join(&room).await;
    assert!(room.engine.admission.kick(room.engine.admission.list()[0].id));
    assert_eq!(client.goodbye().await, 1000);
}

#[tokio::test]
async fn shutdown_lets_a_reply_end_and_tells_everyone_1001() {
    let room = Room::open(Script::default()).await;
    let mut idle = Client::join(&room).await;
    let mut busy = Client::join(&room).await;
    busy.send(typed("one last word")).await;
    busy.send(json!({"type": "response.create"})).await;
    busy.until("response.created").await;
    let drained = tokio::spawn({
        let drain = room.engine.drain.clone();
        async move { drain.finish(Duration::from_secs(15)).await }
    });
    assert_eq!(idle.goodbye().await, 1001);
    assert_eq!(busy.until("response.done").await.pop().unwrap()["response"]["status"], "completed");
    assert_eq!(busy.goodbye().await, 1001);
    drop((idle, busy));
    assert!(drained.await.unwrap());
}
