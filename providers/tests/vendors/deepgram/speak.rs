//! Text-to-speech.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, stream};
use providers::{
    ErrorKind, ProviderError, TextToSpeech as _,
    deepgram::TextToSpeech,
    layers::{Timed, Timeouts},
    tts::{Clause, Speech, Voice},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{KEY, Vendor, at_once, config, cut, dribbling, leaves_at_once, loris, refusals, refusing, soon, steps};

const AURA: &str = include_str!("../../exchanges/deepgram/aura.txt");
const TEXT: [&str; 2] = ["Hello there.", "How are you?"];

type Events = Vec<Result<Speech, ProviderError>>;

fn mouth(base_url: &str) -> TextToSpeech {
    TextToSpeech::new("deepgram/aura-2", "aura-2", config(base_url))
}

fn voice(name: &str) -> Voice {
    Voice { name: name.into(), language: Some("en".into()), speed: 1.0 }
}

fn clauses(texts: &[&str]) -> Vec<Clause> {
    texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() }).collect()
}

async fn say(base_url: &str, texts: &[&str]) -> Result<Events, ProviderError> {
    let text = stream::iter(clauses(texts)).boxed();
    let events: Events = soon(mouth(base_url).speak(voice("alloy"), text).await?.collect()).await;
    keeps_its_promises(&events);
    Ok(events)
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
            Ok(Speech::Word { .. }) => panic!("Deepgram has no words"),
            Err(error) => {
                assert_eq!(at + 1, events.len());
                assert!(!error.to_string().contains(KEY), "{error}");
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

#[tokio::test]
async fn clauses_are_spoken_one_by_one_as_documented() {
    let mut vendor = Vendor::start(&[AURA]).await;
    let events = say(&vendor.base_url, &TEXT).await.unwrap();
    assert_eq!(events.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    assert_eq!(samples(&events, 0), vec![0x0101; 4_800], "a sample cut in two is whole again");
    assert_eq!(samples(&events, 1).len(), 1_200);
    assert_eq!(vendor.end().await, Ok(()));
    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let query = "/v1/speak?model=aura-2-thalia-en&encoding=linear16&sample_rate=24000\n";
    assert!(head.starts_with(query), "{head}");
    assert!(head.contains("authorization: Token dg-test-key"), "{head}");
}

#[tokio::test]
async fn deepgrams_own_voices_and_paces_are_asked_for() {
    let vendor = Vendor::start(&["= hang"]).await;
    for (name, model, speed) in
        [("orion", "aura-2", 1.3), ("alloy", "aura-2-zeus-en", 9.0), ("aura-2-kara-de", "", 2.0)]
    {
        let mouth = TextToSpeech::new("deepgram/x", model, config(&vendor.base_url));
        let events = mouth.speak(Voice { speed, ..voice(name) }, stream::empty().boxed()).await.unwrap();
        assert_eq!(events.count().await, 0);
    }
    let heads: Vec<_> = vendor.handshakes.lock().unwrap().clone();
    for (head, (model, speed)) in heads.iter().zip([
        ("aura-2-orion-en", "&speed=1.30"),
        ("aura-2-zeus-en", "&speed=1.50"),
        ("aura-2-kara-de", ""),
    ]) {
        let query = format!("/v1/speak?model={model}&encoding=linear16&sample_rate=24000{speed}\n");
        assert!(head.starts_with(&query), "{head}");
    }
}

#[tokio::test]
async fn long_clauses_are_sent_in_pieces_and_soundless_ones_not_at_all() {
    let sentence = "This sentence is long enough to be cut off at its end, not before. ";
    let long = sentence.repeat(32);
    let piece = |count: usize| sentence.repeat(count).trim_end().to_owned();
    let flushed = "> {\"type\":\"Flush\"}\n< audio 20\n< {\"type\":\"Flushed\"}";
    let cassette = format!(
        "> {{\"text\":\"{}\"}}\n{flushed}\n> {{\"text\":\"{}\"}}\n{flushed}\n> {{\"text\":\"Bye.\"}}\n{flushed}\n> {{\"type\":\"Close\"}}",
        piece(29),
        piece(3),
    );
    let mut vendor = Vendor::start(&[&cassette]).await;
    let events = say(&vendor.base_url, &[&long, " … ", "Bye."]).await.unwrap();
    assert_eq!(vendor.end().await, Ok(()));
    let done: Vec<_> = events.iter().filter(|event| matches!(event, Ok(Speech::ClauseDone { .. }))).collect();
    assert_eq!((done.len(), samples(&events, 0).len(), samples(&events, 2).len()), (3, 20, 10));
}

#[tokio::test]
async fn a_connection_is_given_no_more_than_it_takes_in_a_minute() {
    let clause = "> {\"type\":\"Speak\"}\n> {\"type\":\"Flush\"}\n< audio 20\n< {\"type\":\"Flushed\"}\n";
    let cassette = |clauses| format!("{}> {{\"type\":\"Close\"}}", clause.repeat(clauses));
    let mut vendor = Vendor::start(&[&cassette(20), &cassette(1)]).await;
    let events = say(&vendor.base_url, &["Yes."; 21]).await.unwrap();
    assert_eq!(events.last(), Some(&Ok(Speech::ClauseDone { clause: 20 })));
    assert_eq!((vendor.end().await, vendor.end().await), (Ok(()), Ok(())));

    let mut vendor = Vendor::start(&[&cassette(2), &cassette(1)]).await;
    let thousand = "word ".repeat(200);
    say(&vendor.base_url, &[thousand.as_str(); 3]).await.unwrap();
    assert_eq!((vendor.end().await, vendor.end().await), (Ok(()), Ok(())));
}

#[tokio::test]
async fn bytes_may_come_and_go_one_by_one() {
    let vendor = Vendor::start(&[AURA]).await;
    let events = say(&dribbling(&vendor.base_url).await, &TEXT).await.unwrap();
    assert_eq!(samples(&events, 0).len() + samples(&events, 1).len(), 6_000);
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    for (status, headers, kind) in refusals() {
        let server = refusing(status, headers).await;
        let error = say(&server.base_url, &TEXT).await.unwrap_err();
        assert_eq!((error.kind, &*error.provider), (kind, "deepgram/aura-2"), "{status}: {error}");
        assert!(error.detail.contains(&status[..3]) && !error.to_string().contains(KEY), "{error}");
    }
}

#[tokio::test]
async fn complaints_and_early_goodbyes_are_errors() {
    let asked = "> {\"type\":\"Speak\"}\n> {\"type\":\"Flush\"}\n< audio 100\n";
    for (then, kind, detail) in [
        ("< close 1008 DATA-0001 too many characters", ErrorKind::RateLimited, "DATA-0001"),
        ("< close 1009 BIG-0001", ErrorKind::Rejected, "BIG-0001"),
        ("< close 1011 NET-0003", ErrorKind::Unavailable, "NET-0003"),
        ("< close 1000", ErrorKind::Unavailable, "1000"),
        (
            r#"< {"type":"Error","err_code":"INVALID_AUTH","err_msg":"dg-test-key is bad"}"#,
            ErrorKind::Unauthorized,
            "is bad",
        ),
        (r#"< {"type":"Warning","code":"X","description":"Flush limit reached"}"#, ErrorKind::RateLimited, "limit"),
        ("< {", ErrorKind::Protocol, "broken message"),
    ] {
        let vendor = Vendor::start(&[&format!("{asked}{then}")]).await;
        let events = say(&vendor.base_url, &TEXT).await.unwrap();
        let error = events.last().unwrap().as_ref().unwrap_err();
        assert_eq!((events.len(), error.kind), (2, kind), "{then}: {error}");
        assert!(error.detail.contains(detail), "{error}");
    }
}

#[tokio::test]
async fn a_connection_lost_between_clauses_is_replaced() {
    let first = "> {\"type\":\"Speak\"}\n> {\"type\":\"Flush\"}\n< audio 100\n< {\"type\":\"Flushed\"}\n< close 1011 NET-0003 an hour";
    let second = "> {\"text\":\"How are you?\"}\n> {\"type\":\"Flush\"}\n< audio 100\n< {\"type\":\"Flushed\"}\n> {\"type\":\"Close\"}";
    let mut vendor = Vendor::start(&[first, second]).await;
    let (sender, text) = mpsc::channel(4);
    let text = tokio_stream::wrappers::ReceiverStream::new(text).boxed();
    let mut events = mouth(&vendor.base_url).speak(voice("alloy"), text).await.unwrap();
    let [one, two] = &clauses(&TEXT)[..] else { panic!("two") };
    sender.send(one.clone()).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { clause: 0, .. }))));
    assert_eq!(soon(events.next()).await, Some(Ok(Speech::ClauseDone { clause: 0 })));
    tokio::select! {
        ended = soon(vendor.end()) => assert_eq!(ended, Ok(())),
        event = events.next() => panic!("{event:?}"),
    }
    sender.send(two.clone()).await.unwrap();
    drop(sender);
    let rest: Events = soon(events.collect()).await;
    assert_eq!(rest.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    assert_eq!(vendor.end().await, Ok(()));
}

#[tokio::test]
async fn a_connection_cut_at_any_message_is_one_error_or_was_no_loss() {
    let mut whole = 0;
    for after in 0..=steps(AURA) {
        // Between clauses a connection is replaced: what comes then is cut as well.
        let vendor = Vendor::start(&[&cut(AURA, after), "= reset"]).await;
        match say(&vendor.base_url, &TEXT).await {
            Ok(events) => match events.last().unwrap() {
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{after}: {error}"),
                Ok(last) => {
                    assert_eq!(*last, Speech::ClauseDone { clause: 1 });
                    whole += 1;
                }
            },
            Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{after}: {error}"),
        }
    }
    assert!((1..=3).contains(&whole), "{whole}");
}

#[tokio::test]
async fn dropping_the_speech_clears_what_is_left_and_hangs_up() {
    let sounding = "> {\"type\":\"Speak\"}\n> {\"type\":\"Flush\"}\n< audio 4800\n> {\"type\":\"Clear\"}\n> close";
    let mut vendor = Vendor::start(&[sounding]).await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let mut events = mouth(&vendor.base_url).speak(voice("alloy"), text).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))));
    drop(events);
    assert_eq!(at_once(vendor.end()).await, Ok(()));
}

#[tokio::test]
async fn a_vendor_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(100);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let timed = |base_url: &str| Timed::<dyn providers::TextToSpeech>::new("slow", timeouts, Arc::new(mouth(base_url)));
    let mut vendor = Vendor::start(&["= hang"]).await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let events: Events = soon(timed(&vendor.base_url).speak(voice("x"), text).await.unwrap().collect()).await;
    assert_eq!(events[0].as_ref().unwrap_err().kind, ErrorKind::Timeout);
    leaves_at_once(&mut vendor).await;

    let mut server = loris().await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let error = timed(&server.base_url).speak(voice("x"), text).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    soon(server.left.recv()).await.unwrap();
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_vendor_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(socket).await.unwrap();
        while socket.send(Message::binary(vec![1; 4_800])).await.is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let text = stream::iter(clauses(&TEXT)).boxed();
    let mut events = mouth(&base_url).speak(voice("alloy"), text).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))));
    let mut before = usize::MAX;
    while before != sent.load(Ordering::Relaxed) {
        before = sent.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(before < 10_000, "{before} messages are on the way");
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))));
}
