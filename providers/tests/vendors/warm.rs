//! The second turn pays for no handshake: connections are kept, or opened before they are needed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use futures_util::{StreamExt, stream};
use providers::{
    EmbeddingModel as _, LanguageModel as _, SpeechToText, TextToSpeech, deepgram, elevenlabs,
    embed::Purpose,
    llm::Prompt,
    openai,
    stt::{SttOptions, Transcript},
    tts::{Clause, Speech, Voice},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::support::cassette::Vendor;

const NOVA: &str = include_str!("../exchanges/deepgram/nova.txt");
const AURA: &str = include_str!("../exchanges/deepgram/aura.txt");
const DICTATION: &str = include_str!("../exchanges/openai/dictation.ws");
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

fn deepgram(base_url: &str) -> Arc<deepgram::Config> {
    let (base_url, key) = (base_url.to_owned(), Some("dg-key".into()));
    Arc::new(deepgram::Config { base_url, key, warm: true, ..deepgram::Config::default() })
}

fn openai(base_url: &str) -> Arc<openai::Config> {
    let (base_url, key) = (format!("{base_url}/v1"), Some("oa-key".into()));
    Arc::new(openai::Config { base_url, key, warm: true, ..openai::Config::default() })
}

async fn hear(ears: &dyn SpeechToText) -> String {
    let options = SttOptions {
        language: Some("en".into()),
        prompt: Some("Quixal".into()),
        interim: true,
        ..SttOptions::default()
    };
    let frames = stream::iter(vec![Frame::SILENCE; 100]).boxed();
    let mut heard = timeout(LONG, ears.transcribe(options, frames)).await.unwrap().unwrap();
    loop {
        match timeout(LONG, heard.next()).await.unwrap().unwrap().unwrap() {
            // Whoever has the final transcript needs no more of the stream.
            Transcript::Final(last) => return last.text,
            Transcript::Partial { .. } => {}
        }
    }
}

async fn say(mouth: &dyn TextToSpeech, texts: &[&str]) -> usize {
    let clauses: Vec<_> = texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() }).collect();
    let voice = Voice { name: "x".into(), language: None, speed: 1.0 };
    let speech = timeout(LONG, mouth.speak(voice, stream::iter(clauses).boxed())).await.unwrap().unwrap();
    let spoken: Vec<_> = timeout(LONG, speech.collect()).await.unwrap();
    spoken.iter().filter(|step| matches!(step, Ok(Speech::ClauseDone { .. }))).count()
}

/// Waits until so many connections were made.
async fn opened(vendor: &Vendor, count: usize) {
    let come = async {
        while vendor.handshakes.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(LONG, come).await.is_ok(), "{} of {count} connections", vendor.handshakes.lock().unwrap().len());
}

fn handshakes(vendor: &Vendor) -> usize {
    vendor.handshakes.lock().unwrap().len()
}

#[tokio::test]
async fn an_utterances_connection_is_there_before_it_begins() {
    for (cassette, text) in [(NOVA, "Go forward. 10 meters."), (DICTATION, "Go forward ten meters.")] {
        let vendor = Vendor::start(&[cassette]).await;
        let ears: Box<dyn SpeechToText> = if cassette == NOVA {
            Box::new(deepgram::SpeechToText::new("deepgram/nova-3", "nova-3", deepgram(&vendor.base_url)))
        } else {
            let model = "gpt-live-transcribe";
            Box::new(openai::SpeechToText::new("openai/live", model, openai(&vendor.base_url)))
        };
        for turn in 1..=3 {
            let before = handshakes(&vendor);
            assert_eq!(before, if turn == 1 { 0 } else { turn });
            assert_eq!(hear(&*ears).await, text, "{turn}");
            opened(&vendor, turn + 1).await;
        }
    }
}

#[tokio::test]
async fn a_replys_connection_is_there_before_it_begins() {
    let vendor = Vendor::start(&[AURA]).await;
    let mouth = deepgram::TextToSpeech::new("deepgram/aura-2", "aura-2", deepgram(&vendor.base_url));
    for turn in 1..=3 {
        assert_eq!(handshakes(&vendor), if turn == 1 { 0 } else { turn });
        assert_eq!(say(&mouth, &["Hello there.", "How are you?"]).await, 2);
        opened(&vendor, turn + 1).await;
    }
    let vendor = Vendor::start(&["= hang"]).await;
    let (base_url, key) = (vendor.base_url.clone(), Some("sk_tiger".into()));
    let config = elevenlabs::Config { base_url, key, warm: true, ..elevenlabs::Config::default() };
    let mouth = elevenlabs::TextToSpeech::new("elevenlabs/x", "eleven_flash_v2_5", Arc::new(config));
    for turn in 1..=3 {
        assert_eq!(handshakes(&vendor), if turn == 1 { 0 } else { turn });
        assert_eq!(say(&mouth, &[]).await, 0);
        opened(&vendor, turn + 1).await;
    }
}

#[tokio::test]
async fn a_connection_that_waits_ends_with_its_adapter() {
    let mut vendor = Vendor::start(&[NOVA, "= hang"]).await;
    let ears = deepgram::SpeechToText::new("deepgram/nova-3", "nova-3", deepgram(&vendor.base_url));
    hear(&ears).await;
    opened(&vendor, 2).await;
    assert_eq!(timeout(LONG, vendor.end()).await, Ok(Ok(())));
    drop(ears);
    let gone = timeout(Duration::from_millis(50), vendor.end()).await;
    assert_eq!(gone, Ok(Ok(())), "still there after 50 ms");
}

/// Answers every request of every connection, and counts both.
struct Host {
    base_url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

async fn host(kind: &'static str, body: &'static [u8]) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let (connections, requests) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let (come, asked) = (connections.clone(), requests.clone());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            come.fetch_add(1, Ordering::SeqCst);
            let asked = asked.clone();
            tokio::spawn(async move {
                while read_request(&mut socket).await {
                    asked.fetch_add(1, Ordering::SeqCst);
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
                    let chunk = format!("{:x}\r\n", body.len());
                    let answer = [head.as_bytes(), chunk.as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
                    socket.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    Host { base_url, connections, requests }
}

async fn read_request(socket: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() - end - 4 >= length.unwrap_or(0) {
                return true;
            }
        }
        if socket.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return false;
        }
    }
}

impl Host {
    fn config(&self) -> Arc<openai::Config> {
        openai(&self.base_url)
    }

    fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let thoughts = host("text/event-stream", include_bytes!("../exchanges/openai/openai-text.sse")).await;
    let model = openai::LanguageModel::new("openai/x", "x", thoughts.config());
    let words = host("text/event-stream", include_bytes!("../exchanges/openai/transcript.sse")).await;
    let ears = openai::SpeechToText::new("openai/x", "gpt-transcribe", words.config());
    let sound = host("audio/pcm", &[1; 4_800]).await;
    let mouth = openai::TextToSpeech::new("openai/x", "tts-1", sound.config());
    let vectors = host("application/json", br#"{"data":[{"index":0,"embedding":[1.0]}]}"#).await;
    let embedder = openai::EmbeddingModel::new("openai/x", "x", vectors.config());
    for _ in 0..3 {
        let reply: Vec<_> = model.reply(Prompt::default()).await.unwrap().collect().await;
        assert!(reply.iter().all(Result::is_ok), "{reply:?}");
        assert_eq!(hear(&ears).await, "Go forward ten meters.");
        assert_eq!(say(&mouth, &["One."]).await, 1);
        assert_eq!(embedder.embed(vec!["one".into()], Purpose::Passages).await.unwrap().vectors, [[1.0]]);
    }
    for (what, host) in [("llm", &thoughts), ("stt", &words), ("tts", &sound), ("embed", &vectors)] {
        assert_eq!(host.counts(), (1, 3), "{what}: connections, requests");
    }
}
