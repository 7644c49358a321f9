//! The ElevenLabs adapter against sockets that behave, misbehave, or go silent.

mod listen;
mod speak;
mod voices;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audio::{Frame, SampleRate};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{
    SinkExt, StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError, SpeechToText as _, TextToSpeech as _,
    elevenlabs::{Category, Config, Library, NewVoice, Sample, SpeechToText, TextToSpeech},
    layers::{Timed, Timeouts},
    stt::{FinalTranscript, SttOptions, Transcript},
    tts::{Clause, Speech, Voice},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::support::{Server, Step, answer, at_once, cassette::Vendor};

const SPEECH: &str = include_str!("../../exchanges/elevenlabs/speech.ws");
const ODD: &str = include_str!("../../exchanges/elevenlabs/speech-odd.ws");
const TRANSCRIPT: &str = include_str!("../../exchanges/elevenlabs/transcript.ws");

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

fn config(base_url: &str) -> Config {
    let base_url = base_url.trim_end_matches("/v1").to_owned();
    Config { base_url, key: Some("sk_tiger".into()), ..Config::default() }
}

fn mouth(base_url: &str) -> TextToSpeech {
    TextToSpeech::new("elevenlabs/eleven_flash_v2_5", "eleven_flash_v2_5", Arc::new(config(base_url)))
}

fn ear(base_url: &str) -> SpeechToText {
    SpeechToText::new("elevenlabs/scribe_v2_realtime", "scribe_v2_realtime", Arc::new(config(base_url)))
}

fn voice() -> Voice {
    Voice { name: "george".into(), language: Some("en-GB".into()), speed: 1.0 }
}

fn clauses(texts: &[&str]) -> BoxStream<'static, Clause> {
    let clauses: Vec<_> = texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() }).collect();
    stream::iter(clauses).boxed()
}

fn frames(count: usize) -> BoxStream<'static, Frame> {
    stream::iter(vec![Frame([100; Frame::SAMPLES]); count]).boxed()
}

fn interim() -> SttOptions {
    SttOptions { interim: true, ..SttOptions::default() }
}

type Said = Result<Vec<Result<Speech, ProviderError>>, ProviderError>;
type Heard = Result<Vec<Result<Transcript, ProviderError>>, ProviderError>;

async fn say(mouth: &dyn providers::TextToSpeech, texts: &[&str]) -> Said {
    let speech = mouth.speak(voice(), clauses(texts)).await?;
    Ok(timeout(LONG, speech.collect()).await.expect("the speech ends"))
}

async fn hear(ear: &dyn providers::SpeechToText, count: usize) -> Heard {
    let transcripts = ear.transcribe(interim(), frames(count)).await?;
    Ok(timeout(LONG, transcripts.collect()).await.expect("the transcription ends"))
}

fn word(clause: u32, range: std::ops::Range<usize>, start: u64, end: u64) -> Speech {
    Speech::Word { clause, range, start: Duration::from_millis(start), end: Duration::from_millis(end) }
}

fn sound(clause: u32, samples: &[i16]) -> Speech {
    Speech::Audio { clause, clip: audio::Clip::new(SampleRate::HZ_24000, samples.to_vec()) }
}

// Both.

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    let key = r#"{"detail":{"status":"invalid_api_key","message":"Invalid API key sk_tiger"}}"#;
    let quota =
        r#"{"detail":{"type":"payment_required","code":"quota_exceeded","message":"You have 3 credits left."}}"#;
    for (status, headers, body, kind) in [
        ("401 Unauthorized", "", key, ErrorKind::Unauthorized),
        ("401 Unauthorized", "", quota, ErrorKind::RateLimited),
        ("403 Forbidden", "", "", ErrorKind::Unauthorized),
        ("404 Not Found", "", r#"{"detail":{"status":"voice_not_found","message":"No."}}"#, ErrorKind::Rejected),
        ("408 Request Timeout", "", "", ErrorKind::Timeout),
        ("422 Unprocessable Entity", "", r#"{"detail":[{"msg":"field required"}]}"#, ErrorKind::Rejected),
        ("429 Too Many Requests", "retry-after: 7\r\n", "", ErrorKind::RateLimited),
        ("500 Internal Server Error", "", "<html>", ErrorKind::Unavailable),
        ("503 Service Unavailable", "", "", ErrorKind::Unavailable),
        ("302 Found", "location: http://127.0.0.1:1/\r\n", "", ErrorKind::Rejected),
    ] {
        let server = Server::start(vec![answer(status, headers, body)]).await;
        let refused = [
            say(&mouth(&server.base_url), &["Hi."]).await.unwrap_err(),
            hear(&ear(&server.base_url), 1).await.unwrap_err(),
            Library::new("elevenlabs", Arc::new(config(&server.base_url))).list().await.unwrap_err(),
        ];
        for error in refused {
            assert_eq!(error.kind, kind, "{status}: {error}");
            assert!(error.detail.contains(&status[..3]) && !error.to_string().contains("tiger"), "{error}");
            assert_eq!(error.retry_after, (&status[..3] == "429").then_some(Duration::from_secs(7)));
        }
    }
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for (base_url, kind) in [(base_url.as_str(), ErrorKind::Unavailable), ("nonsense", ErrorKind::Rejected)] {
        assert_eq!(say(&mouth(base_url), &["Hi."]).await.unwrap_err().kind, kind);
        assert_eq!(hear(&ear(base_url), 1).await.unwrap_err().kind, kind);
        let library = Library::new("elevenlabs", Arc::new(config(base_url)));
        assert_eq!(library.page(None).await.unwrap_err().kind, kind);
    }
}

#[tokio::test]
async fn silence_is_given_up_in_time() {
    let soon = Duration::from_millis(150);
    let limits = Timeouts { open: soon, first: soon, idle: soon };
    let mut vendor = Vendor::start(&["= hang"]).await;
    let mouth: Arc<dyn providers::TextToSpeech> = Arc::new(mouth(&vendor.base_url));
    let speech = say(&Timed::new("slow", limits, mouth), &["Hi."]).await.unwrap();
    assert_eq!(speech.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
    let ear: Arc<dyn providers::SpeechToText> = Arc::new(ear(&vendor.base_url));
    let transcripts = hear(&Timed::new("slow", limits, ear), 9).await.unwrap();
    assert_eq!(transcripts.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));

    let drip = vec![Step::Send(b"HTTP/1.1 101 Switching".to_vec()), Step::Hang];
    let mut server = Server::start(vec![drip]).await;
    let mouth: Arc<dyn providers::TextToSpeech> = Arc::new(self::mouth(&server.base_url));
    assert_eq!(say(&Timed::new("slow", limits, mouth), &["Hi."]).await.unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(timeout(LONG, server.left.recv()).await.unwrap(), Some(()));
}

// Vendors that answer whatever comes.

/// Speaks each context: 10 ms a character, in two chunks, its end once closed.
struct Speaker {
    base_url: String,
    said: Arc<std::sync::Mutex<Vec<String>>>,
    /// Most contexts open at once.
    most: Arc<AtomicUsize>,
}

impl Speaker {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("ws://{}", listener.local_addr().unwrap());
        let (said, most) = (Arc::<std::sync::Mutex<Vec<String>>>::default(), Arc::new(AtomicUsize::new(0)));
        let (texts, highest) = (said.clone(), most.clone());
        tokio::spawn(async move {
            let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
            let mut open = Vec::new();
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                let message: Value = serde_json::from_str(&text).unwrap();
                let Some(context) = message["context_id"].as_str().map(str::to_owned) else { continue };
                let answers = if message["close_context"] == true {
                    open.retain(|id| *id != context);
                    vec![json!({"isFinal": true, "contextId": context})]
                } else if message["flush"] == true {
                    let text = message["text"].as_str().unwrap();
                    texts.lock().unwrap().push(text.to_owned());
                    let chars: Vec<char> = text.chars().collect();
                    chars.chunks(chars.len() / 2 + 1).map(|chars| chunk(chars, &context)).collect()
                } else {
                    open.push(context);
                    highest.fetch_max(open.len(), Ordering::SeqCst);
                    continue;
                };
                for answer in answers {
                    socket.send(Message::Text(answer.to_string().into())).await.unwrap();
                }
            }
        });
        Self { base_url, said, most }
    }
}

fn chunk(chars: &[char], context: &str) -> Value {
    let starts: Vec<usize> = (0..chars.len()).map(|n| n * 10).collect();
    let alignment = json!({"chars": chars, "charStartTimesMs": starts, "charDurationsMs": vec![10; chars.len()]});
    let sound = BASE64_STANDARD.encode(vec![1_u8; chars.len() * 480]);
    json!({"audio": sound, "contextId": context, "alignment": alignment, "isFinal": null})
}

/// Answers each commit with a numbered part.
struct Scribe {
    base_url: String,
}

impl Scribe {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
            let mut part = 0;
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                if serde_json::from_str::<Value>(&text).unwrap()["commit"] == true {
                    part += 1;
                    for kind in ["committed_transcript", "committed_transcript_with_timestamps"] {
                        let message = json!({"message_type": kind, "text": format!("Part {part}."), "words": null});
                        socket.send(Message::Text(message.to_string().into())).await.unwrap();
                    }
                }
            }
        });
        Self { base_url }
    }
}

/// Sends without end.
struct Flood {
    base_url: String,
    sent: Arc<AtomicUsize>,
}

impl Flood {
    async fn start(message: impl Fn(usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("ws://{}", listener.local_addr().unwrap());
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        tokio::spawn(async move {
            let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
            while socket.send(Message::Text(message(count.load(Ordering::SeqCst)).into())).await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { base_url, sent }
    }

    /// How many messages got out when no more do.
    async fn settled(&self) -> usize {
        loop {
            let before = self.sent.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            if self.sent.load(Ordering::SeqCst) == before {
                return before;
            }
        }
    }
}
