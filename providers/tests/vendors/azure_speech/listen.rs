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
    azure::speech::{Config, SpeechToText},
    layers::{Timed, Timeouts},
    stt::{FinalTranscript, SttOptions, Transcript, TranscriptStream},
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{KEY, REFUSALS, Service, config, cut, leaves_at_once, loris, refusing, shared, soon, steps};
use crate::support::heard::{Heard, failure, keeps_its_promises, last, partials};

const LISTEN: &str = include_str!("../../exchanges/azure/listen.usp");
const RESUMED: &str = include_str!("../../exchanges/azure/listen-resumed.usp");
const BEGIN: &str = "> speech.config\n> speech.context\n> riff\n";

fn options() -> SttOptions {
    SttOptions { language: Some("en".into()), prompt: Some("Quixal".into()), interim: true, ..SttOptions::default() }
}

/// Two seconds, every sample different from its neighbours.
fn utterance() -> Vec<Frame> {
    (0..100).map(|n| Frame(std::array::from_fn(|at| (n * 320 + at) as i16))).collect()
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.0).flat_map(i16::to_le_bytes).collect()
}

fn ears(base_url: &str) -> SpeechToText {
    SpeechToText::new("azure/speech", "speech", shared(base_url))
}

async fn hear(base_url: &str) -> Result<Heard, ProviderError> {
    let audio = stream::iter(utterance()).boxed();
    let events: Heard = soon(ears(base_url).transcribe(options(), audio).await?.collect()).await;
    keeps_its_promises(&events, KEY);
    Ok(events)
}

fn microphone() -> (mpsc::Sender<Frame>, BoxStream<'static, Frame>) {
    let (sender, receiver) = mpsc::channel(200);
    (sender, tokio_stream::wrappers::ReceiverStream::new(receiver).boxed())
}

/// What is heard until the service is told of another turn.
async fn second_turn(service: &Service, events: &mut TranscriptStream) -> Heard {
    let mut heard = Vec::new();
    while service.bodies("speech.context").len() < 2 {
        if let Ok(event) = timeout(Duration::from_millis(5), events.next()).await {
            heard.push(event.unwrap());
        }
    }
    heard
}

#[tokio::test]
async fn phrases_settle_text_and_guesses_follow_it() {
    let mut service = Service::start(&[LISTEN]).await;
    let events = hear(&service.base_url).await.unwrap();
    let expected = [("", "go for"), ("Go forward.", ""), ("Go forward.", " ten"), ("Go forward. 10 meters.", "")];
    assert_eq!(partials(&events), expected);
    let last = last(&events);
    assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward. 10 meters.", Some("en")));
    assert_eq!(last.duration, Duration::from_secs(2));
    let words: Vec<_> = last.words.iter().map(|word| (word.text.as_str(), word.start.as_millis())).collect();
    assert_eq!(words, [("Go", 160), ("forward.", 320), ("10", 1_200), ("meters.", 1_440)]);
    let segments: Vec<_> = last.segments.iter().map(|segment| segment.end.as_millis()).collect();
    assert_eq!(segments, [720, 1_900]);
    assert_eq!(service.end().await, Ok(()));
    let head = service.handshakes.lock().unwrap()[0].clone();
    let line = "/stt/speech/universal/v2?language=en-US&format=detailed&wordLevelTimestamps=true\n";
    assert!(head.starts_with(line), "{head}");
    assert!(head.contains("ocp-apim-subscription-key: 0123azurekey") && head.contains("\nx-connectionid: "), "{head}");
    assert!(service.sound() == [bytes(&utterance())], "all audio, in order, once");
    let requests: Vec<_> = service.heard.lock().unwrap().iter().map(|message| message.request.clone()).collect();
    assert!(requests.iter().all(|request| *request == requests[0]));
}

#[tokio::test]
async fn the_language_is_told_apart_where_several_are_expected() {
    let mut service = Service::start(&[include_str!("../../exchanges/azure/listen-languages.usp")]).await;
    let config = Config { languages: vec!["de".into(), "es".into()], ..config(&service.base_url) };
    let ears = SpeechToText::new("azure/speech", "speech", Arc::new(config));
    let audio = stream::iter(utterance()).boxed();
    let events: Heard = soon(ears.transcribe(SttOptions::default(), audio).await.unwrap().collect()).await;
    assert_eq!(events.len(), 1, "no interim results were asked for");
    assert_eq!((last(&events).text.as_str(), last(&events).language.as_deref()), ("Vamos a casa.", Some("es")));
    assert!(last(&events).words.is_empty(), "the service gave no times");
    assert!(service.handshakes.lock().unwrap()[0].contains("&lidEnabled=true"));
    assert_eq!(service.end().await, Ok(()));
}

#[tokio::test]
async fn a_turn_that_ends_too_early_costs_no_word_and_doubles_none() {
    let mut service = Service::start(&[RESUMED]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
    for frame in &utterance()[..50] {
        microphone.send(*frame).await.unwrap();
    }
    let mut heard = second_turn(&service, &mut events).await;
    assert_eq!(partials(&heard), [("", "go forward ten"), ("Go forward.", "")]);
    for frame in &utterance()[50..] {
        microphone.send(*frame).await.unwrap();
    }
    drop(microphone);
    heard.extend(soon(events.collect::<Heard>()).await);
    keeps_its_promises(&heard, KEY);
    assert_eq!(last(&heard).text, "Go forward. Ten meters.");
    let starts: Vec<_> = last(&heard).words.iter().map(|word| word.start.as_millis()).collect();
    assert_eq!(starts, [100, 300, 800, 900], "in the time of the utterance");
    assert_eq!(service.end().await, Ok(()));
    let sound = service.sound();
    assert_eq!(sound.len(), 2, "a turn each");
    assert!(sound[1] == bytes(&utterance()[30..]), "all that the phrase before it did not account for");
}

#[tokio::test]
async fn nothing_understood_is_an_empty_transcript() {
    let phrase =
        |status: &str| format!(r#"< speech.phrase {{"RecognitionStatus":"{status}","Offset":20000000,"Duration":0}}"#);
    for said in ["".to_owned(), phrase("NoMatch"), phrase("InitialSilenceTimeout"), phrase("BabbleTimeout")] {
        let script = format!("{BEGIN}> audio\n> end\n< turn.start {{}}\n< speech.endDetected\n{said}\n< turn.end");
        let mut service = Service::start(&[&script]).await;
        let events = hear(&service.base_url).await.unwrap();
        assert_eq!((events.len(), last(&events).text.as_str()), (1, ""), "{said}");
        assert_eq!(service.end().await, Ok(()));
    }
}

#[tokio::test]
async fn a_guess_that_comes_to_nothing_is_taken_back() {
    let script = format!(
        "{BEGIN}> audio\n> end\n< speech.hypothesis {{\"Text\":\"uh\"}}\n\
         < speech.phrase {{\"RecognitionStatus\":\"NoMatch\",\"Offset\":0,\"Duration\":20000000}}\n< turn.end"
    );
    let service = Service::start(&[&script]).await;
    let events = hear(&service.base_url).await.unwrap();
    assert_eq!((partials(&events), last(&events).text.as_str()), (vec![("", "uh"), ("", "")], ""));
}

#[tokio::test]
async fn an_empty_utterance_is_an_empty_transcript() {
    let mut service = Service::start(&[&format!("{BEGIN}> end\n< turn.start {{}}\n< turn.end")]).await;
    let audio = stream::empty().boxed();
    let events: Heard = soon(ears(&service.base_url).transcribe(options(), audio).await.unwrap().collect()).await;
    assert_eq!(*last(&events), FinalTranscript { language: Some("en".into()), ..FinalTranscript::default() });
    assert_eq!(service.end().await, Ok(()));
}

#[tokio::test]
async fn silence_that_ends_a_turn_does_not_end_the_utterance() {
    let silent = "< speech.phrase {\"RecognitionStatus\":\"InitialSilenceTimeout\",\"Offset\":2000000,\"Duration\":0}\n< turn.end";
    let script = format!(
        "{BEGIN}> audio 6400\n{silent}\n> speech.context\n> riff\n> audio\n> end\n\
         < speech.phrase {{\"RecognitionStatus\":\"Success\",\"DisplayText\":\"Yes.\",\"Offset\":0,\"Duration\":10000000}}\n< turn.end"
    );
    let mut service = Service::start(&[&script]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
    for frame in &utterance()[..10] {
        microphone.send(*frame).await.unwrap();
    }
    assert_eq!(second_turn(&service, &mut events).await, []);
    for frame in &utterance()[10..] {
        microphone.send(*frame).await.unwrap();
    }
    drop(microphone);
    let heard: Heard = soon(events.collect()).await;
    assert_eq!((last(&heard).text.as_str(), last(&heard).segments[0].start.as_millis()), ("Yes.", 200));
    assert_eq!(service.end().await, Ok(()));
    assert!(service.sound()[1] == bytes(&utterance()[10..]), "silence is not sent again");
}

#[tokio::test]
async fn a_service_that_ends_turn_after_turn_is_given_up() {
    let turn = "> speech.context\n> riff\n> audio 640\n< turn.end\n";
    let script = format!("> speech.config\n{}= hang", turn.repeat(9));
    let service = Service::start(&[&script]).await;
    let (microphone, audio) = microphone();
    microphone.send(Frame::SILENCE).await.unwrap();
    let events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
    let events: Heard = soon(events.collect()).await;
    assert_eq!(failure(&events).kind, ErrorKind::Unavailable);
    assert!(failure(&events).detail.contains("turn after turn"), "{}", failure(&events));
    assert_eq!(service.bodies("speech.context").len(), 4);
}

#[tokio::test]
async fn older_addresses_and_custom_models_are_reached() {
    let service = Service::start(&["= hang"]).await;
    for (model, line) in [
        ("dictation", "/speech/recognition/dictation/cognitiveservices/v1?language=en-US&format=detailed&"),
        ("6e2b-44", "/stt/speech/universal/v2?cid=6e2b-44&format=detailed&"),
    ] {
        let ears = SpeechToText::new("azure/x", model, shared(&service.base_url));
        drop(ears.transcribe(options(), stream::empty().boxed()).await.unwrap());
        let head = service.handshakes.lock().unwrap().last().cloned().unwrap();
        assert!(head.starts_with(line), "{head}");
    }
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    for (status, headers, body, kind) in REFUSALS {
        let server = refusing(status, headers, body).await;
        let error = hear(&server.base_url).await.unwrap_err();
        assert_eq!((error.kind, &*error.provider), (kind, "azure/speech"), "{status}: {error}");
        assert!(error.detail.contains(&status[..3]) && !error.to_string().contains(KEY), "{error}");
        assert!(!body.contains("Access") || error.detail.contains("Access denied"), "{error}");
        assert_eq!(error.retry_after, headers.contains("retry").then_some(Duration::from_secs(7)));
    }
    let nowhere = hear("ws://127.0.0.1:1").await.unwrap_err();
    assert_eq!(nowhere.kind, ErrorKind::Unavailable);
    let unfit = Config { key: Some("line\nbreak".into()), ..config("ws://127.0.0.1:1") };
    let ears = SpeechToText::new("azure/speech", "speech", Arc::new(unfit));
    let error = ears.transcribe(options(), stream::empty().boxed()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
}

#[tokio::test]
async fn complaints_and_early_goodbyes_are_errors() {
    for (said, kind, detail) in [
        ("< close 1007 Quota exceeded. Cid: ", ErrorKind::RateLimited, "Quota exceeded"),
        ("< close 1007 Throttled due to too many requests", ErrorKind::RateLimited, "Throttled"),
        ("< close 1007 Incorrect message format.", ErrorKind::Rejected, "Incorrect"),
        ("< close 1002 Missing/Empty header. Path", ErrorKind::Rejected, "Missing"),
        ("< close 1011 Internal error for 0123azurekey", ErrorKind::Unavailable, "Internal"),
        ("< close 1000", ErrorKind::Unavailable, "1000"),
        ("< close 4429", ErrorKind::RateLimited, "4429"),
        (r#"< speech.phrase {"RecognitionStatus":"Error"}"#, ErrorKind::Unavailable, "internal error"),
        (r#"< speech.phrase {"RecognitionStatus":"TooManyRequests"}"#, ErrorKind::RateLimited, "at once"),
        (r#"< speech.phrase {"RecognitionStatus":"Forbidden"}"#, ErrorKind::RateLimited, "quota"),
        (r#"< speech.phrase {"RecognitionStatus":"BadRequest"}"#, ErrorKind::Rejected, "parameter"),
        (r#"< speech.phrase {"RecognitionStatus":"#, ErrorKind::Protocol, "broken"),
        ("< raw nonsense", ErrorKind::Protocol, "no path"),
        ("< bytes 0 200 80", ErrorKind::Protocol, "headers longer"),
    ] {
        let service = Service::start(&[&format!("{BEGIN}> audio 640\n{said}")]).await;
        // The speaker goes on.
        let audio = stream::iter(utterance()).chain(stream::pending()).boxed();
        let events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
        let events: Heard = soon(events.collect()).await;
        keeps_its_promises(&events, KEY);
        let error = failure(&events);
        assert_eq!(error.kind, kind, "{said}: {error}");
        assert!(error.detail.contains(detail), "{said}: {error}");
    }
}

#[tokio::test]
async fn a_connection_cut_at_any_message_is_one_error_or_was_no_loss() {
    let mut finals = 0;
    for after in 0..=steps(LISTEN).len() {
        let service = Service::start(&[&cut(LISTEN, after)]).await;
        match hear(&service.base_url).await.unwrap().last().unwrap() {
            Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{after}: {error}"),
            Ok(_) => finals += 1,
        }
    }
    assert_eq!(finals, 1, "only what came to its end");
}

#[tokio::test]
async fn dropping_the_transcripts_hangs_up() {
    let mut service = Service::start(&[LISTEN]).await;
    let (microphone, audio) = microphone();
    let mut events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
    for frame in utterance() {
        microphone.send(frame).await.unwrap();
    }
    assert!(soon(events.next()).await.unwrap().is_ok());
    drop(events);
    let _ = leaves_at_once(&mut service).await;
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(100);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let timed = |base_url: &str| Timed::<dyn providers::SpeechToText>::new("slow", timeouts, Arc::new(ears(base_url)));
    let mut service = Service::start(&["= hang"]).await;
    let audio = stream::iter(utterance()).boxed();
    let events = timed(&service.base_url).transcribe(options(), audio).await.unwrap().collect::<Heard>();
    assert_eq!(failure(&soon(events).await).kind, ErrorKind::Timeout);
    let _ = leaves_at_once(&mut service).await;

    let mut server = loris().await;
    let audio = stream::iter(utterance()).boxed();
    let error = timed(&server.base_url).transcribe(options(), audio).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    soon(server.left.recv()).await.unwrap();
}

/// A microphone that has all the sound of the world, and how much of it was taken.
fn endless() -> (Arc<AtomicUsize>, BoxStream<'static, Frame>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let audio = stream::repeat(Frame::SILENCE).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    (taken, audio.boxed())
}

#[tokio::test]
async fn sound_of_the_past_is_sent_at_twice_its_speed_after_five_seconds() {
    let service = Service::start(&["= hang"]).await;
    let (taken, audio) = endless();
    let mut events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
    assert!(timeout(Duration::from_millis(500), events.next()).await.is_err());
    let seconds = taken.load(Ordering::Relaxed) / 50;
    assert!((5..=6).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn a_service_that_does_not_read_is_still_heard_and_bounds_what_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    let (say, mut said) = mpsc::channel::<&str>(1);
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(socket).await.unwrap();
        while let Some(word) = said.recv().await {
            let text = format!("Path:speech.hypothesis\r\n\r\n{{\"Text\":\"{word}\"}}");
            socket.send(Message::text(text)).await.unwrap();
        }
    });
    let (taken, audio) = endless();
    let mut events = ears(&base_url).transcribe(options(), audio).await.unwrap();
    // Hours may pass in which nobody reads.
    tokio::time::pause();
    let mut before = usize::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        assert!(timeout(Duration::from_secs(10), events.next()).await.is_err());
    }
    tokio::time::resume();
    assert!(before > 0, "some audio fits on the way");
    say.send("hello").await.unwrap();
    let heard = soon(events.next()).await;
    assert!(matches!(heard, Some(Ok(Transcript::Partial { tentative, .. })) if tentative == "hello"));
}

#[tokio::test]
async fn nothing_is_left_of_utterances_heard_or_dropped() {
    let mut service = Service::start(&[LISTEN]).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for round in 0..20 {
        let audio = stream::iter(utterance()).boxed();
        let mut events = ears(&service.base_url).transcribe(options(), audio).await.unwrap();
        for _ in 0..round % 5 {
            soon(events.next()).await.unwrap().unwrap();
        }
        drop(events);
        let _ = soon(service.end()).await;
    }
    // The service's last word is its task's last but one act.
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before);
}
