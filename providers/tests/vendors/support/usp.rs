//! The Speech service, played from a file of its messages.
//!
//! One step a line: `#` comment with the source; `> PATH {json}` the client sends a text message of this path whose body
//! holds at least these fields, `* PATH` any number of this path; `> ssml TEXT` one whose body contains the text; `> riff`
//! the header of the sound; `> audio` sound, any number of messages but none; `> audio N` N bytes or a few more; `> end`
//! sound of no length; `> close` it says goodbye. `< PATH {json}` the service sends a text message in answer to the request
//! last heard of; `< audio N` N bytes of sound; `< stale …` the same in answer to another request; `< raw TEXT` a message
//! without headers; `< bytes N…` a binary message of these bytes; `< close CODE reason`; `= hang` silence until the client
//! leaves; `= reset` the connection is cut; `= deaf` nothing is read any more; `= drip` a message comes byte by byte and
//! never ends; `= garbage` bytes that are no WebSocket; `= flood` the steps that follow are played without end; `= again`
//! all steps are. A step that finds something else ends the connection and is reported, and so is a message that lacks what
//! the protocol demands of each.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

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

/// The service on loopback.
pub(crate) struct Service {
    /// `ws://127.0.0.1:…`, without a path.
    pub(crate) base_url: String,
    /// The head of each handshake: request line, then headers.
    pub(crate) handshakes: Arc<Mutex<Vec<String>>>,
    /// Every message of the clients, in order.
    pub(crate) heard: Arc<Mutex<Vec<Heard>>>,
    /// Bytes of the messages the clients, or buffers on the way, have taken.
    pub(crate) sent: Arc<AtomicUsize>,
    /// How each connection ended: in the script's last step, or with what was found in the place of a step.
    pub(crate) ended: mpsc::Receiver<Result<(), String>>,
}

/// A message of a client.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) request: String,
    pub(crate) body: Vec<u8>,
}

impl Service {
    /// Plays the first script to the first connection, and so on; the last one again and again.
    pub(crate) async fn start(scripts: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("ws://{}", listener.local_addr().unwrap());
        let scripts: Vec<Vec<String>> = scripts.iter().map(|text| steps(text)).collect();
        let (handshakes, heard) = <(Arc<Mutex<Vec<_>>>, Arc<Mutex<Vec<_>>>)>::default();
        let (ending, ended) = mpsc::channel(64);
        let sent = Arc::<AtomicUsize>::default();
        let (heads, log, count) = (handshakes.clone(), heard.clone(), sent.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while let Ok((socket, _)) = listener.accept().await {
                let steps = scripts[number.min(scripts.len() - 1)].clone();
                number += 1;
                let (heads, ending, log, sent) = (heads.clone(), ending.clone(), log.clone(), count.clone());
                tokio::spawn(async move {
                    let _ = socket.set_nodelay(true);
                    let Some(socket) = handshake(socket, &heads).await else { return };
                    let (request, over) = (String::new(), Vec::new());
                    let player = Player { socket, log, sent, waiting: None, request, over };
                    let _ = ending.send(player.play(&steps).await).await;
                });
            }
        });
        Self { base_url, handshakes, heard, sent, ended }
    }

    /// How the next connection to end has ended.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        self.ended.recv().await.unwrap()
    }

    /// The bodies of all messages of this path.
    pub(crate) fn bodies(&self, path: &str) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let of_path = heard.iter().filter(|message| message.path == path);
        of_path.map(|message| String::from_utf8_lossy(&message.body).into_owned()).collect()
    }

    /// The sound of each request, headers excepted.
    pub(crate) fn sound(&self) -> Vec<Vec<u8>> {
        let mut sounds: Vec<(String, Vec<u8>)> = Vec::new();
        for message in self.heard.lock().unwrap().iter().filter(|message| message.path == "audio") {
            let body = if message.body.starts_with(b"RIFF") { &[][..] } else { &message.body[..] };
            match sounds.last_mut().filter(|(request, _)| *request == message.request) {
                Some((_, sound)) => sound.extend_from_slice(body),
                None => sounds.push((message.request.clone(), body.to_vec())),
            }
        }
        sounds.into_iter().map(|(_, sound)| sound).collect()
    }
}

/// The steps of a script.
pub(crate) fn steps(text: &str) -> Vec<String> {
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

struct Player {
    socket: WebSocketStream<TcpStream>,
    log: Arc<Mutex<Vec<Heard>>>,
    sent: Arc<AtomicUsize>,
    /// Read while waiting for the end of sound, and not yet asked for.
    waiting: Option<Heard>,
    /// The request last heard of.
    request: String,
    /// Requests that are over: what still comes of them was on its way.
    over: Vec<String>,
}

impl Player {
    async fn play(mut self, steps: &[String]) -> Result<(), String> {
        let mut from = 0;
        loop {
            for (at, step) in steps.iter().enumerate().skip(from) {
                match step.split_once(' ').unwrap_or((step, "")) {
                    (">", expected) => self.expect(expected).await.map_err(|found| format!("{step}: {found}"))?,
                    ("*", path) => self.skip(path).await?,
                    ("<", message) => {
                        let message = self.outgoing(message);
                        let length = message.len();
                        self.socket.send(message).await.map_err(|error| format!("{step}: {error}"))?;
                        self.sent.fetch_add(length, Ordering::SeqCst);
                    }
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
        while self.next().await?.is_some() {}
        Ok(())
    }

    async fn misbehave(mut self, how: &str) -> Result<(), String> {
        match how {
            "hang" => {
                while self.next().await?.is_some() {}
                Ok(())
            }
            "reset" => {
                let _ = self.socket.get_ref().set_zero_linger();
                Ok(())
            }
            how => support::misbehave(self.socket.get_mut(), how).await,
        }
    }

    /// Passes over messages of this path.
    async fn skip(&mut self, path: &str) -> Result<(), String> {
        self.waiting = loop {
            match self.next().await? {
                Some(found) if found.path == path => {}
                found => break found,
            }
        };
        Ok(())
    }

    async fn expect(&mut self, expected: &str) -> Result<(), String> {
        let (path, body) = expected.split_once(' ').unwrap_or((expected, ""));
        if path == "audio" {
            return self.hear(body.parse().ok()).await;
        }
        let Some(found) = self.next().await? else {
            return if path == "close" { Ok(()) } else { Err("the client left".to_owned()) };
        };
        let text = String::from_utf8_lossy(&found.body).into_owned();
        let right = match path {
            "riff" => found.path == "audio" && found.body.len() == 44 && found.body.starts_with(b"RIFF"),
            "end" => found.path == "audio" && found.body.is_empty(),
            "ssml" => found.path == "ssml" && text.contains(body),
            path => found.path == path && (body.is_empty() || holds(&parsed(&text)?, &parsed(body)?)),
        };
        if right { Ok(()) } else { Err(format!("{} {text}", found.path)) }
    }

    /// Sound: so many bytes, or all there is up to something else.
    async fn hear(&mut self, count: Option<usize>) -> Result<(), String> {
        let mut heard = 0;
        while count.is_none_or(|count| heard < count) {
            match self.next().await? {
                Some(found) if found.path == "audio" && !found.body.is_empty() => heard += found.body.len(),
                found if count.is_none() && heard > 0 => {
                    self.waiting = found;
                    break;
                }
                found => return Err(format!("{found:?} after {heard} bytes")),
            }
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Heard>, String> {
        if let Some(message) = self.waiting.take() {
            return Ok(Some(message));
        }
        loop {
            let Some(Ok(message)) = self.socket.next().await else { return Ok(None) };
            let heard = match &message {
                Message::Text(text) => {
                    let (head, body) = text.split_once("\r\n\r\n").ok_or(format!("no header separator: {text}"))?;
                    read(head, body.as_bytes())?
                }
                Message::Binary(bytes) => {
                    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
                    read(std::str::from_utf8(&bytes[2..2 + length]).unwrap(), &bytes[2 + length..])?
                }
                Message::Close(_) => return Ok(None),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            if self.over.contains(&heard.request) {
                continue;
            }
            self.request.clone_from(&heard.request);
            self.log.lock().unwrap().push(heard.clone());
            return Ok(Some(heard));
        }
    }

    fn outgoing(&mut self, message: &str) -> Message {
        let (request, message) = match message.strip_prefix("stale ") {
            Some(message) => ("0123456789abcdef0123456789abcdef", message),
            None => (self.request.as_str(), message),
        };
        let (path, body) = message.split_once(' ').unwrap_or((message, ""));
        match path {
            "raw" => Message::text(body),
            "bytes" => Message::binary(body.split(' ').map(|byte| byte.parse().unwrap()).collect::<Vec<u8>>()),
            "close" => {
                let (code, reason) = body.split_once(' ').unwrap_or((body, ""));
                let code = CloseCode::from(code.parse::<u16>().unwrap());
                Message::Close(Some(CloseFrame { code, reason: reason.into() }))
            }
            "audio" => {
                let head = format!("X-RequestId:{request}\r\nX-StreamId:0B38\r\nPath:audio\r\n");
                let length = u16::try_from(head.len()).unwrap().to_be_bytes();
                Message::binary([&length, head.as_bytes(), &vec![1; body.parse().unwrap()]].concat())
            }
            path => {
                let content = "Content-Type:application/json; charset=utf-8\r\n";
                let text = format!("X-RequestId:{}\r\n{content}Path:{path}\r\n\r\n{body}", request.to_uppercase());
                if path == "turn.end" {
                    self.over.push(self.request.clone());
                }
                Message::text(text)
            }
        }
    }
}

/// A message, if it has what the protocol demands.
fn read(head: &str, body: &[u8]) -> Result<Heard, String> {
    let field = |wanted: &str| {
        let fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
        fields
            .filter(|(name, _)| *name == wanted)
            .map(|(_, value)| value.to_owned())
            .next()
            .ok_or(format!("no {wanted}"))
    };
    let (path, request, timestamp) = (field("Path")?, field("X-RequestId")?, field("X-Timestamp")?);
    if request.len() != 32 || !request.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("no UUID without dashes: {request}"));
    }
    if timestamp.len() != 24 || !timestamp.ends_with('Z') {
        return Err(format!("no time: {timestamp}"));
    }
    let content = field("Content-Type").unwrap_or_default();
    let expected = match path.as_str() {
        "audio" if body.starts_with(b"RIFF") => "audio/x-wav",
        "audio" => "",
        "ssml" => "application/ssml+xml",
        _ => "application/json",
    };
    if content != expected || path == "audio" && body.len() > 8_192 {
        return Err(format!("{path} of type {content} and {} bytes", body.len()));
    }
    Ok(Heard { path, request, body: body.to_vec() })
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|_| format!("not JSON: {text}"))
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
