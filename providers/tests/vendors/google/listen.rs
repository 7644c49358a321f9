//! Speech-to-text.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, SpeechToText as _,
    google::{Config, SpeechToText},
    layers::{Timed, Timeouts},
    stt::{FinalTranscript, SttOptions, Transcript},
};
use tokio::sync::mpsc;

use super::{TOKEN, Vendor, config, cut, dribbling, endings, foreign, leaves_at_once, silent, soon, steps};
use crate::support::heard::{Heard, failure, keeps_its_promises, last, partials};

const CHIRP: &str = include_str!("../../exchanges/google/recognize.txt");
const WHOLE: &str = "to be or not to be that is the question";
const START: &str = r#"> {"streamingConfig":{"streamingFeatures":{"interimResults":true}}}"#;

fn options() -> SttOptions {
    SttOptions { language: Some("en".into()), prompt: Some("Quixal".into()), interim: true, ..SttOptions::default() }
}

/// So many frames, every sample different from its neighbours.
fn frames(count: usize) -> Vec<Frame> {
    (0..count).map(|n| Frame(std::array::from_fn(|at| (n * 320 + at) as i16))).collect()
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.0).flat_map(i16::to_le_bytes).collect()
}

fn ears(base_url: &str) -> SpeechToText {
    SpeechToText::new("google/chirp_3", "chirp_3", config(base_url))
}

async fn hear(base_url: &str) -> Heard {
    let audio = stream::iter(frames(100)).boxed();
    let events: Heard = match ears(base_url).transcribe(options(), audio).await {
        Ok(events) => soon(events.collect()).await,
        Err(error) => vec![Err(error)],
    };
    keeps_its_promises(&events, TOKEN);
    events
}

/// Audio that comes when the test says so.
fn microphone() -> (mpsc::Sender<Frame>, BoxStream<'static, Frame>) {
    let (sender, receiver) = mpsc::channel(20_000);
    (sender, tokio_stream::wrappers::ReceiverStream::new(receiver).boxed())
}

async fn speak(microphone: &mpsc::Sender<Frame>, frames: &[Frame]) {
    for frame in frames {
        microphone.send(*frame).await.unwrap();
    }
}

/// A result that settles, with one word.
fn settles(text: &str, from: f64, to: f64) -> String {
    format!(
        r#"< {{"results":[{{"alternatives":[{{"transcript":"{text}","words":[{{"startOffset":"{from}s","endOffset":"{to}s","word":"{text}"}}]}}],"isFinal":true,"resultEndOffset":"{to}s"}}]}}"#
    )
}

fn guesses(text: &str) -> String {
    format!(r#"< {{"results":[{{"alternatives":[{{"transcript":"{text}"}}]}}]}}"#)
}

async fn partial(events: &mut providers::stt::TranscriptStream) -> (String, String) {
    match soon(events.next()).await {
        Some(Ok(Transcript::Partial { stable, tentative })) => (stable, tentative),
        other => panic!("{other:?}"),
    }
}

fn told(stable: &str, tentative: &str) -> (String, String) {
    (stable.to_owned(), tentative.to_owned())
}

#[tokio::test]
async fn chirp_is_asked_and_understood_as_documented() {
    let mut vendor = Vendor::start(&[CHIRP]).await;
    let events = hear(&vendor.base_url).await;
    assert_eq!(vendor.end().await, Ok(()));
    let settled = "to be or not to be";
    let expected = [
        ("", "tube"),
        ("", "to be a"),
        ("", "to be or not to be"),
        (settled, ""),
        (settled, "that's"),
        (settled, "that is the question"),
        (WHOLE, ""),
    ];
    assert_eq!(partials(&events), expected);
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.language.as_deref()), (WHOLE, Some("en")));
    assert_eq!(last.duration, Duration::from_secs(2));
    let words: Vec<_> = last.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words.join(" "), WHOLE);
    assert_eq!(last.words[9].end, Duration::from_millis(1_900));
    assert_eq!(last.segments[1].start, Duration::from_secs(1));
    let head = vendor.heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("/google.cloud.speech.v2.Speech/StreamingRecognize\n"), "{head}");
    for header in ["authorization: Bearer ya29.test-token", "te: trailers", "content-type: application/grpc"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(head.contains("user-agent: voice-relay/"), "{head}");
    assert!(vendor.sound.lock().unwrap()[0] == bytes(&frames(100)), "all audio, in order, once");
}

#[tokio::test]
async fn without_interim_results_only_the_final_transcript_comes() {
    let cassette = format!("> {{\"streamingConfig\":{{}}}}\n> audio\n> end\n{}\n< status 0", settles("Yes.", 0.1, 0.4));
    let vendor = Vendor::start(&[&cassette]).await;
    let silent = SttOptions { interim: false, ..options() };
    let audio = stream::iter(frames(100)).boxed();
    let events: Heard = ears(&vendor.base_url).transcribe(silent, audio).await.unwrap().collect().await;
    assert_eq!((events.len(), last(&events).text.as_str()), (1, "Yes."));
}

#[tokio::test]
async fn an_api_key_is_shown_and_needs_a_project_with_it() {
    let cassette = "> {\"recognizer\":\"projects/p/locations/global/recognizers/_\"}\n< status 0";
    let mut vendor = Vendor::start(&[cassette]).await;
    let keyed = Config {
        speech_url: vendor.base_url.clone(),
        key: Some("AIzaTest".into()),
        project: Some("p".into()),
        ..Config::default()
    };
    let ears = SpeechToText::new("google/long", "long", Arc::new(keyed.clone()));
    let audio = stream::empty().boxed();
    let events = ears.transcribe(options(), audio).await.unwrap();
    assert_eq!(vendor.end().await, Ok(()));
    drop(events);
    assert!(vendor.heads.lock().unwrap()[0].contains("x-goog-api-key: AIzaTest"));

    let homeless = SpeechToText::new("google/long", "long", Arc::new(Config { project: None, ..keyed }));
    let error = homeless.transcribe(options(), stream::empty().boxed()).await.err().unwrap();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::Rejected, "no project is named"));
}

#[tokio::test]
async fn an_empty_utterance_is_an_empty_transcript() {
    let vendor = Vendor::start(&["= hang"]).await;
    let audio = stream::empty().boxed();
    let events = soon(ears(&vendor.base_url).transcribe(options(), audio).await.unwrap().collect::<Heard>()).await;
    assert_eq!(*last(&events), FinalTranscript { language: Some("en".into()), ..FinalTranscript::default() });
}

#[tokio::test]
async fn bytes_may_come_and_go_one_by_one() {
    let vendor = Vendor::start(&[CHIRP]).await;
    let events = hear(&dribbling(&vendor.base_url).await).await;
    assert_eq!(last(&events).text, WHOLE);
}

#[tokio::test]
async fn calls_share_a_connection() {
    let vendor = Vendor::start(&[CHIRP]).await;
    for _ in 0..3 {
        assert_eq!(last(&hear(&vendor.base_url).await).text, WHOLE);
    }
    assert_eq!(vendor.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_pause_of_the_speaker_ends_a_stream_and_not_the_utterance() {
    let first = format!("{START}\n> audio 640\n{}\n> end\n{}\n< status 0", guesses("wai"), settles("Wait.", 0.0, 0.02));
    let second = format!("{START}\n> audio\n> end\n{}\n< status 0", settles("So.", 0.01, 0.03));
    let mut vendor = Vendor::start(&[&first, &second]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
    speak(&microphone, &frames(1)).await;
    assert_eq!(partial(&mut events).await, told("", "wai"));
    pass(&mut events, Duration::from_secs(5)).await;
    assert_eq!(partial(&mut events).await, told("Wait.", ""));
    assert!(tokio::time::timeout(Duration::from_millis(50), events.next()).await.is_err(), "nobody speaks");
    assert_eq!(vendor.end().await, Ok(()));
    speak(&microphone, &frames(3)[1..]).await;
    drop(microphone);
    let events = soon(events.collect::<Heard>()).await;
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.duration), ("Wait. So.", Duration::from_millis(60)));
    assert_eq!(last.words[1].start, Duration::from_millis(30), "from the start of the utterance");
    assert_eq!(vendor.end().await, Ok(()));
    assert!(vendor.sound.lock().unwrap().concat() == bytes(&frames(3)), "all audio, in order, once");
}

#[tokio::test]
async fn at_the_limit_of_a_stream_what_was_not_settled_is_told_to_the_next() {
    let first = format!("{START}\n> audio 32000\n{}\n{}\n= hang", settles("One.", 0.1, 0.7), guesses("tw"));
    let second = format!("{START}\n> audio\n> end\n{}\n< status 0", settles("Two.", 0.1, 0.5));
    let mut vendor = Vendor::start(&[&first, &second]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
    speak(&microphone, &frames(50)).await;
    assert_eq!(partial(&mut events).await, told("One.", ""));
    assert_eq!(partial(&mut events).await, told("One.", "tw"));
    // Sound goes on, so that nobody is thought to pause.
    tokio::time::pause();
    for frame in &frames(150)[50..] {
        microphone.send(*frame).await.unwrap();
        assert!(futures_util::poll!(events.next()).is_pending());
        tokio::time::advance(Duration::from_secs(3)).await;
        // Or the connection would seem dead: what is on its way takes turns, not time.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
    drop(microphone);
    let rest = soon(events.collect::<Heard>()).await;
    keeps_its_promises(&rest, TOKEN);
    let last = last(&rest);
    assert_eq!((last.text.as_str(), last.duration), ("One. Two.", Duration::from_secs(3)));
    assert_eq!(last.words[1].start, Duration::from_millis(800), "0.7 s were settled");
    assert_eq!((vendor.end().await, vendor.end().await), (Ok(()), Ok(())));
    let sound = vendor.sound.lock().unwrap();
    assert!(sound[1] == bytes(&frames(150))[22_400..], "all from 0.7 s on is told again");
}

#[tokio::test]
async fn sound_beyond_the_limit_goes_to_another_stream_also_when_it_comes_at_once() {
    // 280 s of it, in which nothing settles: too much to be told again.
    let first = format!("{START}\n> audio\n> end\n{}\n< status 0", settles("One.", 0.1, 200.0));
    let second = format!("{START}\n> audio\n> end\n{}\n< status 0", settles("Two.", 0.1, 2.0));
    let mut vendor = Vendor::start(&[&first, &second]).await;
    let audio = stream::iter(frames(14_000)).boxed();
    let events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
    let events = soon(events.collect::<Heard>()).await;
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.duration), ("One. Two.", Duration::from_secs(280)));
    assert_eq!(last.words[1].start, Duration::from_millis(270_100));
    assert_eq!((vendor.end().await, vendor.end().await), (Ok(()), Ok(())));
    assert!(vendor.sound.lock().unwrap().concat() == bytes(&frames(14_000)), "all audio, in order, once");
}

#[tokio::test]
async fn a_model_for_short_utterances_is_followed_by_itself() {
    let first = format!("{START}\n> audio 32000\n{}\n< status 0", settles("Yes.", 0.1, 0.5));
    let second = format!("{START}\n> audio\n> end\n{}\n< status 0", settles("No.", 0.2, 0.4));
    let mut vendor = Vendor::start(&[&first, &second]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
    speak(&microphone, &frames(50)).await;
    assert_eq!(partial(&mut events).await, told("Yes.", ""));
    assert_eq!(vendor.end().await, Ok(()));
    speak(&microphone, &frames(100)[50..]).await;
    drop(microphone);
    let events = soon(events.collect::<Heard>()).await;
    assert_eq!(last(&events).text, "Yes. No.");
    assert_eq!(last(&events).words[1].start, Duration::from_millis(700));
    assert!(vendor.sound.lock().unwrap()[1] == bytes(&frames(100))[16_000..]);

    let vendor = Vendor::start(&["> audio 640\n< head\n< status 0"]).await;
    let error = failure(&hear(&vendor.base_url).await).clone();
    assert_eq!(error.kind, ErrorKind::Unavailable, "one that understands nothing is not asked for ever");
}

/// Lets the adapter's clock run ahead while nothing comes from either side.
async fn pass(events: &mut providers::stt::TranscriptStream, time: Duration) {
    let idle = Duration::from_millis(100);
    assert!(tokio::time::timeout(idle, events.next()).await.is_err(), "nothing is said");
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn endings_say_what_one_can_do() {
    for (ending, kind, detail) in endings() {
        for begun in ["", "> audio 640\n< {\"results\":[{\"alternatives\":[{\"transcript\":\"to\"}]}]}\n"] {
            let vendor = Vendor::start(&[&format!("{START}\n{begun}{ending}")]).await;
            // The speaker goes on.
            let audio = stream::iter(frames(100)).chain(stream::pending()).boxed();
            let events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
            let events = soon(events.collect::<Heard>()).await;
            keeps_its_promises(&events, TOKEN);
            let error = failure(&events);
            assert_eq!((error.kind, &*error.provider), (kind, "google/chirp_3"), "{begun}{ending}: {error}");
            assert!(error.detail.contains(detail), "{begun}{ending}: {error}");
            let retry = ending.starts_with("< retry").then_some(Duration::from_secs(7));
            assert_eq!(error.retry_after, retry);
        }
    }
}

#[tokio::test]
async fn what_is_no_grpc_is_an_error_too() {
    for (answer, kind) in foreign() {
        let vendor = Vendor::start(&[answer]).await;
        assert_eq!(failure(&hear(&vendor.base_url).await).kind, kind, "{answer}");
    }
    let nowhere = ears("http://127.0.0.1:1").transcribe(options(), stream::empty().boxed()).await.err().unwrap();
    assert_eq!(nowhere.kind, ErrorKind::Unavailable, "known before any audio is read");
}

#[tokio::test]
async fn a_call_cut_at_any_message_is_one_error() {
    for then in ["= reset", "= cut"] {
        for after in 0..steps(CHIRP).len() {
            let vendor = Vendor::start(&[&cut(CHIRP, after, then)]).await;
            let error = failure(&hear(&vendor.base_url).await).clone();
            assert_eq!(error.kind, ErrorKind::Unavailable, "{then} {after}: {error}");
        }
    }
}

#[tokio::test]
async fn dropping_the_transcripts_cancels_the_call() {
    let talks = format!("{START}\n> audio 640\n{}\n= hang", guesses("to"));
    let mut vendor = Vendor::start(&[&talks, &talks, "= hang"]).await;
    for ends in [false, true] {
        let audio = stream::iter(frames(100));
        let audio = if ends { audio.boxed() } else { audio.chain(stream::pending()).boxed() };
        let mut events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
        assert_eq!(partial(&mut events).await, told("", "to"));
        drop(events);
        leaves_at_once(&mut vendor).await;
    }
    // Before anything was answered.
    let audio = stream::iter(frames(1)).chain(stream::pending()).boxed();
    let mut events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), events.next()).await.is_err());
    drop(events);
    leaves_at_once(&mut vendor).await;
}

#[tokio::test]
async fn a_vendor_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(200);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let mut vendor = Vendor::start(&["= hang"]).await;
    for base_url in [vendor.base_url.clone(), silent().await] {
        let timed = Timed::<dyn providers::SpeechToText>::new("slow", timeouts, Arc::new(ears(&base_url)));
        let audio = stream::iter(frames(100)).boxed();
        let events = soon(timed.transcribe(options(), audio).await.unwrap().collect::<Heard>()).await;
        assert_eq!(failure(&events).kind, ErrorKind::Timeout);
    }
    leaves_at_once(&mut vendor).await;
}

#[tokio::test]
async fn a_vendor_that_does_not_read_is_still_heard_and_bounds_what_is_taken() {
    let cassette = format!("= pause\n= pause\n= pause\n{}\n= hang", guesses("hello"));
    let vendor = Vendor::start(&[&cassette]).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let endless = stream::repeat(Frame::SILENCE).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed)).boxed();
    let mut events = ears(&vendor.base_url).transcribe(options(), endless).await.unwrap();
    let mut before = usize::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        assert!(tokio::time::timeout(Duration::from_millis(100), events.next()).await.is_err());
    }
    assert!((1..1_000).contains(&before), "{before} frames are on the way");
    assert_eq!(partial(&mut events).await, told("", "hello"));
}

#[tokio::test]
async fn nothing_is_left_of_utterances_heard_or_dropped() {
    let mut vendor = Vendor::start(&[CHIRP]).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // The connection stays.
    hear(&vendor.base_url).await;
    let _ = soon(vendor.end()).await;
    let before = tasks();
    for round in 0..20 {
        let audio = stream::iter(frames(100)).boxed();
        let mut events = ears(&vendor.base_url).transcribe(options(), audio).await.unwrap();
        for _ in 0..round % 5 {
            soon(events.next()).await.unwrap().unwrap();
        }
        drop(events);
        let _ = soon(vendor.end()).await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(tasks() <= before, "{} tasks, {before} before", tasks());
}
