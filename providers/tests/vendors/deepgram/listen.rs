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
    SinkExt, StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError, SpeechToText as _,
    deepgram::{Config, SpeechToText},
    layers::{Timed, Timeouts},
    stt::{FinalTranscript, SttOptions, Transcript},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{KEY, Vendor, config, cut, dribbling, leaves_at_once, loris, refusals, refusing, soon, steps};
use crate::support::heard::{Heard, failure, keeps_its_promises, last, partials};

const NOVA: &str = include_str!("../../exchanges/deepgram/nova.txt");
const FLUX: &str = include_str!("../../exchanges/deepgram/flux.txt");
const LULL: &str = include_str!("../../exchanges/deepgram/nova-lull.txt");

fn options() -> SttOptions {
    SttOptions { language: Some("en".into()), prompt: Some("Quixal".into()), interim: true, ..SttOptions::default() }
}

/// Two seconds, every sample different from its neighbours.
fn utterance() -> Vec<Frame> {
    (0..100).map(|n| Frame(std::array::from_fn(|at| (n * 320 + at) as i16))).collect()
}

fn ears(base_url: &str, model: &str) -> SpeechToText {
    SpeechToText::new(format!("deepgram/{model}"), model, config(base_url))
}

async fn hear(base_url: &str, model: &str) -> Result<Heard, ProviderError> {
    let audio = stream::iter(utterance()).boxed();
    let events: Heard = soon(ears(base_url, model).transcribe(options(), audio).await?.collect()).await;
    keeps_its_promises(&events, KEY);
    Ok(events)
}

/// Audio that comes when the test says so.
fn microphone() -> (mpsc::Sender<Frame>, BoxStream<'static, Frame>) {
    let (sender, receiver) = mpsc::channel(200);
    (sender, tokio_stream::wrappers::ReceiverStream::new(receiver).boxed())
}

#[tokio::test]
async fn nova_is_asked_and_understood_as_documented() {
    let mut vendor = Vendor::start(&[NOVA]).await;
    let events = hear(&vendor.base_url, "nova-3").await.unwrap();
    let expected = [("", "go for"), ("Go forward.", ""), ("Go forward.", "ten")];
    assert_eq!(partials(&events), expected);
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward. 10 meters.", Some("en")));
    assert_eq!(last.duration, Duration::from_secs(2));
    let words: Vec<_> = last.words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["Go", "forward.", "10", "meters."]);
    assert_eq!(last.words[3].end, Duration::from_millis(1_900));
    assert_eq!(last.segments.len(), 2);
    assert_eq!(vendor.end().await, Ok(()));

    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let query = "/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&channels=1&interim_results=true&punctuate=true\
                 &smart_format=true&endpointing=300&vad_events=true&utterance_end_ms=1000&language=en&keyterm=Quixal\n";
    assert!(head.starts_with(query), "{head}");
    assert!(head.contains("authorization: Token dg-test-key"), "{head}");
    assert!(head.contains("user-agent: voice-relay/"), "{head}");
    let sent: Vec<u8> = utterance().iter().flat_map(|frame| frame.0).flat_map(i16::to_le_bytes).collect();
    assert!(*vendor.sound.lock().unwrap() == sent, "all audio, in order, once");
}

#[tokio::test]
async fn flux_turns_settle_text_and_the_last_one_may_stay_open() {
    let mut vendor = Vendor::start(&[FLUX]).await;
    let events = hear(&vendor.base_url, "flux-general-en").await.unwrap();
    let expected = [
        ("", "I"),
        ("", "I need"),
        ("", "I need."),
        ("", "I need to"),
        ("I need to cancel.", ""),
        ("I need to cancel.", "My"),
        ("I need to cancel.", "My subscription"),
    ];
    assert_eq!(partials(&events), expected);
    let last = last(&events);
    assert_eq!(last.text, "I need to cancel. My subscription");
    assert_eq!((last.words.len(), last.segments.len()), (6, 2));
    assert_eq!(vendor.end().await, Ok(()));
    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let query = "/v2/listen?model=flux-general-en&encoding=linear16&sample_rate=16000&keyterm=Quixal\n";
    assert!(head.starts_with(query), "{head}");
    assert_eq!(vendor.texts.lock().unwrap()[..], [r#"{"type":"CloseStream"}"#], "no Finalize for Flux");
    assert_eq!(vendor.sound.lock().unwrap().len(), 100 * 640);
}

#[tokio::test]
async fn without_interim_results_only_the_final_transcript_comes() {
    let vendor = Vendor::start(&[NOVA]).await;
    let silent = SttOptions { interim: false, ..options() };
    let audio = stream::iter(utterance()).boxed();
    let events: Heard = ears(&vendor.base_url, "nova-3").transcribe(silent, audio).await.unwrap().collect().await;
    assert_eq!((events.len(), last(&events).text.as_str()), (1, "Go forward. 10 meters."));
    assert!(vendor.handshakes.lock().unwrap()[0].contains("interim_results=false"));
}

#[tokio::test]
async fn in_noise_text_is_settled_when_no_more_words_come() {
    let mut vendor = Vendor::start(&[LULL]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&vendor.base_url, "nova-3").transcribe(options(), audio).await.unwrap();
    for frame in utterance().drain(..50) {
        microphone.send(frame).await.unwrap();
    }
    let mut heard = vec![soon(events.next()).await.unwrap(), soon(events.next()).await.unwrap()];
    for frame in utterance().drain(50..) {
        microphone.send(frame).await.unwrap();
    }
    drop(microphone);
    heard.extend(soon(events.collect::<Heard>()).await);
    keeps_its_promises(&heard, KEY);
    assert_eq!(partials(&heard), [("", "hello there"), ("Hello there.", "")]);
    assert_eq!(last(&heard).text, "Hello there.");
    assert_eq!(vendor.end().await, Ok(()));
}

#[tokio::test]
async fn a_last_word_nobody_settled_is_kept() {
    let vendor = Vendor::start(&[include_str!("../../exchanges/deepgram/nova-short.txt")]).await;
    let events = hear(&vendor.base_url, "nova-3").await.unwrap();
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.words.len()), ("yes please", 2));
    assert_eq!(last.words[1].end, Duration::from_secs(2), "no word ends after the audio");
}

#[tokio::test]
async fn the_language_of_most_words_is_told() {
    let vendor = Vendor::start(&[include_str!("../../exchanges/deepgram/nova-multi.txt")]).await;
    let audio = stream::iter(utterance()).boxed();
    let ears = ears(&vendor.base_url, "nova-3");
    let events: Heard = ears.transcribe(SttOptions::default(), audio).await.unwrap().collect().await;
    assert_eq!(last(&events).language.as_deref(), Some("es"));
    assert!(vendor.handshakes.lock().unwrap()[0].contains("&endpointing=100&language=multi"));
}

#[tokio::test]
async fn an_empty_utterance_is_an_empty_transcript() {
    let nothing = "> {\"type\":\"Finalize\"}\n> {\"type\":\"CloseStream\"}\n< {\"type\":\"Metadata\",\"duration\":0.0}\n< close 1000";
    let vendor = Vendor::start(&[nothing]).await;
    let audio = stream::empty().boxed();
    let events = ears(&vendor.base_url, "nova-3").transcribe(options(), audio).await.unwrap().collect::<Heard>().await;
    assert_eq!(*last(&events), FinalTranscript { language: Some("en".into()), ..FinalTranscript::default() });
}

#[tokio::test]
async fn bytes_may_come_and_go_one_by_one() {
    for (cassette, model, text) in
        [(NOVA, "nova-3", "Go forward. 10 meters."), (FLUX, "flux-general-en", "I need to cancel. My subscription")]
    {
        let vendor = Vendor::start(&[cassette]).await;
        let events = hear(&dribbling(&vendor.base_url).await, model).await.unwrap();
        assert_eq!(last(&events).text, text);
    }
}

#[tokio::test]
async fn a_pause_of_the_speaker_does_not_cost_the_connection() {
    let alive = "> audio 640\n< {\"type\":\"Novelty\"}\n\
        < {\"type\":\"Results\",\"is_final\":true,\"start\":0,\"duration\":0.02,\"channel\":{\"alternatives\":[{\"transcript\":\"Wait.\"}]}}\n\
        > {\"type\":\"KeepAlive\"}\n> {\"type\":\"KeepAlive\"}\n\
        < {\"type\":\"Results\",\"is_final\":false,\"start\":0.02,\"duration\":1,\"channel\":{\"alternatives\":[{\"transcript\":\"so\"}]}}\n\
        > {\"type\":\"Finalize\"}\n> {\"type\":\"CloseStream\"}\n< {\"type\":\"Metadata\"}\n< close 1000";
    let mut vendor = Vendor::start(&[alive]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&vendor.base_url, "nova-3").transcribe(options(), audio).await.unwrap();
    microphone.send(Frame::SILENCE).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Transcript::Partial { stable, .. })) if stable == "Wait."));
    for _ in 0..2 {
        pass_seconds(&mut events).await;
    }
    assert!(matches!(soon(events.next()).await, Some(Ok(Transcript::Partial { tentative, .. })) if tentative == "so"));
    drop(microphone);
    assert_eq!(last(&soon(events.collect()).await).text, "Wait. so");
    assert_eq!(vendor.end().await, Ok(()));
}

#[tokio::test]
async fn flux_is_kept_awake_by_silence_that_does_not_shift_times() {
    let update = |event: &str, text: &str, start: f64| {
        format!(
            r#"< {{"type":"TurnInfo","event":"{event}","transcript":"{text}","words":[{{"word":"{text}","start":{start},"end":{}}}]}}"#,
            start + 0.02
        )
    };
    let cassette = format!(
        "> audio 3200\n{}\n> audio\n> {{\"type\":\"CloseStream\"}}\n{}\n< close",
        update("EndOfTurn", "Wait.", 0.0),
        update("Update", "so", 0.12),
    );
    let mut vendor = Vendor::start(&[&cassette]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&vendor.base_url, "flux-general-en").transcribe(options(), audio).await.unwrap();
    microphone.send(Frame::SILENCE).await.unwrap();
    pass_seconds(&mut events).await;
    assert!(matches!(soon(events.next()).await, Some(Ok(Transcript::Partial { stable, .. })) if stable == "Wait."));
    for _ in 0..2 {
        microphone.send(Frame::SILENCE).await.unwrap();
    }
    drop(microphone);
    let events = soon(events.collect()).await;
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.duration), ("Wait. so", Duration::from_millis(60)));
    assert_eq!(last.words[1].start, Duration::from_millis(40), "120 ms, 80 of which were ours");
    assert_eq!(vendor.sound.lock().unwrap().len(), 7 * 640);
    assert_eq!(vendor.end().await, Ok(()));
}

/// Lets the adapter's clock run ahead while nothing comes from either side.
async fn pass_seconds(events: &mut providers::stt::TranscriptStream) {
    let idle = Duration::from_millis(100);
    assert!(tokio::time::timeout(idle, events.next()).await.is_err(), "nothing is said");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(5)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    for (status, headers, kind) in refusals() {
        let server = refusing(status, headers).await;
        let error = hear(&server.base_url, "nova-3").await.unwrap_err();
        assert_eq!((error.kind, &*error.provider), (kind, "deepgram/nova-3"), "{status}: {error}");
        assert!(error.detail.contains(&status[..3]) && !error.to_string().contains(KEY), "{error}");
        let said = headers.contains("dg-error");
        assert!(!said || error.detail.contains("Bad Request: unsupported") || error.detail.contains("Invalid cred"));
        assert_eq!(
            error.retry_after,
            (kind == ErrorKind::RateLimited && !headers.is_empty()).then_some(Duration::from_secs(7))
        );
    }
    let nowhere = hear("ws://127.0.0.1:1", "nova-3").await.unwrap_err();
    assert_eq!(nowhere.kind, ErrorKind::Unavailable);
    let unfit = Config { key: Some("line\nbreak".into()), ..Config::default() };
    let ears = SpeechToText::new("deepgram/nova-3", "nova-3", Arc::new(unfit));
    let error = ears.transcribe(options(), stream::empty().boxed()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
}

#[tokio::test]
async fn complaints_and_early_goodbyes_are_errors() {
    for (cassette, model, kind, detail) in [
        ("< close 1011 NET-0001 no audio data came", "nova-3", ErrorKind::Unavailable, "NET-0001"),
        ("< close 1011 NET-0000 no answer", "nova-3", ErrorKind::Unavailable, "NET-0000"),
        ("< close 1008 DATA-0000 cannot decode", "nova-3", ErrorKind::Rejected, "DATA-0000"),
        ("< close 1000", "nova-3", ErrorKind::Unavailable, "1000"),
        ("< close", "flux-general-en", ErrorKind::Unavailable, "1005"),
        (
            r#"< {"type":"Error","variant":"INVALID_AUTH","message":"bad dg-test-key"}"#,
            "nova-3",
            ErrorKind::Unauthorized,
            "bad",
        ),
        (
            r#"< {"type":"Error","code":"INTERNAL_SERVER_ERROR","description":"oops"}"#,
            "flux-general-en",
            ErrorKind::Unavailable,
            "oops",
        ),
        ("< {\"type\":\"Results\",\"channel\":", "nova-3", ErrorKind::Protocol, "broken message"),
        ("< nonsense", "flux-general-en", ErrorKind::Protocol, "broken message"),
    ] {
        let vendor = Vendor::start(&[cassette]).await;
        // The speaker goes on.
        let audio = stream::iter(utterance()).chain(stream::pending()).boxed();
        let events = ears(&vendor.base_url, model).transcribe(options(), audio).await.unwrap();
        let events: Heard = soon(events.collect()).await;
        keeps_its_promises(&events, KEY);
        let error = failure(&events);
        assert_eq!(error.kind, kind, "{cassette}: {error}");
        assert!(error.detail.contains(detail), "{cassette}: {error}");
    }
}

#[tokio::test]
async fn a_connection_cut_at_any_message_is_one_error_or_was_no_loss() {
    for (cassette, model) in [(NOVA, "nova-3"), (FLUX, "flux-general-en")] {
        let mut finals = 0;
        for after in 0..=steps(cassette) {
            let vendor = Vendor::start(&[&cut(cassette, after)]).await;
            let events = hear(&vendor.base_url, model).await.unwrap();
            match events.last().unwrap() {
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{after}: {error}"),
                Ok(_) => finals += 1,
            }
        }
        assert!((1..=4).contains(&finals), "{model}: {finals}");
    }
}

#[tokio::test]
async fn dropping_the_transcripts_hangs_up() {
    for (cassette, model) in [(NOVA, "nova-3"), (FLUX, "flux-general-en")] {
        let mut vendor = Vendor::start(&[cassette]).await;
        let audio = stream::iter(utterance()).chain(stream::pending()).boxed();
        let mut events = ears(&vendor.base_url, model).transcribe(options(), audio).await.unwrap();
        assert!(soon(events.next()).await.unwrap().is_ok());
        drop(events);
        leaves_at_once(&mut vendor).await;
    }
}

#[tokio::test]
async fn a_vendor_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(100);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let timed = |base_url: &str| {
        Timed::<dyn providers::SpeechToText>::new("slow", timeouts, Arc::new(ears(base_url, "nova-3")))
    };
    let mut vendor = Vendor::start(&["= hang"]).await;
    let audio = stream::iter(utterance()).boxed();
    let events = timed(&vendor.base_url).transcribe(options(), audio).await.unwrap().collect::<Heard>();
    assert_eq!(failure(&soon(events).await).kind, ErrorKind::Timeout);
    leaves_at_once(&mut vendor).await;

    let mut server = loris().await;
    let audio = stream::iter(utterance()).boxed();
    let error = timed(&server.base_url).transcribe(options(), audio).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    soon(server.left.recv()).await.unwrap();
}

#[tokio::test]
async fn a_vendor_that_does_not_read_is_still_heard_and_bounds_what_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    let (say, mut said) = mpsc::channel::<&str>(1);
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(socket).await.unwrap();
        while let Some(word) = said.recv().await {
            let text = format!(r#"{{"type":"Results","channel":{{"alternatives":[{{"transcript":"{word}"}}]}}}}"#);
            socket.send(Message::text(text)).await.unwrap();
        }
    });
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let endless = stream::repeat(Frame::SILENCE).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed)).boxed();
    let mut events = ears(&base_url, "nova-3").transcribe(options(), endless).await.unwrap();
    let mut before = usize::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        assert!(tokio::time::timeout(Duration::from_millis(100), events.next()).await.is_err());
    }
    assert!(before > 0, "some audio fits on the way");
    say.send("hello").await.unwrap();
    assert!(
        matches!(soon(events.next()).await, Some(Ok(Transcript::Partial { tentative, .. })) if tentative == "hello")
    );
}

#[tokio::test]
async fn nothing_is_left_of_utterances_heard_or_dropped() {
    let mut vendor = Vendor::start(&[NOVA]).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for round in 0..20 {
        let audio = stream::iter(utterance()).boxed();
        let mut events = ears(&vendor.base_url, "nova-3").transcribe(options(), audio).await.unwrap();
        for _ in 0..round % 5 {
            soon(events.next()).await.unwrap().unwrap();
        }
        drop(events);
        let _ = soon(vendor.end()).await;
    }
    // The vendor's last word is its task's last but one act.
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before);
}
