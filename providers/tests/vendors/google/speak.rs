//! Text-to-speech.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, ProviderError, TextToSpeech as _,
    google::TextToSpeech,
    layers::{Timed, Timeouts},
    tts::{Clause, Speech, SpeechStream, Voice},
};
use tokio::sync::mpsc;

use super::{TOKEN, Vendor, config, cut, dribbling, endings, foreign, leaves_at_once, silent, soon, steps};

const CHIRP: &str = include_str!("../../exchanges/google/synthesize.txt");
const START: &str = r#"> {"streamingConfig":{"voice":{"languageCode":"en-US"}}}"#;
const SECOND: &str =
    "> {\"streamingConfig\":{}}\n> {\"input\":{\"text\":\"How are you?\"}}\n> end\n< audio 2400\n< status 0";
const TEXT: [&str; 2] = ["Hello there.", "How are you?"];

type Events = Vec<Result<Speech, ProviderError>>;

fn mouth(base_url: &str) -> TextToSpeech {
    TextToSpeech::new("google/chirp3-hd", "chirp3-hd", config(base_url))
}

fn voice(name: &str) -> Voice {
    Voice { name: name.into(), language: Some("en".into()), speed: 1.0 }
}

fn clauses(texts: &[&str]) -> Vec<Clause> {
    texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() }).collect()
}

async fn say(base_url: &str, texts: &[&str]) -> Events {
    say_with(&mouth(base_url), voice("alloy"), texts).await
}

async fn say_with(mouth: &TextToSpeech, voice: Voice, texts: &[&str]) -> Events {
    let events: Events = match mouth.speak(voice, stream::iter(clauses(texts)).boxed()).await {
        Ok(events) => soon(events.collect()).await,
        Err(error) => vec![Err(error)],
    };
    keeps_its_promises(&events);
    events
}

/// Clauses come in order, each ends once, and nothing follows an error.
fn keeps_its_promises(events: &Events) {
    let mut open = 0;
    for (at, event) in events.iter().enumerate() {
        match event {
            Ok(Speech::Audio { clause, clip }) => assert!(*clause == open && !clip.samples.is_empty()),
            Ok(Speech::ClauseDone { clause }) => {
                assert_eq!(*clause, open);
                open += 1;
            }
            Ok(Speech::Word { .. }) => panic!("Google has no words"),
            Err(error) => {
                assert_eq!(at + 1, events.len());
                assert!(!error.to_string().contains(TOKEN), "{error}");
            }
        }
    }
}

fn samples(events: &Events, of: u32) -> Vec<i16> {
    let clips = events.iter().flatten().filter_map(|event| match event {
        Speech::Audio { clause, clip } if *clause == of => Some(clip.samples.clone()),
        Speech::Audio { .. } | Speech::Word { .. } | Speech::ClauseDone { .. } => None,
    });
    clips.flatten().collect()
}

fn failure(events: &Events) -> &ProviderError {
    events.last().unwrap().as_ref().unwrap_err()
}

/// Lets the adapter's clock run ahead while nothing comes from either side.
async fn pass(events: &mut SpeechStream, time: Duration) {
    let idle = Duration::from_millis(100);
    assert!(tokio::time::timeout(idle, events.next()).await.is_err(), "nothing is said");
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn clauses_are_spoken_one_by_one_as_documented() {
    let mut vendor = Vendor::start(&[CHIRP, SECOND]).await;
    let events = say(&vendor.base_url, &TEXT).await;
    assert_eq!(events.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    assert_eq!(samples(&events, 0), vec![0x0101; 4_800], "a sample cut in two is whole again");
    assert_eq!(samples(&events, 1).len(), 1_200);
    assert_eq!((vendor.end().await, vendor.end().await), (Ok(()), Ok(())));
    let head = vendor.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize\n"), "{head}");
    assert!(head.contains("authorization: Bearer ya29.test-token") && head.contains("te: trailers"), "{head}");
    assert_eq!(vendor.connections.load(Ordering::Relaxed), 1, "calls share a connection");
}

#[tokio::test]
async fn voices_and_paces_are_asked_for() {
    let asked = |language: &str, name: &str, rate: &str| {
        format!(
            "> {{\"streamingConfig\":{{\"voice\":{{\"languageCode\":\"{language}\",\"name\":\"{name}\"}},\
             \"streamingAudioConfig\":{{\"audioEncoding\":7{rate}}}}}}}\n> {{\"input\":{{}}}}\n> end\n< audio 20\n< status 0"
        )
    };
    let cassettes = [
        asked("en-GB", "en-GB-Chirp3-HD-Kore", ",\"speakingRate\":1.5"),
        asked("de-DE", "de-DE-Chirp3-HD-Puck", ",\"speakingRate\":2.0"),
        asked("en-US", "en-US-Chirp3-HD-Zephyr", ",\"speakingRate\":0.25"),
    ];
    let cassettes: Vec<_> = cassettes.iter().map(String::as_str).collect();
    let mut vendor = Vendor::start(&cassettes).await;
    for (name, language, model, speed) in [
        ("kore", "en-GB", "chirp3-hd", 1.5),
        ("alloy", "de", "en-US-Chirp3-HD-Puck", 4.0),
        ("en-US-Chirp3-HD-Zephyr", "de", "chirp3-hd", 0.1),
    ] {
        let mouth = TextToSpeech::new("google/x", model, config(&vendor.base_url));
        let voice = Voice { name: name.into(), language: Some(language.into()), speed };
        say_with(&mouth, voice, &["Hi."]).await;
        assert_eq!(vendor.end().await, Ok(()));
    }
}

#[tokio::test]
async fn voices_that_do_not_stream_are_asked_for_the_whole() {
    let cassette = "> {\"input\":{\"text\":\"Hello there.\"},\"voice\":{\"languageCode\":\"en-GB\",\"name\":\"en-GB-Neural2-A\"},\
        \"audioConfig\":{\"audioEncoding\":1,\"sampleRateHertz\":24000}}\n> end\n< audio 120000\n< status 0";
    let mut vendor = Vendor::start(&[cassette]).await;
    let mouth = TextToSpeech::new("google/en-GB-Neural2-A", "en-GB-Neural2-A", config(&vendor.base_url));
    let events = say_with(&mouth, voice("alloy"), &TEXT[..1]).await;
    assert_eq!(vendor.end().await, Ok(()));
    assert_eq!(samples(&events, 0).len(), 60_000);
    assert_eq!(events.len(), 4, "in pieces of a second");
    let head = vendor.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("/google.cloud.texttospeech.v1.TextToSpeech/SynthesizeSpeech\n"), "{head}");
}

#[tokio::test]
async fn long_clauses_are_sent_in_pieces_and_soundless_ones_not_at_all() {
    let sentence = "Ce passage est assez long pour être coupé à sa fin, pas avant. ";
    let count = 5_000 / sentence.len();
    let long = sentence.repeat(count + 2);
    let piece = |count: usize| {
        let text = sentence.repeat(count);
        format!(
            "> {{\"streamingConfig\":{{}}}}\n> {{\"input\":{{\"text\":\"{}\"}}}}\n> end\n< audio 20\n< status 0",
            text.trim_end()
        )
    };
    let bye = "> {\"streamingConfig\":{}}\n> {\"input\":{\"text\":\"Bye.\"}}\n> end\n< audio 20\n< status 0";
    let mut vendor = Vendor::start(&[&piece(count), &piece(2), bye]).await;
    let events = say(&vendor.base_url, &[&long, " … ", "Bye."]).await;
    for _ in 0..3 {
        assert_eq!(vendor.end().await, Ok(()));
    }
    let done: Vec<_> = events.iter().filter(|event| matches!(event, Ok(Speech::ClauseDone { .. }))).collect();
    assert_eq!((done.len(), samples(&events, 0).len(), samples(&events, 2).len()), (3, 20, 10));
}

#[tokio::test]
async fn bytes_may_come_and_go_one_by_one() {
    let vendor = Vendor::start(&[CHIRP, SECOND]).await;
    let events = say(&dribbling(&vendor.base_url).await, &TEXT).await;
    assert_eq!(samples(&events, 0).len() + samples(&events, 1).len(), 6_000);
}

#[tokio::test]
async fn endings_say_what_one_can_do() {
    for (ending, kind, detail) in endings() {
        for begun in ["", "< audio 20\n"] {
            let asked = "> {\"input\":{}}\n> end\n";
            let vendor = Vendor::start(&[&format!("{START}\n{asked}{begun}{ending}")]).await;
            let events = say(&vendor.base_url, &TEXT).await;
            let error = failure(&events);
            assert_eq!((error.kind, &*error.provider), (kind, "google/chirp3-hd"), "{begun}{ending}: {error}");
            assert!(error.detail.contains(detail), "{begun}{ending}: {error}");
            assert_eq!(error.retry_after, ending.starts_with("< retry").then_some(Duration::from_secs(7)));
        }
    }
    for (answer, kind) in foreign() {
        let vendor = Vendor::start(&[answer]).await;
        assert_eq!(failure(&say(&vendor.base_url, &TEXT).await).kind, kind, "{answer}");
    }
    let nowhere = mouth("http://127.0.0.1:1").speak(voice("x"), stream::empty().boxed()).await.err().unwrap();
    assert_eq!(nowhere.kind, ErrorKind::Unavailable, "known before there is text");
}

#[tokio::test]
async fn a_stream_that_waits_for_its_text_is_replaced_unless_it_is_refused() {
    let aborted = format!("{START}\n< status 10 Stream aborted due to long duration elapsed without input sent.");
    let hello = "> {\"streamingConfig\":{}}\n> {\"input\":{\"text\":\"Hello there.\"}}\n> end\n< audio 20\n< status 0";
    for (first, wait) in [(aborted.as_str(), Duration::ZERO), ("= hang", Duration::from_secs(5))] {
        let mut vendor = Vendor::start(&[first, hello]).await;
        let (sender, text) = mpsc::channel(4);
        let text = tokio_stream::wrappers::ReceiverStream::new(text).boxed();
        let mut events = mouth(&vendor.base_url).speak(voice("alloy"), text).await.unwrap();
        pass(&mut events, wait).await;
        assert!(tokio::time::timeout(Duration::from_millis(50), events.next()).await.is_err());
        assert_eq!(vendor.end().await, Ok(()), "it is let go");
        sender.send(clauses(&TEXT).remove(0)).await.unwrap();
        drop(sender);
        let events: Events = soon(events.collect()).await;
        assert_eq!((samples(&events, 0).len(), vendor.end().await), (10, Ok(())));
    }
    let denied = format!("{START}\n< status 7 denied");
    let vendor = Vendor::start(&[&denied]).await;
    let mut events = mouth(&vendor.base_url).speak(voice("alloy"), stream::pending().boxed()).await.unwrap();
    let error = soon(events.next()).await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized, "known before there is text");
}

#[tokio::test]
async fn a_call_cut_at_any_message_is_one_error() {
    for then in ["= reset", "= cut"] {
        for after in 1..steps(CHIRP).len() {
            let vendor = Vendor::start(&[&cut(CHIRP, after, then)]).await;
            let error = failure(&say(&vendor.base_url, &TEXT).await).clone();
            assert_eq!(error.kind, ErrorKind::Unavailable, "{then} {after}: {error}");
        }
    }
}

#[tokio::test]
async fn dropping_the_speech_cancels_the_call() {
    let sounding = format!("{START}\n> {{\"input\":{{}}}}\n> end\n< audio 4800\n= hang");
    let mut vendor = Vendor::start(&[&sounding, "= hang"]).await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let mut events = mouth(&vendor.base_url).speak(voice("alloy"), text).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))));
    drop(events);
    leaves_at_once(&mut vendor).await;
    // While there is nothing to say yet.
    let events = mouth(&vendor.base_url).speak(voice("alloy"), stream::pending().boxed()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(events);
    leaves_at_once(&mut vendor).await;
}

#[tokio::test]
async fn a_vendor_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(200);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let mut vendor = Vendor::start(&["= hang"]).await;
    for base_url in [vendor.base_url.clone(), silent().await] {
        let timed = Timed::<dyn providers::TextToSpeech>::new("slow", timeouts, Arc::new(mouth(&base_url)));
        let text = stream::iter(clauses(&TEXT)).boxed();
        let events: Events = soon(timed.speak(voice("x"), text).await.unwrap().collect()).await;
        assert_eq!(failure(&events).kind, ErrorKind::Timeout);
    }
    leaves_at_once(&mut vendor).await;
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_vendor_back() {
    let flood = format!("{START}\n= flood\n< audio 4800");
    let mut vendor = Vendor::start(&[&flood]).await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let mut events = mouth(&vendor.base_url).speak(voice("alloy"), text).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))));
    let mut before = usize::MAX;
    while before != vendor.sent.load(Ordering::SeqCst) / 4_800 {
        before = vendor.sent.load(Ordering::SeqCst) / 4_800;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(before < 100, "{before} messages are on the way");
    for _ in 0..2 * before {
        assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))), "it goes on when read");
    }
    drop(events);
    leaves_at_once(&mut vendor).await;
}
