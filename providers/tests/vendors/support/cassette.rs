//! A vendor's WebSocket, played from a file of its documented messages.
//!
//! One step a line: `#` comment with the source page; `> {json}` the client sends a text message that holds at least
//! these fields, `* {json}` any number of such; `> audio` it sends binary messages, any number but none; `> audio N` it
//! sends N bytes or a few more; `> close` it says goodbye; `< {json}` or any other text the vendor sends; `< audio N` N bytes of 16-bit sound;
//! `< close CODE reason`, or `< close` without a code; `= hang` silence until the client leaves; `= reset` the connection
//! is cut; `= deaf` nothing is read any more; `= drip` a message comes byte by byte and never ends; `= garbage` bytes that
//! are no WebSocket; `= flood` the steps that follow are played without end; `= again` all steps are. A step that finds
//! something else ends the connection and is reported.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::support;

/// A vendor on loopback.
pub(crate) struct Vendor {
    /// `ws://127.0.0.1:…`, without a path.
    pub(crate) base_url: String,
    /// The head of each handshake: request line, then headers.
    pub(crate) handshakes: Arc<Mutex<Vec<String>>>,
    /// Every text message of the clients, in order.
    pub(crate) texts: Arc<Mutex<Vec<String>>>,
    /// Bytes of sound the clients sent.
    pub(crate) sound: Arc<Mutex<Vec<u8>>>,
    /// Bytes of the messages the clients, or buffers on the way, have taken.
    pub(crate) sent: Arc<AtomicUsize>,
    /// How each connection ended: in the script's last step, or with what was found in the place of a step.
    pub(crate) ended: mpsc::Receiver<Result<(), String>>,
}

impl Vendor {
    /// Plays the first cassette to the first connection, and so on; the last one again and again.
    pub(crate) async fn start(cassettes: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("ws://{}", listener.local_addr().unwrap());
        let cassettes: Vec<Vec<String>> = cassettes.iter().map(|text| steps(text)).collect();
        let (handshakes, texts, sound) = <(Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>)>::default();
        let (ending, ended) = mpsc::channel(64);
        let sent = Arc::<AtomicUsize>::default();
        let (heads, log) = (handshakes.clone(), Log { texts: texts.clone(), sound: sound.clone(), sent: sent.clone() });
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((socket, _)) = listener.accept().await {
                let steps = cassettes[number.min(cassettes.len() - 1)].clone();
                number += 1;
                let (heads, ending, log) = (heads.clone(), ending.clone(), log.clone());
                tokio::spawn(async move {
                    let _ = socket.set_nodelay(true);
                    let Some(socket) = handshake(socket, &heads).await else { return };
                    let _ = ending.send(Player { socket, log, waiting: None }.play(&steps).await).await;
                });
            }
        });
        Self { base_url, handshakes, texts, sound, sent, ended }
    }

    /// How the next connection to end has ended.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        self.ended.recv().await.unwrap()
    }
}

fn steps(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
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

#[derive(Clone)]
struct Log {
    texts: Arc<Mutex<Vec<String>>>,
    sound: Arc<Mutex<Vec<u8>>>,
    sent: Arc<AtomicUsize>,
}

struct Player {
    socket: WebSocketStream<TcpStream>,
    log: Log,
    /// Read while waiting for the end of sound, and not yet asked for.
    waiting: Option<Message>,
}

impl Player {
    async fn play(mut self, steps: &[String]) -> Result<(), String> {
        let mut from = 0;
        loop {
            for (at, step) in steps.iter().enumerate().skip(from) {
                match step.split_once(' ').unwrap_or((step, "")) {
                    (">", expected) => self.expect(expected).await.map_err(|found| format!("{step}: {found}"))?,
                    ("*", expected) => self.skip(&serde_json::from_str(expected).unwrap()).await,
                    ("<", message) => self.tell(message).await.map_err(|error| format!("{step}: {error}"))?,
                    ("=", "flood") => from = at + 1,
                    ("=", "again") => {}
                    ("=", last) => return self.misbehave(last).await,
                    _ => return Err(format!("no step: {step}")),
                }
            }
            if !steps.iter().any(|step| step == "= flood" || step == "= again") {
                break;
            }
        }
        while self.next().await.is_some() {}
        Ok(())
    }

    async fn tell(&mut self, message: &str) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let message = outgoing(message);
        let length = message.len();
        self.socket.send(message).await?;
        self.log.sent.fetch_add(length, Ordering::SeqCst);
        Ok(())
    }

    async fn misbehave(mut self, how: &str) -> Result<(), String> {
        match how {
            "hang" => {
                while self.next().await.is_some() {}
                Ok(())
            }
            "reset" => {
                let _ = self.socket.get_ref().set_zero_linger();
                Ok(())
            }
            how => support::misbehave(self.socket.get_mut(), how).await,
        }
    }

    async fn expect(&mut self, expected: &str) -> Result<(), String> {
        if let Some(count) = expected.strip_prefix("audio ") {
            return self.hear(count.parse().unwrap()).await;
        }
        match (expected, self.next().await) {
            ("audio", Some(Message::Binary(_))) => {
                while let Some(message) = self.next().await {
                    if !matches!(message, Message::Binary(_)) {
                        self.waiting = Some(message);
                        break;
                    }
                }
                Ok(())
            }
            ("close", None | Some(Message::Close(_))) => Ok(()),
            (expected, Some(Message::Text(found))) => {
                let parsed = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| format!("not JSON: {text}"));
                if holds(&parsed(&found)?, &parsed(expected)?) { Ok(()) } else { Err(found.to_string()) }
            }
            (_, found) => Err(format!("{found:?}")),
        }
    }

    /// Passes over text messages that hold these fields.
    async fn skip(&mut self, expected: &Value) {
        while let Some(message) = self.next().await {
            let found = message.to_text().ok().and_then(|text| serde_json::from_str(text).ok());
            if !found.is_some_and(|found: Value| holds(&found, expected)) {
                self.waiting = Some(message);
                return;
            }
        }
    }

    async fn hear(&mut self, count: usize) -> Result<(), String> {
        let mut heard = 0;
        while heard < count {
            match self.next().await {
                Some(Message::Binary(bytes)) => heard += bytes.len(),
                found => return Err(format!("{found:?} after {heard} bytes")),
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Option<Message> {
        if let Some(message) = self.waiting.take() {
            return Some(message);
        }
        loop {
            let message = self.socket.next().await?.ok()?;
            match &message {
                Message::Text(text) => self.log.texts.lock().unwrap().push(text.to_string()),
                Message::Binary(bytes) => self.log.sound.lock().unwrap().extend_from_slice(bytes),
                Message::Close(_) => {}
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            }
            return Some(message);
        }
    }
}

fn outgoing(message: &str) -> Message {
    if message == "close" {
        return Message::Close(None);
    }
    match message.split_once(' ') {
        Some(("audio", count)) => Message::Binary(Bytes::from(vec![1; count.parse().unwrap()])),
        Some(("close", rest)) => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let code = CloseCode::from(code.parse::<u16>().unwrap());
            Message::Close(Some(CloseFrame { code, reason: reason.into() }))
        }
        _ => Message::Text(message.into()),
    }
}

/// Whether `found` has all that `expected` has.
fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| holds(found, value)))
        }
        _ => found == expected,
    }
}
