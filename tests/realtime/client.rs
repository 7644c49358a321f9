//! A client as the SDKs are: JSON text over a WebSocket.

use std::fs;

use audio::{Clip, Encoding, SampleRate, wav};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::room::{PATIENCE, Room};

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects and takes the greeting.
    pub(crate) async fn join(room: &Room) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(64 * 1024).unwrap();
        let stream = socket.connect(room.address).await.unwrap();
        let config = WebSocketConfig::default().max_frame_size(None).max_message_size(None);
        let url = format!("ws://{}/v1/realtime", room.address);
        let (socket, _) = client_async_with_config(url, stream, Some(config)).await.unwrap();
        let mut client = Self { socket };
        assert_eq!(client.next().await["type"], "session.created");
        client
    }

    /// Connects and changes the session object.
    pub(crate) async fn join_with(room: &Room, session: Value) -> Self {
        let mut client = Self::join(room).await;
        client.send(json!({"type": "session.update", "session": session})).await;
        client.until("session.updated").await;
        client
    }

    pub(crate) async fn send(&mut self, event: Value) {
        self.say(Message::text(event.to_string())).await;
    }

    pub(crate) async fn say(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Appends sound at 24 kHz in one message.
    pub(crate) async fn append(&mut self, samples: &[i16]) {
        self.send(append(samples)).await;
    }

    /// Says something and falls silent for long enough to end the turn.
    pub(crate) async fn speak(&mut self, samples: &[i16]) {
        for chunk in samples.chunks(4_800) {
            self.append(chunk).await;
        }
        self.append(&[0; 24_000]).await;
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.message().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                    panic!("{other:?} instead of an event")
                }
            }
        }
    }

    /// All events up to the first of this type.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let last = event["type"] == kind;
            assert!(last || event["type"] != "error", "{event}");
            events.push(event);
            if last {
                return events;
            }
        }
    }

    /// Reads to the goodbye and returns its code.
    pub(crate) async fn goodbye(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.message().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }

    async fn message(&mut self) -> Message {
        let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the server is silent");
        message.expect("the server is gone without a goodbye").unwrap()
    }
}

pub(crate) fn append(samples: &[i16]) -> Value {
    let mut bytes = Vec::new();
    Encoding::Pcm16.encode(samples, &mut bytes);
    json!({"type": "input_audio_buffer.append", "audio": BASE64_STANDARD.encode(bytes)})
}

/// A recording of the samples folder at the rate of `audio/pcm`.
pub(crate) fn recording(name: &str) -> Vec<i16> {
    let path = format!("{}/samples/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let clip: Clip = wav::read(&fs::read(path).unwrap()).unwrap();
    clip.resampled(SampleRate::HZ_24000).unwrap().samples
}

/// The types of events, deltas once each.
pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

/// Only events of this type.
pub(crate) fn only<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}

/// All bytes of the reply's speech.
pub(crate) fn sound(events: &[Value]) -> Vec<u8> {
    let deltas = only(events, "response.output_audio.delta");
    deltas.iter().flat_map(|delta| BASE64_STANDARD.decode(delta["delta"].as_str().unwrap()).unwrap()).collect()
}
