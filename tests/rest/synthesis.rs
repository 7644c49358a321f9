//! `POST /voice/synthesize`: text spoken in each format, and by whom.

use std::{sync::Arc, time::Duration};

use audio::SampleRate;
use futures_util::StreamExt;
use providers::{
    ErrorKind, TextToSpeech,
    layers::{Fallback, Observed, Observer},
    scripted::{self, Fault, Faults, Length, TtsScript},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use voice_relay::{
    metrics::ProviderMeter,
    realtime::{Choices, Names, Offer, Task},
    rest::Context,
};

use crate::server::{Answer, Server, catalog};

const PATH: &str = "/voice/synthesize";

/// A mouth of this name whose every clause lasts a second, unless it fails.
fn mouth(context: &Context, name: &'static str, faults: Faults) -> Arc<dyn TextToSpeech> {
    let meter: Arc<dyn Observer> = Arc::new(ProviderMeter::new(context.engine.clock.clone()));
    let script = TtsScript { length: Length::Fixed(Duration::from_secs(1)), faults, ..TtsScript::default() };
    let inner: Arc<dyn TextToSpeech> = Arc::new(scripted::TextToSpeech::new(script));
    Arc::new(Observed::<dyn TextToSpeech>::new(name, meter, inner))
}

/// A relay with two mouths, the first of which may fail; the second can be asked for.
async fn relay(faults: Faults) -> Server {
    Server::with(|context| {
        let (first, second) = (mouth(context, "acme/first", faults), mouth(context, "other/second", Faults::default()));
        let chain = Fallback::new(first, vec![Arc::clone(&second)]);
        context.providers.tts = Arc::new(chain);
        let names = Names::default().with(Task::Speech, ["acme/first".to_owned(), "other/second".to_owned()]);
        let voices = [("other/second".to_owned(), second)].into();
        context.catalog = catalog(Offer::new(Choices { names, voices, ..Choices::default() }));
    })
    .await
}

/// What is said, with its headers.
async fn spoken(server: &Server, path: &str, body: Value) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let response = server.request(Method::POST, path).json(&body).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap().to_vec();
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&bytes));
    (headers, bytes)
}

#[tokio::test]
async fn text_is_spoken_in_each_format_that_can_be_made() {
    let server = relay(Faults::default()).await;
    let (headers, pcm) = spoken(&server, PATH, json!({"text": "One. Two.", "format": "pcm"})).await;
    assert_eq!((&headers["content-type"], pcm.len()), (&"audio/pcm".parse().unwrap(), 2 * 2 * 24_000));
    for body in [json!({"text": "One. Two."}), json!({"text": "One. Two.", "format": "wav", "voice": "alloy"})] {
        let (headers, wav) = spoken(&server, "/api/voice/synthesize", body).await;
        assert_eq!(headers["content-type"], "audio/wav");
        let clip = audio::wav::read(&wav).unwrap();
        assert_eq!((clip.rate, clip.samples.len()), (SampleRate::HZ_24000, 2 * 24_000));
    }
    let (headers, opus) = spoken(&server, PATH, json!({"text": "One. Two.", "format": "opus", "speed": 2})).await;
    assert_eq!(headers["content-type"], "audio/ogg");
    let clip = audio::media::decode(opus, Duration::from_secs(9)).unwrap();
    assert!((1.0..1.1).contains(&clip.duration().as_secs_f64()), "{:?}", clip.duration());
    let body = json!({"model": "tts-1", "input": "One. Two.", "response_format": "opus"});
    let (headers, opus) = spoken(&server, "/v1/audio/speech", body).await;
    assert_eq!((&headers["content-type"], &opus[..4]), (&"audio/ogg".parse().unwrap(), &b"OggS"[..]));
}

#[tokio::test]
async fn mp3_is_made_by_lame() {
    let (slow, made) =
        (json!({"text": "Hello there.", "format": "mp3"}), json!({"text": "One. Two.", "format": "mp3"}));
    let server = Server::start().await;
    let (headers, mp3) = spoken(&server, PATH, made).await;
    assert_eq!(headers["content-type"], "audio/mpeg");
    let clip = audio::media::decode(mp3, Duration::from_secs(9)).unwrap();
    let wav = spoken(&server, PATH, json!({"text": "One. Two."})).await.1;
    let late = clip.duration().saturating_sub(audio::wav::read(&wav).unwrap().duration());
    // Whole frames of 24 ms, and what the encoder looks ahead.
    assert!(clip.rate == SampleRate::HZ_24000 && late < Duration::from_millis(100), "{:?}", clip.duration());

    // The second stretch would take an hour: the first must not wait for it.
    let script = TtsScript { pace: Duration::from_secs(3_600), ..TtsScript::default() };
    let server = Server::with(|context| context.providers.tts = Arc::new(scripted::TextToSpeech::new(script))).await;
    let mut body = server.request(Method::POST, PATH).json(&slow).send().await.unwrap().bytes_stream();
    let first = body.next().await.unwrap().unwrap();
    assert_eq!((first[0], first[1] & 0xE0), (0xFF, 0xE0), "a frame begins with its synchronisation");
}

#[tokio::test]
async fn who_speaks_is_told_and_whether_they_stand_in() {
    let who = async |server: &Server, body: Value| {
        let (headers, _) = spoken(server, PATH, body).await;
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        (header("x-tts-provider"), header("x-tts-fallback"))
    };
    let well = relay(Faults::default()).await;
    assert_eq!(who(&well, json!({"text": "Hi."})).await, ("acme/first".into(), "false".into()));
    for provider in ["other", "other/second"] {
        let asked = who(&well, json!({"text": "Hi.", "provider": provider})).await;
        assert_eq!(asked, ("other/second".into(), "false".into()));
    }
    for fault in [Fault::Refuse(ErrorKind::Unavailable), Fault::Break { after: 0, kind: ErrorKind::Timeout }] {
        let ill = relay(Faults::always(fault)).await;
        assert_eq!(who(&ill, json!({"text": "Hi."})).await, ("other/second".into(), "true".into()));
    }
}

#[tokio::test]
async fn pages_may_read_who_spoke() {
    let server = Server::with(|context| context.config.allowed_origins = vec!["https://app.example.org".into()]).await;
    let request = server.request(Method::POST, PATH).header("origin", "https://app.example.org");
    let answer = Answer::of(request.json(&json!({"text": "Hi."}))).await;
    let exposed = answer.header("access-control-expose-headers").to_owned();
    for header in ["x-tts-provider", "x-tts-fallback", "x-request-id"] {
        assert!(exposed.split(',').any(|name| name.trim() == header), "{exposed}");
    }
}

#[tokio::test]
async fn sound_comes_as_it_is_made_also_as_opus() {
    // The second stretch would take an hour: the first must not wait for it.
    let script = TtsScript { pace: Duration::from_secs(3_600), ..TtsScript::default() };
    let server = Server::with(|context| context.providers.tts = Arc::new(scripted::TextToSpeech::new(script))).await;
    let body = json!({"text": "Hello there.", "format": "opus"});
    let mut body = server.request(Method::POST, PATH).json(&body).send().await.unwrap().bytes_stream();
    let first = body.next().await.unwrap().unwrap();
    assert_eq!(first.windows(4).filter(|bytes| bytes == b"OggS").count(), 3, "two headers and 100 ms of sound");
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_by_name() {
    let server = Server::start().await;
    for (body, code, field) in [
        (json!({}), "missing_required_parameter", "text"),
        (json!({"text": " "}), "invalid_value", "text"),
        (json!({"text": "x".repeat(4_097)}), "invalid_value", "text"),
        (json!({"text": "hi", "format": "flac"}), "unsupported_format", "format"),
        (json!({"text": "hi", "speed": 9}), "invalid_value", "speed"),
        (json!({"text": "hi", "voice": ""}), "invalid_value", "voice"),
        (json!({"text": "hi", "voice": "nobody/here"}), "model_not_found", "voice"),
        (json!({"text": "hi", "provider": "nobody"}), "invalid_value", "provider"),
        (json!({"text": "hi", "mood": "good"}), "unknown_parameter", "mood"),
    ] {
        let answer = server.post(PATH, body.clone()).await;
        assert_eq!(answer.problem(422), (code.into(), field.into()), "{body}");
    }
    let broken = TtsScript { faults: Faults::always(Fault::Refuse(ErrorKind::Unavailable)), ..TtsScript::default() };
    let server = Server::with(|context| context.providers.tts = Arc::new(scripted::TextToSpeech::new(broken))).await;
    assert_eq!(server.post(PATH, json!({"text": "hi"})).await.problem(503).0, "provider_unavailable");
}
