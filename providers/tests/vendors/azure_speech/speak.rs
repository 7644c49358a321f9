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
    azure::speech::{Config, TextToSpeech},
    layers::{Timed, Timeouts},
    tts::{Clause, Speech, Voice},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{KEY, REFUSALS, Service, config, cut, leaves_at_once, loris, refusing, shared, soon, steps};

const SPEAK: &str = include_str!("../../exchanges/azure/speak.usp");
const TEXT: [&str; 2] = ["Hello there.", "Tom & \"Jerry\"?"];
const ASKED: &str = "> synthesis.context\n> ssml\n";
const SOUND: &str = "< turn.start {}\n< audio 20\n< turn.end {}\n";

type Events = Vec<Result<Speech, ProviderError>>;

fn clauses(texts: &[&str]) -> Vec<Clause> {
    texts.iter().enumerate().map(|(id, text)| Clause { id: id as u32, text: (*text).to_owned() }).collect()
}

fn voice(name: &str) -> Voice {
    Voice { name: name.to_owned(), language: Some("en-US".into()), speed: 1.0 }
}

fn mouth(base_url: &str) -> TextToSpeech {
    TextToSpeech::new("azure/speech", "speech", shared(base_url))
}

async fn say(base_url: &str, texts: &[&str]) -> Result<Events, ProviderError> {
    let text = stream::iter(clauses(texts)).boxed();
    let events: Events = soon(mouth(base_url).speak(voice("alloy"), text).await?.collect()).await;
    keeps_its_promises(&events);
    Ok(events)
}

/// Each clause's sound, then its end, in order; an error only at the end.
fn keeps_its_promises(events: &Events) {
    let mut now = 0;
    for (at, event) in events.iter().enumerate() {
        match event {
            Ok(Speech::Audio { clause, .. } | Speech::Word { clause, .. }) => assert_eq!(*clause, now),
            Ok(Speech::ClauseDone { clause }) => {
                assert_eq!(*clause, now);
                now += 1;
            }
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

/// The words of a clause, and when they are spoken.
fn words(events: &Events, of: u32, text: &str) -> Vec<(String, u128, u128)> {
    let words = events.iter().flatten().filter_map(|event| match event {
        Speech::Word { clause, range, start, end } if *clause == of => {
            Some((text[range.clone()].to_owned(), start.as_millis(), end.as_millis()))
        }
        Speech::Audio { .. } | Speech::Word { .. } | Speech::ClauseDone { .. } => None,
    });
    words.collect()
}

#[tokio::test]
async fn clauses_are_spoken_one_by_one_with_their_words() {
    let mut service = Service::start(&[SPEAK]).await;
    let events = say(&service.base_url, &TEXT).await.unwrap();
    assert_eq!(events.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    assert_eq!(samples(&events, 0), vec![0x0101; 4_800], "a sample cut in two is whole again");
    assert_eq!(samples(&events, 1).len(), 1_200, "without what belongs to another request");
    let owned = |words: &[(&str, u128, u128)]| words.iter().map(|(word, a, b)| ((*word).to_owned(), *a, *b)).collect();
    let first: Vec<_> = owned(&[("Hello", 50, 450), ("there.", 500, 800)]);
    assert_eq!(words(&events, 0, TEXT[0]), first);
    let second: Vec<_> = owned(&[("Tom", 50, 150), ("&", 150, 250), ("\"Jerry\"?", 250, 550)]);
    assert_eq!(words(&events, 1, TEXT[1]), second);
    assert_eq!(service.end().await, Ok(()));
    let head = service.handshakes.lock().unwrap()[0].clone();
    assert!(head.starts_with("/tts/cognitiveservices/websocket/v1\n"), "{head}");
    assert!(head.contains("ocp-apim-subscription-key: 0123azurekey") && head.contains("\nx-connectionid: "), "{head}");
    let heard = service.heard.lock().unwrap();
    assert_eq!(heard.iter().filter(|message| message.path == "speech.config").count(), 1);
    assert_eq!(heard[1].request, heard[2].request);
    assert_ne!(heard[2].request, heard[4].request, "no request is used twice");
}

#[tokio::test]
async fn azures_own_voices_and_paces_are_asked_for() {
    let script = format!("> speech.config\n{ASKED}{SOUND}");
    let service = Service::start(&[&script]).await;
    for (name, language, model, speed, expected) in [
        ("en-GB-SoniaNeural", None, "speech", 1.0, "xml:lang='en-GB'><voice name='en-GB-SoniaNeural'>"),
        ("Guy", None, "speech", 1.5, "<prosody rate='+50%'>Yes.</prosody>"),
        ("alloy", Some("de-DE"), "en-US-GuyNeural", 9.0, "<voice name='de-DE-ConradNeural'>"),
        ("alloy", None, "en-US-GuyNeural", 0.1, "<prosody rate='-50%'>"),
    ] {
        let mouth = TextToSpeech::new("azure/x", model, shared(&service.base_url));
        let voice = Voice { name: name.into(), language: language.map(str::to_owned), speed };
        let text = stream::iter(clauses(&["Yes."])).boxed();
        let events: Events = soon(mouth.speak(voice, text).await.unwrap().collect()).await;
        assert_eq!(events.last(), Some(&Ok(Speech::ClauseDone { clause: 0 })));
        let ssml = service.bodies("ssml").pop().unwrap();
        assert!(ssml.contains(expected), "{ssml}");
    }
}

#[tokio::test]
async fn a_custom_voice_is_reached_by_its_deployment() {
    let service = Service::start(&[&format!("> speech.config\n{ASKED}{SOUND}")]).await;
    let own =
        Config { voice: "My 'Voice'".into(), voice_deployment: Some("1b-2c".into()), ..config(&service.base_url) };
    let mouth = TextToSpeech::new("azure/x", "speech", Arc::new(own));
    let text = stream::iter(clauses(&["Yes."])).boxed();
    let events: Events = soon(mouth.speak(voice("en-US-GuyNeural"), text).await.unwrap().collect()).await;
    assert!(events.iter().all(Result::is_ok));
    let head = service.handshakes.lock().unwrap()[0].clone();
    assert!(head.starts_with("/tts/cognitiveservices/websocket/v1?deploymentId=1b-2c\n"), "{head}");
    assert!(service.bodies("ssml")[0].contains("<voice name='My &apos;Voice&apos;'>"));
}

#[tokio::test]
async fn long_clauses_are_spoken_in_pieces_and_soundless_ones_not_at_all() {
    let sentence = "This sentence is long enough to be cut off at its end, not before. ";
    let long = sentence.repeat(60);
    let boundary = r#"< audio.metadata {"Metadata":[{"Type":"WordBoundary","Data":{"Offset":1000000,"Duration":1000000,"text":{"Text":"This"}}}]}"#;
    let script = format!(
        "> speech.config\n{ASKED}< audio 48000\n< turn.end\n{ASKED}{boundary}\n< audio 20\n< turn.end\n{ASKED}{SOUND}> close"
    );
    let mut service = Service::start(&[&script]).await;
    let events = say(&service.base_url, &[&long, " … ", "Bye."]).await.unwrap();
    assert_eq!(service.end().await, Ok(()));
    let done = events.iter().filter(|event| matches!(event, Ok(Speech::ClauseDone { .. }))).count();
    assert_eq!((done, samples(&events, 0).len(), samples(&events, 2).len()), (3, 24_010, 10));
    let at = events.iter().flatten().find_map(|event| match event {
        Speech::Word { range, start, .. } => Some((range.clone(), *start)),
        Speech::Audio { .. } | Speech::ClauseDone { .. } => None,
    });
    let (range, start) = at.unwrap();
    assert_eq!((range.start % sentence.len(), &long[range.clone()]), (0, "This"));
    assert!(range.start > 2_900 && start == Duration::from_millis(1_100), "{range:?} {start:?}");
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    for (status, headers, body, kind) in REFUSALS {
        let server = refusing(status, headers, body).await;
        let error = say(&server.base_url, &TEXT).await.unwrap_err();
        assert_eq!((error.kind, &*error.provider), (kind, "azure/speech"), "{status}: {error}");
        assert!(error.detail.contains(&status[..3]) && !error.to_string().contains(KEY), "{error}");
    }
}

#[tokio::test]
async fn complaints_and_early_goodbyes_are_errors() {
    for (said, kind, detail) in [
        ("< close 1007 Unsupported voice en-US-NobodyNeural.", ErrorKind::Rejected, "Unsupported voice"),
        ("< close 1007 Throttled due to too many requests", ErrorKind::RateLimited, "Throttled"),
        ("< close 1007 Quota exceeded for 0123azurekey", ErrorKind::RateLimited, "Quota"),
        ("< close 1013 Status(StatusCode=\"ResourceExhausted\")", ErrorKind::Unavailable, "1013"),
        ("< close 1000", ErrorKind::Unavailable, "1000"),
        ("< audio.metadata {", ErrorKind::Protocol, "broken message"),
        ("< bytes 9 9 9", ErrorKind::Protocol, "headers longer"),
        ("< bytes 1", ErrorKind::Protocol, "no header length"),
        ("< raw nonsense", ErrorKind::Protocol, "no path"),
        ("= reset", ErrorKind::Unavailable, ""),
    ] {
        let service = Service::start(&[&format!("> speech.config\n{ASKED}< audio 100\n{said}")]).await;
        let events = say(&service.base_url, &TEXT).await.unwrap();
        let error = events.last().unwrap().as_ref().unwrap_err();
        assert_eq!((events.len(), error.kind), (2, kind), "{said}: {error}");
        assert!(error.detail.contains(detail), "{error}");
    }
    let service = Service::start(&[&format!("> speech.config\n{ASKED}< turn.start {{}}\n< audio 0\n< turn.end")]).await;
    let events = say(&service.base_url, &TEXT).await.unwrap();
    let error = events.last().unwrap().as_ref().unwrap_err();
    assert_eq!((events.len(), error.kind), (1, ErrorKind::Unavailable), "a clause without sound: {error}");
}

#[tokio::test]
async fn a_connection_lost_between_clauses_is_replaced() {
    let first = format!("> speech.config\n{ASKED}{SOUND}< close 1000 idle");
    let second = format!("> speech.config\n> synthesis.context\n> ssml Tom\n{SOUND}> close");
    let mut service = Service::start(&[&first, &second]).await;
    let (sender, text) = mpsc::channel(4);
    let text = tokio_stream::wrappers::ReceiverStream::new(text).boxed();
    let mut events = mouth(&service.base_url).speak(voice("alloy"), text).await.unwrap();
    let [one, two] = &clauses(&TEXT)[..] else { panic!("two") };
    sender.send(one.clone()).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { clause: 0, .. }))));
    assert_eq!(soon(events.next()).await, Some(Ok(Speech::ClauseDone { clause: 0 })));
    tokio::select! {
        ended = soon(service.end()) => assert_eq!(ended, Ok(())),
        event = events.next() => panic!("{event:?}"),
    }
    sender.send(two.clone()).await.unwrap();
    drop(sender);
    let rest: Events = soon(events.collect()).await;
    assert_eq!(rest.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    assert_eq!(service.end().await, Ok(()));
}

#[tokio::test]
async fn a_connection_that_breaks_as_the_next_clause_is_asked_for_is_replaced_once() {
    let first = format!("> speech.config\n{ASKED}{SOUND}{ASKED}= reset");
    let second = format!("> speech.config\n> synthesis.context\n> ssml Tom\n{SOUND}> close");
    let mut service = Service::start(&[&first, &second]).await;
    let events = say(&service.base_url, &TEXT).await.unwrap();
    assert_eq!(events.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    assert_eq!((service.end().await, service.end().await), (Ok(()), Ok(())));

    let service = Service::start(&[&first, "= reset"]).await;
    let events = say(&service.base_url, &TEXT).await.unwrap();
    let error = events.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.kind, service.handshakes.lock().unwrap().len()), (ErrorKind::Unavailable, 2));
}

#[tokio::test]
async fn a_connection_cut_at_any_message_is_one_error_or_was_no_loss() {
    let mut whole = 0;
    for after in 0..=steps(SPEAK).len() {
        // Between clauses a connection is replaced: what comes then is cut as well.
        let service = Service::start(&[&cut(SPEAK, after), "= reset"]).await;
        match say(&service.base_url, &TEXT).await {
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
    assert!((1..=2).contains(&whole), "{whole}");
}

#[tokio::test]
async fn dropping_the_speech_silences_the_service_and_hangs_up() {
    let sounding =
        format!("> speech.config\n{ASKED}< audio 4800\n> synthesis.control {{\"action\":\"stop\"}}\n> close");
    let mut service = Service::start(&[&sounding]).await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let mut events = mouth(&service.base_url).speak(voice("alloy"), text).await.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Ok(Speech::Audio { .. }))));
    drop(events);
    assert_eq!(leaves_at_once(&mut service).await, Ok(()));
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(100);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let timed = |base_url: &str| Timed::<dyn providers::TextToSpeech>::new("slow", timeouts, Arc::new(mouth(base_url)));
    let mut service = Service::start(&["= hang"]).await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let events: Events = soon(timed(&service.base_url).speak(voice("x"), text).await.unwrap().collect()).await;
    assert_eq!(events[0].as_ref().unwrap_err().kind, ErrorKind::Timeout);
    let _ = leaves_at_once(&mut service).await;

    let mut server = loris().await;
    let text = stream::iter(clauses(&TEXT)).boxed();
    let error = timed(&server.base_url).speak(voice("x"), text).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    soon(server.left.recv()).await.unwrap();
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_service_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(socket).await.unwrap();
        let message = [&[0, 12], &b"Path:audio\r\n"[..], &[1; 4_800]].concat();
        while socket.send(Message::binary(message.clone())).await.is_ok() {
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
