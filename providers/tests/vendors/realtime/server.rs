//! A realtime vendor on loopback: it answers what a client asks with the documented messages, or misbehaves as told.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Which vendor is played.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vendor {
    OpenAi,
    OpenAiBeta,
    Azure,
    Gemini,
    /// Takes `clientContent` at any time.
    GeminiOlder,
}

impl Vendor {
    pub(crate) const ALL: [Self; 5] = [Self::OpenAi, Self::OpenAiBeta, Self::Azure, Self::Gemini, Self::GeminiOlder];

    /// The documented messages: those that open a conversation, and those of a reply.
    fn exchange(self) -> (Vec<&'static str>, Vec<&'static str>) {
        let text = match self {
            Self::OpenAi | Self::Azure => include_str!("../../exchanges/openai/realtime.jsonl"),
            Self::OpenAiBeta => include_str!("../../exchanges/openai/realtime-beta.jsonl"),
            Self::Gemini | Self::GeminiOlder => include_str!("../../exchanges/gemini/live.jsonl"),
        };
        let (opening, reply) = text.split_once("\n\n").unwrap();
        (opening.lines().collect(), reply.lines().collect())
    }

    /// How many messages a conversation of one reply has.
    pub(crate) fn messages(self) -> usize {
        let (opening, reply) = self.exchange();
        opening.len() + reply.len()
    }

    /// The answers to a client's message, the first of a connection or a later one.
    fn answers(self, message: &Value, first: bool, replies: &mut usize) -> Vec<String> {
        let (opening, reply) = self.exchange();
        if first {
            return opening.into_iter().map(str::to_owned).collect();
        }
        let asks = match self {
            Self::OpenAi | Self::OpenAiBeta | Self::Azure => message["type"] == "response.create",
            // Models of this age are asked live; what is complete before that is their history.
            Self::Gemini => {
                message["realtimeInput"].get("activityEnd").is_some() || message.get("toolResponse").is_some()
            }
            Self::GeminiOlder => {
                message["realtimeInput"].get("activityEnd").is_some()
                    || message["clientContent"]["turnComplete"] == true
                    || message.get("toolResponse").is_some()
            }
        };
        if !asks {
            return Vec::new();
        }
        *replies += 1;
        reply.into_iter().map(|line| line.replace("_N", &format!("_{replies}"))).collect()
    }

    /// A message of sound that never ends a reply.
    fn flood(self) -> String {
        let sound = "AAAA".repeat(4_096);
        match self {
            Self::Gemini | Self::GeminiOlder => format!(
                r#"{{"serverContent":{{"modelTurn":{{"parts":[{{"inlineData":{{"mimeType":"audio/pcm;rate=24000","data":"{sound}"}}}}]}}}}}}"#
            ),
            Self::OpenAi | Self::OpenAiBeta | Self::Azure => format!(
                r#"{{"type":"response.output_audio.delta","response_id":"resp_1","item_id":"item_1","content_index":0,"delta":"{sound}"}}"#
            ),
        }
    }
}

/// What the vendor does besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mood {
    /// Nothing.
    Well,
    /// Sends its JSON as binary messages.
    Binary,
    /// Breaks off with a reset after so many messages.
    Reset(usize),
    /// Says this in the place of a message, after so many.
    Garbled(usize, &'static str),
    /// Says goodbye after so many messages.
    Close(usize, u16, &'static str),
    /// Says nothing more after so many messages.
    Mute(usize),
    /// Answers the first reply with sound without end.
    Flood,
    /// Answers the first reply, and reads nothing any more.
    Deaf,
    /// Ends the first reply only when it is interrupted.
    Slow,
}

/// A vendor at work.
pub(crate) struct Server {
    pub(crate) base_url: String,
    /// The head of each handshake.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    /// What clients said.
    pub(crate) said: Arc<Mutex<Vec<Value>>>,
    /// One message a connection whose client has left.
    pub(crate) left: mpsc::Receiver<()>,
    /// Bytes taken of the flood.
    pub(crate) taken: mpsc::Receiver<usize>,
    extra: mpsc::Sender<String>,
}

impl Server {
    pub(crate) async fn start(vendor: Vendor, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (heads, said) = <(Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>)>::default();
        let ((leaving, left), (taking, taken)) = (mpsc::channel(64), mpsc::channel(4));
        let (extra, mut extras) = mpsc::channel(16);
        let (log, hearing) = (heads.clone(), said.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                let Some(socket) = handshake(socket, &log).await else { continue };
                let (said, taking) = (hearing.clone(), taking.clone());
                let play = Play { vendor, mood: mood.clone(), socket, said, taking, sent: 0 };
                play.play(&mut extras).await;
                let _ = leaving.send(()).await;
            }
        });
        Self { base_url, heads, said, left, taken, extra }
    }

    /// Refuses every handshake so.
    pub(crate) async fn refusing(status: &'static str, headers: &'static str, body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let _ = socket.read(&mut [0; 4_096]).await;
                let length = body.len();
                let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}");
                let _ = socket.write_all(answer.as_bytes()).await;
                let _ = socket.read(&mut [0; 16]).await;
            }
        });
        base_url
    }

    /// The vendor says this, unasked.
    pub(crate) async fn say(&self, message: &str) {
        self.extra.send(message.to_owned()).await.unwrap();
    }

    /// What clients have said, once it is `count` messages.
    pub(crate) async fn heard(&self, count: usize) -> Vec<Value> {
        for _ in 0..400 {
            let said = self.said.lock().unwrap().clone();
            if said.len() >= count {
                return said;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("only {:#?}", self.said.lock().unwrap());
    }
}

#[expect(clippy::result_large_err, reason = "the library's callback has this shape")]
async fn handshake(socket: TcpStream, heads: &Mutex<Vec<String>>) -> Option<WebSocketStream<TcpStream>> {
    let note = |request: &Request, response: Response| {
        let mut head = request.uri().to_string();
        for (name, value) in request.headers() {
            head.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        heads.lock().unwrap().push(head);
        Ok(response)
    };
    accept_hdr_async(socket, note).await.ok()
}

struct Play {
    vendor: Vendor,
    mood: Mood,
    socket: WebSocketStream<TcpStream>,
    said: Arc<Mutex<Vec<Value>>>,
    taking: mpsc::Sender<usize>,
    sent: usize,
}

impl Play {
    async fn play(mut self, extras: &mut mpsc::Receiver<String>) {
        let (mut first, mut replies) = (true, 0);
        if !self.act().await {
            return;
        }
        loop {
            let text = tokio::select! {
                Some(extra) = extras.recv() => {
                    let _ = self.socket.send(Message::Text(extra.into())).await;
                    continue;
                }
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                },
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            let answers = self.vendor.answers(&message, first, &mut replies);
            self.said.lock().unwrap().push(message);
            let asked = !first && !answers.is_empty();
            first = false;
            let answers = if self.mood == Mood::Slow { slowed(answers, replies, &self.said) } else { answers };
            if asked && self.mood == Mood::Flood {
                return self.flood(answers.into_iter().next()).await;
            }
            for answer in answers {
                let binary = self.mood == Mood::Binary;
                let message = if binary { Message::Binary(answer.into()) } else { Message::Text(answer.into()) };
                if self.socket.send(message).await.is_err() {
                    return;
                }
                self.sent += 1;
                if !self.act().await {
                    return;
                }
            }
            if asked && self.mood == Mood::Deaf {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Does what the mood demands at this point; whether the conversation goes on.
    async fn act(&mut self) -> bool {
        match self.mood {
            Mood::Reset(after) if after == self.sent => {
                // What was sent must arrive before the reset does.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = self.socket.get_ref().set_zero_linger();
                false
            }
            Mood::Garbled(after, text) if after == self.sent => {
                let _ = self.socket.send(Message::Text(text.into())).await;
                true
            }
            Mood::Close(after, code, reason) if after == self.sent => {
                let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                let _ = self.socket.send(Message::Close(Some(frame))).await;
                while let Some(Ok(_)) = self.socket.next().await {}
                false
            }
            Mood::Mute(after) if after == self.sent => {
                while let Some(Ok(message)) = self.socket.next().await {
                    if let Message::Text(text) = message {
                        self.said.lock().unwrap().push(serde_json::from_str(&text).unwrap());
                    }
                }
                false
            }
            Mood::Reset(_) | Mood::Garbled(..) | Mood::Close(..) | Mood::Mute(_) => true,
            Mood::Well | Mood::Binary | Mood::Flood | Mood::Deaf | Mood::Slow => true,
        }
    }

    /// Sends sound until nobody takes it, or far more than any buffers between two sockets hold was taken.
    async fn flood(&mut self, began: Option<String>) {
        if let Some(began) = began {
            let _ = self.socket.send(Message::Text(began.into())).await;
        }
        let (sound, mut taken) = (self.vendor.flood(), 0);
        let stall = Duration::from_millis(300);
        while taken < FLOOD && matches!(timeout(stall, self.socket.send(sound.clone().into())).await, Ok(Ok(()))) {
            taken += sound.len();
        }
        let _ = self.taking.send(taken).await;
    }
}

/// Of the first reply of Gemini only the beginning; the rest of its turn is an interruption, at the next activity.
fn slowed(answers: Vec<String>, replies: usize, said: &Mutex<Vec<Value>>) -> Vec<String> {
    let starts = said.lock().unwrap().last().is_some_and(|last| last["realtimeInput"].get("activityStart").is_some());
    match (answers.len(), replies) {
        (2.., 1) => answers.into_iter().take(2).collect(),
        (0, 1) if starts => [r#"{"serverContent":{"interrupted":true}}"#, r#"{"serverContent":{"turnComplete":true}}"#]
            .map(str::to_owned)
            .into(),
        _ => answers,
    }
}

pub(crate) const FLOOD: usize = 64 << 20;
