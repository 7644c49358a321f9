//! What an adapter adds between a vendor's wire and the session, one direction each, beside bare sockets in the same run.
//!
//! Up: from giving the trait a frame, a clause or a prompt to the vendor having read its message. Down: from the vendor
//! writing a message to the trait's stream yielding what is in it. Both ends are in this process and read one clock, so
//! that a direction can be measured by itself; the loopback and the scheduler are part of every number, also of the
//! bare one. See docs/benchmarks.md.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use std::{
    collections::VecDeque,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use audio::Frame;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use providers::{
    LanguageModel, SpeechToText, TextToSpeech, deepgram, elevenlabs,
    llm::{Message, Prompt, Thought},
    openai,
    stt::{SttOptions, Transcript},
    tts::{Clause, Speech, Voice},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::sleep,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite};
use voice_relay::clock::Clock;

/// Messages each way, and between two of them: as many sessions would, not as one.
const MESSAGES: usize = 2_000;
const PACE: Duration = Duration::from_millis(2);
/// What a reply and a clause come in.
const PIECES: usize = 4;
/// The most that an adapter may add.
const MOST: Duration = Duration::from_millis(1);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let build = if cfg!(debug_assertions) { "a development build: only a release build counts" } else { "release" };
    println!("{MESSAGES} messages each way, one every {PACE:?}; {build}\n");
    println!("{:<34}{:>7}{:>9}{:>9}{:>9}{:>9}  added at p99", "ms", "n", "p50", "p95", "p99", "max");
    let beside = |ways: Pin<Box<dyn Future<Output = Ways>>>| runtime.block_on(async { tokio::join!(ways, bare()) });
    let measured = [
        ("stt: Deepgram", beside(Box::pin(ear()))),
        ("tts: ElevenLabs", beside(Box::pin(mouth()))),
        ("llm: chat completions", beside(Box::pin(mind()))),
    ];
    let mut worst = Duration::ZERO;
    for (name, (ways, bare)) in &measured {
        for (direction, way, bare) in [("up", &ways.up, &bare.up), ("down", &ways.down, &bare.down)] {
            let added = way.rank(99).saturating_sub(bare.rank(99));
            worst = worst.max(added);
            way.tell(&format!("{name}, {direction}"), &format!("{:.3}", millis(added)));
            bare.tell("  bare socket beside it", "");
        }
    }
    let verdict = if worst < MOST { "yes" } else { "NO" };
    println!("\nan adapter adds less than {MOST:?} at p99: {verdict} ({worst:?})");
}

/// Both directions of one adapter.
#[derive(Clone)]
struct Ways {
    up: Arc<Way>,
    down: Arc<Way>,
}

/// What leaves one end arrives at the other in the same order.
struct Way {
    clock: Clock,
    under_way: Mutex<VecDeque<Instant>>,
    spans: Mutex<Vec<Duration>>,
}

impl Ways {
    fn new() -> Self {
        let way = || Arc::new(Way { clock: Clock::system(), under_way: Mutex::default(), spans: Mutex::default() });
        Self { up: way(), down: way() }
    }
}

impl Way {
    fn leaves(&self) {
        self.under_way.lock().unwrap().push_back(self.clock.now());
    }

    fn arrives(&self) {
        let now = self.clock.now();
        let left = self.under_way.lock().unwrap().pop_front().unwrap();
        self.spans.lock().unwrap().push(now.saturating_duration_since(left));
    }

    /// What was measured so far was to get warm.
    fn forget(&self) {
        self.spans.lock().unwrap().clear();
    }

    fn count(&self) -> usize {
        self.spans.lock().unwrap().len()
    }

    fn tell(&self, label: &str, added: &str) {
        let [p50, p95, p99, max] = [50, 95, 99, 100].map(|percent| millis(self.rank(percent)));
        println!("{label:<34}{:>7}{p50:>9.3}{p95:>9.3}{p99:>9.3}{max:>9.3}  {added}", self.count());
    }

    /// The percentile by nearest rank.
    fn rank(&self, percent: usize) -> Duration {
        let mut spans = self.spans.lock().unwrap().clone();
        spans.sort_unstable();
        spans.get((spans.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or_default()
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

/// A vendor of one connection at a time.
async fn vendor<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            serve(stream).await;
        }
    });
    address
}

/// The reference: a frame there, as much as a partial transcript back.
async fn bare() -> Ways {
    let ways = Ways::new();
    let theirs = ways.clone();
    let address = vendor(move |mut stream| {
        let ways = theirs.clone();
        async move {
            let mut frame = [0; 640];
            while stream.read_exact(&mut frame).await.is_ok() {
                ways.up.arrives();
                ways.down.leaves();
                stream.write_all(&frame).await.unwrap();
            }
        }
    })
    .await;
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let read = async {
        let mut frame = [0; 640];
        for _ in 0..MESSAGES {
            reading.read_exact(&mut frame).await.unwrap();
            ways.down.arrives();
        }
    };
    let write = async {
        for _ in 0..MESSAGES {
            sleep(PACE).await;
            ways.up.leaves();
            writing.write_all(&[7; 640]).await.unwrap();
        }
    };
    tokio::join!(read, write);
    ways
}

async fn ear() -> Ways {
    let ways = Ways::new();
    let theirs = ways.clone();
    let address = vendor(move |stream| listen(stream, theirs.clone())).await;
    let config = deepgram::Config { base_url: format!("http://{address}"), ..deepgram::Config::default() };
    let ear = deepgram::SpeechToText::new("deepgram/nova-3", "nova-3", Arc::new(config));
    let (frames, audio) = mpsc::channel(16);
    let options = SttOptions { interim: true, ..SttOptions::default() };
    let mut transcripts = ear.transcribe(options, ReceiverStream::new(audio).boxed()).await.unwrap();
    let speak = async {
        for _ in 0..MESSAGES {
            sleep(PACE).await;
            ways.up.leaves();
            frames.send(Frame::SILENCE).await.unwrap();
        }
        drop(frames);
    };
    let hear = async {
        while let Some(transcript) = transcripts.next().await {
            if let Transcript::Partial { .. } = transcript.unwrap() {
                ways.down.arrives();
            }
        }
    };
    tokio::join!(speak, hear);
    ways
}

async fn listen(stream: TcpStream, ways: Ways) {
    let mut socket = accept_async(stream).await.unwrap();
    let mut heard = 0;
    while let Some(Ok(message)) = socket.next().await {
        if let tungstenite::Message::Binary(frames) = &message {
            for _ in 0..frames.len() / (Frame::SAMPLES * 2) {
                ways.up.arrives();
                heard += 1;
                let words = json!([{"word": "word", "start": 0.0, "end": 0.5}]);
                let best = json!({"transcript": format!("word {heard}"), "words": words});
                let guess = json!({"type": "Results", "start": 0.0, "duration": 1.0, "is_final": false,
                    "channel": {"alternatives": [best]}});
                say(&mut socket, &guess, Some(&ways.down)).await;
            }
        } else if message.to_text().is_ok_and(|text| text.contains("CloseStream")) {
            say(&mut socket, &json!({"type": "Metadata"}), None).await;
            let _ = socket.close(None).await;
        }
    }
}

async fn mouth() -> Ways {
    let ways = Ways::new();
    let theirs = ways.clone();
    let address = vendor(move |stream| speak(stream, theirs.clone())).await;
    let config = elevenlabs::Config { base_url: format!("http://{address}"), ..elevenlabs::Config::default() };
    let mouth = elevenlabs::TextToSpeech::new("elevenlabs/x", "eleven_flash_v2_5", Arc::new(config));
    let (clauses, text) = mpsc::channel(4);
    let voice = Voice { name: "sarah".into(), language: None, speed: 1.0 };
    let mut speech = mouth.speak(voice, ReceiverStream::new(text).boxed()).await.unwrap();
    for id in 0..u32::try_from(MESSAGES / PIECES).unwrap() {
        sleep(PACE).await;
        ways.up.leaves();
        clauses.send(Clause { id, text: "How are you today?".to_owned() }).await.unwrap();
        loop {
            match speech.next().await.unwrap().unwrap() {
                Speech::Audio { .. } => ways.down.arrives(),
                Speech::Word { .. } => {}
                Speech::ClauseDone { .. } => break,
            }
        }
    }
    ways
}

async fn speak(stream: TcpStream, ways: Ways) {
    let mut socket = accept_async(stream).await.unwrap();
    let sound = BASE64_STANDARD.encode([1; 960]);
    while let Some(Ok(message)) = socket.next().await {
        let tungstenite::Message::Text(text) = message else { continue };
        let asked: Value = serde_json::from_str(&text).unwrap();
        let context = &asked["context_id"];
        if asked["flush"] == true {
            ways.up.arrives();
            for _ in 0..PIECES {
                say(&mut socket, &json!({"audio": sound, "contextId": context}), Some(&ways.down)).await;
                sleep(PACE).await;
            }
        } else if asked["close_context"] == true {
            say(&mut socket, &json!({"isFinal": true, "contextId": context}), None).await;
        }
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, message: &Value, way: Option<&Way>) {
    let message = tungstenite::Message::text(message.to_string());
    way.inspect(|way| way.leaves());
    // A relay that has left needs no answer.
    let _ = socket.send(message).await;
}

async fn mind() -> Ways {
    let ways = Ways::new();
    let theirs = ways.clone();
    let address = vendor(move |stream| think(stream, theirs.clone())).await;
    let config = openai::Config { base_url: format!("http://{address}/v1"), ..openai::Config::default() };
    let mind = openai::LanguageModel::new("openai/x", "x", Arc::new(config));
    for round in 0..=MESSAGES / PIECES {
        sleep(PACE).await;
        let messages = vec![Message::User("How are you today?".to_owned())];
        ways.up.leaves();
        let mut thoughts = mind.reply(Prompt { messages, ..Prompt::default() }).await.unwrap();
        while let Some(thought) = thoughts.next().await {
            if let Thought::Text(_) = thought.unwrap() {
                ways.down.arrives();
            }
        }
        // The first request pays for the connection.
        if round == 0 {
            ways.up.forget();
            ways.down.forget();
        }
    }
    ways
}

async fn think(mut stream: TcpStream, ways: Ways) {
    let chunk = |event: &str| format!("{:x}\r\n{event}\r\n", event.len());
    let piece = json!({"id": "c", "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": null}]});
    let last = json!({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let piece = chunk(&format!("data: {piece}\n\n"));
    let end = format!("{}0\r\n\r\n", chunk(&format!("data: {last}\n\ndata: [DONE]\n\n")));
    while request(&mut stream).await.is_some() {
        ways.up.arrives();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..PIECES {
            sleep(PACE).await;
            ways.down.leaves();
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        stream.write_all(end.as_bytes()).await.unwrap();
    }
}

/// Reads a request to the end of its body.
async fn request(stream: &mut TcpStream) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if bytes.len() >= end + 4 + length.unwrap_or(0) {
            return Some(());
        }
    }
}
