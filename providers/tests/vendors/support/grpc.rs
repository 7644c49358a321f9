//! Google's gRPC over HTTP/2 without TLS, played from a file of documented messages.
//!
//! One step a line: `#` comment with the source page; `> {json}` the client sends a message that holds at least these
//! fields; `> audio N` it sends N bytes of sound or a few more; `> audio` it sends sound, if any, until it ends; `> end`
//! it has nothing more to send; `< head` an answer begins; `< {json}` a message; `< audio N` N bytes of 16-bit sound;
//! `< raw HEX` bytes as they are; `< status CODE message` the call ends, and where no answer has begun it is refused;
//! `< retry SECONDS` a refusal that tells when to come back; `< http STATUS` an answer that is no gRPC; `< eof` an end
//! without a status; `= pause` nothing happens for a while; `= flood` the messages that follow are sent again and again, as
//! long as they are taken; `= hang` silence until the client leaves; `= deaf` the same, and nothing is read any more;
//! `= drip` a message comes byte by byte and never ends; `= garbage` a message that is none; `= reset` the call is reset;
//! `= cut` the connection is.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use h2::{
    Reason, RecvStream, SendStream,
    server::{self, SendResponse},
};
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
};

use super::proto;

/// A vendor on loopback.
pub(crate) struct Vendor {
    pub(crate) base_url: String,
    /// The head of each call: path, then headers.
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
    /// Bytes of sound of each call.
    pub(crate) sound: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many connections were made.
    pub(crate) connections: Arc<AtomicUsize>,
    /// Every message of the clients but those of sound, as JSON.
    pub(crate) texts: Arc<Mutex<Vec<String>>>,
    /// Bytes of a flood that were taken.
    pub(crate) sent: Arc<AtomicUsize>,
    /// How each call ended: with the script's last step, or with what was found in the place of a step.
    pub(crate) ended: mpsc::Receiver<Result<(), String>>,
}

#[derive(Clone)]
struct Log {
    heads: Arc<Mutex<Vec<String>>>,
    sound: Arc<Mutex<Vec<Vec<u8>>>>,
    texts: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
    ending: mpsc::Sender<Result<(), String>>,
    scripts: Arc<Vec<Vec<String>>>,
}

impl Vendor {
    /// Plays the first cassette to the first call, and so on; the last one again and again.
    pub(crate) async fn start(cassettes: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (ending, ended) = mpsc::channel(64);
        let scripts = cassettes.iter().map(|text| steps(text)).collect();
        let log = Log {
            heads: Arc::default(),
            sound: Arc::default(),
            texts: Arc::default(),
            sent: Arc::default(),
            ending,
            scripts: Arc::new(scripts),
        };
        let (heads, sound) = (log.heads.clone(), log.sound.clone());
        let (texts, sent) = (log.texts.clone(), log.sent.clone());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(socket, log.clone()));
            }
        });
        Self { base_url, heads, sound, connections, texts, sent, ended }
    }

    /// How the next call to end has ended.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        self.ended.recv().await.unwrap()
    }
}

pub(crate) fn steps(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

async fn serve(socket: TcpStream, log: Log) {
    let _ = socket.set_nodelay(true);
    let _ = socket.set_zero_linger();
    let Ok(mut connection) = server::handshake(socket).await else { return };
    let cut = Arc::new(Notify::new());
    loop {
        let (request, respond) = tokio::select! {
            call = connection.accept() => match call { Some(Ok(call)) => call, Some(Err(_)) | None => return },
            () = cut.notified() => return,
        };
        let (head, body) = request.into_parts();
        let number = note(&log, &Request::from_parts(head, ()));
        let script = log.scripts[number.min(log.scripts.len() - 1)].clone();
        let uri = log.heads.lock().unwrap()[number].lines().next().unwrap().to_owned();
        let method = uri.rsplit('/').next().unwrap().to_owned();
        let player = Player {
            method,
            number,
            log: log.clone(),
            body: Some(body),
            frames: BytesMut::new(),
            waiting: None,
            respond,
            answers: None,
            cut: cut.clone(),
        };
        tokio::spawn(async move {
            let ending = log_of(&player);
            let played = player.play(&script).await;
            let _ = ending.send(played).await;
        });
    }
}

fn log_of(player: &Player) -> mpsc::Sender<Result<(), String>> {
    player.log.ending.clone()
}

fn note(log: &Log, request: &Request<()>) -> usize {
    let mut head = request.uri().path().to_owned();
    for (name, value) in request.headers() {
        head.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    }
    log.sound.lock().unwrap().push(Vec::new());
    let mut heads = log.heads.lock().unwrap();
    heads.push(head);
    heads.len() - 1
}

struct Player {
    method: String,
    number: usize,
    log: Log,
    /// `None` once nothing is to be read any more.
    body: Option<RecvStream>,
    frames: BytesMut,
    /// Read while waiting for the end of sound, and not yet asked for.
    waiting: Option<Bytes>,
    respond: SendResponse<Bytes>,
    answers: Option<SendStream<Bytes>>,
    cut: Arc<Notify>,
}

impl Player {
    async fn play(mut self, steps: &[String]) -> Result<(), String> {
        for (at, step) in steps.iter().enumerate() {
            let (way, what) = step.split_once(' ').unwrap_or((step, ""));
            let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
            match (way, verb) {
                (">", "audio") => self.hear(rest.parse().ok()).await.map_err(|found| format!("{step}: {found}"))?,
                (">", "end") => match self.next().await {
                    None => {}
                    Some(found) => return Err(format!("{step}: {found:?}")),
                },
                (">", _) => self.expect(what).await.map_err(|found| format!("{step}: {found}"))?,
                ("<", "head") => _ = self.head()?,
                ("<", "raw") => {
                    let digits = rest.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
                    let bytes: Vec<u8> = digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
                    let _ = self.head()?.send_data(bytes.into(), false);
                }
                ("<", "status") => self.status(rest, None),
                ("<", "retry") => self.status("8 slow down", Some(rest.parse().unwrap())),
                ("<", "http") => {
                    let answer = Response::builder().status(rest.parse::<u16>().unwrap()).body(()).unwrap();
                    let _ = self.respond.send_response(answer, true);
                }
                ("<", "eof") => _ = self.head()?.send_data(Bytes::new(), true),
                ("<", _) => {
                    let message = self.message(what);
                    self.head()?.send_data(message, false).map_err(|error| error.to_string())?;
                }
                ("=", "pause") => tokio::time::sleep(Duration::from_millis(300)).await,
                ("=", "flood") => return self.flood(&steps[at + 1..]).await,
                ("=", "hang") => return self.hang().await,
                ("=", "deaf") => return self.deaf().await,
                ("=", "drip") => return self.drip().await,
                ("=", "garbage") => {
                    let _ = self.head()?.send_data(Bytes::from_static(&[0xff; 16]), false);
                    return self.hang().await;
                }
                ("=", "reset") => {
                    self.respond.send_reset(Reason::INTERNAL_ERROR);
                    return Ok(());
                }
                ("=", "cut") => {
                    // What was said is on its way by then.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    self.cut.notify_one();
                    return Ok(());
                }
                _ => return Err(format!("no step: {step}")),
            }
        }
        Ok(())
    }

    fn head(&mut self) -> Result<&mut SendStream<Bytes>, String> {
        let answers = match self.answers.take() {
            Some(answers) => answers,
            None => {
                let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
                self.respond.send_response(head, false).map_err(|error| error.to_string())?
            }
        };
        Ok(self.answers.insert(answers))
    }

    fn message(&self, said: &str) -> Bytes {
        let response = match said.strip_prefix("audio ") {
            Some(count) => serde_json::json!({"audioContent": count.parse::<usize>().unwrap()}),
            None => serde_json::from_str(said).unwrap(),
        };
        let message = proto::encode(&format!("{}Response", self.method), &response);
        [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat().into()
    }

    fn status(&mut self, said: &str, retry: Option<u8>) {
        let (code, message) = said.split_once(' ').unwrap_or((said, ""));
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", code.parse().unwrap());
        trailers.insert("grpc-message", message.parse().unwrap());
        if let Some(seconds) = retry {
            trailers.insert("grpc-status-details-bin", details(seconds).parse().unwrap());
        }
        if let Some(answers) = &mut self.answers {
            let _ = answers.send_trailers(trailers);
            return;
        }
        let mut head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
        head.headers_mut().extend(trailers);
        let _ = self.respond.send_response(head, true);
    }

    async fn expect(&mut self, expected: &str) -> Result<(), String> {
        let Some(found) = self.next().await else { return Err("the end".to_owned()) };
        let found = proto::decode(&format!("{}Request", self.method), &found);
        self.log.texts.lock().unwrap().push(found.to_string());
        let expected = serde_json::from_str(expected).unwrap();
        if holds(&found, &expected) { Ok(()) } else { Err(found.to_string()) }
    }

    async fn hear(&mut self, count: Option<usize>) -> Result<(), String> {
        let mut heard = 0;
        while count.is_none_or(|count| heard < count) {
            match self.next().await {
                Some(found) => match proto::sound(&found) {
                    Some(sound) => {
                        assert!(sound.len() <= 15_000, "{} bytes in a message", sound.len());
                        heard += sound.len();
                        self.log.sound.lock().unwrap()[self.number].extend_from_slice(sound);
                    }
                    None => return Err(format!("{found:?} after {heard} bytes")),
                },
                None if count.is_none() => return Ok(()),
                None => return Err(format!("the end after {heard} bytes")),
            }
        }
        Ok(())
    }

    /// The next message, or `None` once the client has ended or left.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(message) = self.waiting.take() {
            return Some(message);
        }
        loop {
            if let Some(length) = self.frames.get(1..5) {
                let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
                if self.frames.len() >= 5 + length {
                    self.frames.advance(5);
                    return Some(self.frames.split_to(length).freeze());
                }
            }
            let body = self.body.as_mut()?;
            let bytes = body.data().await?.ok()?;
            let _ = body.flow_control().release_capacity(bytes.len());
            self.frames.extend_from_slice(&bytes);
        }
    }

    async fn flood(mut self, steps: &[String]) -> Result<(), String> {
        let said = steps.iter().map(|step| step.strip_prefix("< ").ok_or(format!("no message: {step}")));
        let messages = said.map(|said| Ok(self.message(said?))).collect::<Result<Vec<_>, String>>()?;
        self.head()?;
        let mut answers = self.answers.take().unwrap();
        for message in messages.iter().cycle() {
            answers.reserve_capacity(message.len());
            while answers.capacity() < message.len() {
                match poll_fn(|context| answers.poll_capacity(context)).await {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Ok(()),
                }
            }
            if answers.send_data(message.clone(), false).is_err() {
                break;
            }
            self.log.sent.fetch_add(message.len(), Ordering::SeqCst);
        }
        Ok(())
    }

    async fn deaf(mut self) -> Result<(), String> {
        self.head()?;
        let left = poll_fn(|context| self.answers.as_mut().unwrap().poll_reset(context));
        let _ = left.await;
        Ok(())
    }

    async fn drip(mut self) -> Result<(), String> {
        // The head of a message of 65535 bytes.
        let mut bytes = Bytes::from_static(&[0, 0, 0, 0xff, 0xff]);
        self.head()?;
        let mut answers = self.answers.take().unwrap();
        while answers.send_data(std::mem::replace(&mut bytes, Bytes::from_static(b" ")), false).is_ok() {
            tokio::select! {
                _ = poll_fn(|context| answers.poll_reset(context)) => break,
                () = tokio::time::sleep(DRIP) => {}
            }
        }
        Ok(())
    }

    async fn hang(mut self) -> Result<(), String> {
        let respond = &mut self.respond;
        let answers = &mut self.answers;
        let left = poll_fn(|context| match answers {
            Some(answers) => answers.poll_reset(context),
            None => respond.poll_reset(context),
        });
        let body = &mut self.body;
        let quiet = async {
            if let Some(body) = body {
                while let Some(Ok(bytes)) = body.data().await {
                    let _ = body.flow_control().release_capacity(bytes.len());
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = left => Ok(()),
            () = quiet => Ok(()),
        }
    }
}

/// Between two bytes of a message that drips.
const DRIP: Duration = Duration::from_millis(2);

/// `google.rpc.Status` with a `RetryInfo`.
fn details(seconds: u8) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let block = |tag: u8, body: &[u8]| [&[tag << 3 | 2, body.len() as u8], body].concat();
    let info = block(1, &[1 << 3, seconds]);
    let any = [block(1, b"type.googleapis.com/google.rpc.RetryInfo"), block(2, &info)].concat();
    STANDARD.encode([vec![1 << 3, 8], block(3, &any)].concat())
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
