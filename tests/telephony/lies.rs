//! A stream that lies about itself is told so and ends; other calls do not feel it.

use std::time::Duration;

use audio::Encoding;
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    gateway::{Gateway, Socket, dial, of},
    server::{Script, Server},
    vendors::Vendor,
    webhooks::goodbye,
};

const RAW: Vendor = Vendor::Raw(Encoding::Ulaw, 8_000);

async fn begun(server: &Server, vendor: Vendor) -> Socket {
    let token = server.token(json!({"type": "realtime"})).await;
    let mut socket = dial(&server.url, &format!("/telephony/{}", vendor.path()), &[]).await;
    for message in vendor.begin(&json!({"token": token})) {
        socket.send(message).await.unwrap();
    }
    socket
}

/// The code of the goodbye after these messages, the last of which is the lie.
async fn told(mut socket: Socket, messages: Vec<Message>) -> u16 {
    for message in messages {
        // A peer that has said goodbye already takes no more.
        if socket.send(message).await.is_err() {
            break;
        }
    }
    goodbye(&mut socket).await.0
}

fn text(value: Value) -> Message {
    Message::text(value.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lie_has_its_answer_and_the_call_beside_it_goes_on() {
    let server = Server::start(Script { hears: vec!["ten of clubs"], ..Script::default() }).await;
    let token = server.token(json!({"type": "realtime"})).await;
    let honest = Vendor::Raw(Encoding::Pcm16, 16_000);
    let mut call = Gateway::call(&server.url, honest, &token, Duration::from_millis(60)).await;
    call.event("session.created", 1).await;

    let twilio = async |message: Message| told(begun(&server, Vendor::Twilio).await, vec![message]).await;
    assert_eq!(twilio(Message::text("{")).await, 1007);
    assert_eq!(twilio(Message::text("[1]")).await, 1007);
    assert_eq!(twilio(text(json!({"event": "media", "media": {"payload": "~~~~"}}))).await, 1007);
    assert_eq!(twilio(text(json!({"event": "media"}))).await, 1007);
    assert_eq!(twilio(Message::binary(vec![0; 160])).await, 1003);
    assert_eq!(twilio(Vendor::Twilio.begin(&json!({})).remove(1)).await, 1002);
    assert_eq!(twilio(Vendor::Twilio.sound(1, &[255; 16_001])).await, 1009);
    assert_eq!(twilio(Message::text(" ".repeat(600 << 10))).await, 1009);

    let device = async |message: Message| told(begun(&server, honest).await, vec![message]).await;
    assert_eq!(device(Message::binary(vec![0; 641])).await, 1007, "half a sample");
    assert_eq!(device(text(json!({"type": "dtmf", "digit": "x"}))).await, 1007);
    assert_eq!(device(text(json!({"type": "start", "format": {"type": "audio/pcm"}}))).await, 1002);

    call.says("cards-001");
    call.event("response.done", 1).await;
    let heard = call.now();
    assert_eq!(of(&heard, "error").count(), 0);
    call.hang_up();
    server.is_empty().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_does_not_begin_as_it_should_is_no_call() {
    let server = Server::start(Script::default()).await;
    let first = async |vendor: Vendor, message: Message| {
        let socket = dial(&server.url, &format!("/telephony/{}", vendor.path()), &[]).await;
        told(socket, vec![message]).await
    };
    assert_eq!(first(Vendor::Twilio, Vendor::Twilio.sound(1, &[255; 160])).await, 1002);
    assert_eq!(first(Vendor::Vonage, Message::binary(vec![0; 640])).await, 1002);
    assert_eq!(first(RAW, text(json!({"type": "session.update", "session": {}}))).await, 1002);
    let opus = json!({"type": "start", "format": {"type": "audio/mp3"}});
    assert_eq!(first(RAW, text(opus)).await, 1003);
    assert_eq!(first(Vendor::Vonage, text(json!({"event": "websocket:connected"}))).await, 1003);
    let wide = Vendor::Twilio.begin(&json!({})).remove(1).to_text().unwrap().replace("8000", "16000");
    assert_eq!(first(Vendor::Twilio, Message::text(wide)).await, 1003);
    assert!(server.context.engine.admission.list().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_sound_and_of_keys_end() {
    let server = Server::start(Script::default()).await;
    let minute: Vec<_> = (0..31).map(|_| Message::binary(vec![255; 16_000])).collect();
    assert_eq!(told(begun(&server, RAW).await, minute).await, 1008);
    let keys = (0..100).map(|_| RAW.key('1')).collect();
    assert_eq!(told(begun(&server, RAW).await, keys).await, 1008);
    server.is_empty().await;
}
