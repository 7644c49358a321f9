//! A client as the SDKs are: JSON text over a WebSocket.

use std::time::Duration;

use audio::{Clip, Encoding, SampleRate, wav};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{ClientRequestBuilder, Message},
};

use crate::relay::{KEY, Relay};

/// Longer than anything takes, timeouts of providers included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What comes once of an utterance that is answered.
pub(crate) const ONCE: [&str; 4] = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.committed",
    "response.created",
    "conversation.item.input_audio_transcription.completed",
];

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// How one response went.
pub(crate) struct Answer {
    pub(crate) events: Vec<Value>,
}

impl Client {
    /// Connects, and has transcripts told.
    pub(crate) async fn join(relay: &Relay) -> Self {
        Self::join_with(relay, KEY).await
    }

    /// The same with this credential.
    pub(crate) async fn join_with(relay: &Relay, credential: &str) -> Self {
        let url = format!("{}/v1/realtime?model=gpt-realtime", relay.url.replacen("http", "ws", 1));
        let request = ClientRequestBuilder::new(url.parse().unwrap())
            .with_header("Authorization", format!("Bearer {credential}"));
        let (socket, _) = connect_async(request).await.unwrap();
        let mut client = Self { socket };
        let input = json!({"transcription": {"model": "whisper-1"}, "turn_detection": {"type": "server_vad"}});
        let session = json!({"type": "realtime", "audio": {"input": input}});
        client.send(json!({"type": "session.update", "session": session})).await;
        client.until("session.updated").await;
        client
    }

    pub(crate) async fn send(&mut self, event: Value) {
        self.socket.send(Message::text(event.to_string())).await.unwrap();
    }

    /// Says something at 24 kHz and falls silent for long enough to end the turn.
    pub(crate) async fn speak(&mut self, samples: &[i16]) {
        let silence = [0; 24_000];
        for chunk in samples.chunks(4_800).chain(silence.chunks(4_800)) {
            let mut bytes = Vec::new();
            Encoding::Pcm16.encode(chunk, &mut bytes);
            self.send(json!({"type": "input_audio_buffer.append", "audio": BASE64_STANDARD.encode(bytes)})).await;
        }
    }

    /// Types something and asks for a response.
    pub(crate) async fn asks(&mut self, text: &str, response: Value) -> Answer {
        let content = json!([{"type": "input_text", "text": text}]);
        let item = json!({"type": "message", "role": "user", "content": content});
        self.send(json!({"type": "conversation.item.create", "item": item})).await;
        self.send(json!({"type": "response.create", "response": response})).await;
        self.answer().await
    }

    /// All there is up to the end of a response.
    pub(crate) async fn answer(&mut self) -> Answer {
        Answer { events: self.until("response.done").await }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the relay is silent");
            match message.expect("the relay is gone").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => panic!("{other:?}"),
            }
        }
    }

    /// What still comes within this time.
    pub(crate) async fn rest(&mut self, within: Duration) -> Vec<Value> {
        let mut events = Vec::new();
        while let Ok(event) = tokio::time::timeout(within, self.next()).await {
            events.push(event);
        }
        events
    }

    /// All events up to the first of this type. None of them is an error: failovers are no concern of a client.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            assert_ne!(event["type"], "error", "{event}");
            let last = event["type"] == kind;
            events.push(event);
            if last {
                return events;
            }
        }
    }

    pub(crate) async fn leave(mut self) {
        let _ = self.socket.close(None).await;
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

impl Answer {
    fn done(&self) -> &Value {
        &self.events.last().unwrap()["response"]
    }

    pub(crate) fn status(&self) -> &str {
        self.done()["status"].as_str().unwrap()
    }

    /// Why it failed: the code of its error.
    pub(crate) fn code(&self) -> &str {
        self.done()["status_details"]["error"]["code"].as_str().unwrap_or_default()
    }

    /// What was told while it came, spoken or written.
    pub(crate) fn text(&self) -> String {
        let kinds = ["response.output_audio_transcript.delta", "response.output_text.delta"];
        let deltas = self.events.iter().filter(|event| kinds.iter().any(|kind| event["type"] == *kind));
        deltas.map(|event| event["delta"].as_str().unwrap()).collect()
    }

    /// PCM16 at 24 kHz.
    pub(crate) fn sound(&self) -> Vec<u8> {
        let deltas = self.events.iter().filter(|event| event["type"] == "response.output_audio.delta");
        deltas.flat_map(|event| BASE64_STANDARD.decode(event["delta"].as_str().unwrap()).unwrap()).collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|event| event["type"] == kind).count()
    }

    /// The transcript of what the person said.
    pub(crate) fn transcript(&self) -> &str {
        let kind = "conversation.item.input_audio_transcription.completed";
        let told = self.events.iter().find(|event| event["type"] == kind);
        told.map_or("", |event| event["transcript"].as_str().unwrap())
    }

    /// What was promised of it while the person spoke.
    pub(crate) fn promised(&self) -> String {
        let kind = "conversation.item.input_audio_transcription.delta";
        let deltas = self.events.iter().filter(|event| event["type"] == kind);
        deltas.map(|event| event["delta"].as_str().unwrap()).collect()
    }
}

/// A recording of the samples folder at the rate of `audio/pcm`.
pub(crate) fn recording(name: &str) -> Vec<i16> {
    let path = format!("{}/samples/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let clip: Clip = wav::read(&std::fs::read(path).unwrap()).unwrap();
    clip.resampled(SampleRate::HZ_24000).unwrap().samples
}

/// The words of a recording.
pub(crate) fn words_of(name: &str) -> String {
    let path = format!("{}/samples/transcripts.tsv", env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(path).unwrap();
    let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(".wav\t").map(str::to_owned));
    line.unwrap_or_else(|| panic!("{name} has no transcript"))
}

/// How many words are wrong, of those that should be there. Joined and parted words are the same.
pub(crate) fn wrong(reference: &str, heard: &str) -> (usize, usize) {
    let words = |text: &str| -> Vec<String> {
        let text = text.to_lowercase().replace("mr.", "mister").replace('-', " ");
        let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect()
    };
    let (reference, heard) = (words(reference), words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (at, word) in reference.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (n, other) in heard.iter().enumerate() {
            let cost = (diagonal + usize::from(word != other)).min(row[n] + 1).min(row[n + 1] + 1);
            diagonal = std::mem::replace(&mut row[n + 1], cost);
        }
    }
    (row[heard.len()], reference.len())
}
