//! Text-to-speech.

use futures_util::stream::BoxStream;
use providers::{
    TextToSpeech as _,
    layers::{Timed, Timeouts},
    openai::TextToSpeech,
    tts::{Clause, Speech, Voice},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::support::FLOOD;

type Sounds = Vec<Result<Speech, ProviderError>>;

fn mouth(model: &str, config: Config) -> TextToSpeech {
    TextToSpeech::new(format!("openai/{model}"), model, Arc::new(config))
}

fn voice(name: &str) -> Voice {
    Voice { name: name.into(), language: Some("en".into()), speed: 1.0 }
}

fn clauses(texts: &[&str]) -> BoxStream<'static, Clause> {
    let clauses: Vec<_> = texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() }).collect();
    stream::iter(clauses).boxed()
}

/// Samples of this value, as they are sent.
fn sound(sample: i16, count: usize) -> Vec<u8> {
    sample.to_le_bytes().repeat(count)
}

fn pcm(body: impl AsRef<[u8]>) -> Vec<Step> {
    answer("200 OK", "content-type: audio/pcm\r\n", body)
}

async fn say(mouth: &TextToSpeech, texts: &[&str]) -> Result<Sounds, ProviderError> {
    let sounds: Sounds = soon(mouth.speak(voice("coral"), clauses(texts)).await?.collect()).await;
    keeps_its_promises(&sounds);
    Ok(sounds)
}

/// Clauses come in order, each ends once, and nothing follows an error.
fn keeps_its_promises(sounds: &Sounds) {
    let mut open = 0;
    for (at, event) in sounds.iter().enumerate() {
        match event {
            Ok(Speech::Audio { clause, clip }) => assert!(*clause == open && !clip.samples.is_empty()),
            Ok(Speech::ClauseDone { clause }) => {
                assert_eq!(*clause, open);
                open += 1;
            }
            Ok(Speech::Word { .. }) => panic!("there are no words"),
            Err(error) => {
                assert_eq!(at + 1, sounds.len());
                assert!(!error.to_string().contains(KEY), "{error}");
            }
        }
    }
}

fn samples(sounds: &Sounds, of: u32) -> Vec<i16> {
    let clips = sounds.iter().flatten().filter_map(|event| match event {
        Speech::Audio { clause, clip } if *clause == of => Some(clip.samples.clone()),
        Speech::Audio { .. } | Speech::Word { .. } | Speech::ClauseDone { .. } => None,
    });
    clips.flatten().collect()
}

fn done(sounds: &Sounds) -> usize {
    sounds.iter().filter(|event| matches!(event, Ok(Speech::ClauseDone { .. }))).count()
}

fn asked(server: &Server) -> Vec<Value> {
    let requests = server.requests.lock().unwrap().clone();
    requests.iter().map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()).collect()
}

#[tokio::test]
async fn clauses_are_spoken_in_order_as_documented() {
    let server = Server::start(vec![pcm(sound(1, 4_800)), pcm(sound(2, 1_201))]).await;
    let config = Config { instructions: Some("Calm.".into()), ..config(&server.base_url) };
    let sounds = say(&mouth("gpt-4o-mini-tts", config), &["Hello there.", "How are you?"]).await.unwrap();
    assert_eq!((samples(&sounds, 0), samples(&sounds, 1)), (vec![1; 4_800], vec![2; 1_201]));
    assert_eq!(sounds.last(), Some(&Ok(Speech::ClauseDone { clause: 1 })));
    let request = server.requests.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /v1/audio/speech HTTP/1.1\r\n"), "{request}");
    for header in ["authorization: Bearer tiger-key", "openai-organization: org-1", "content-type: application/json"] {
        assert!(request.contains(header), "{request}");
    }
    let expected = json!({"model": "gpt-4o-mini-tts", "input": "Hello there.", "voice": "coral",
        "response_format": "pcm", "instructions": "Calm."});
    assert_eq!(asked(&server)[0], expected);
}

#[tokio::test]
async fn unknown_voices_fall_back_and_paces_are_asked_for() {
    let server = Server::start(vec![pcm(sound(1, 10))]).await;
    let config = Config {
        voice: "marin".into(),
        voices: [("alloy".to_owned(), "af_heart".to_owned())].into(),
        ..config(&server.base_url)
    };
    for (name, model, speed) in
        [("aura-2-thalia-en", "gpt-4o-mini-tts", 1.25), ("aura-2-thalia-en", "tts-1", 9.0), ("alloy", "kokoro", 1.0)]
    {
        let mouth = mouth(model, config.clone());
        let sounds = mouth.speak(Voice { speed, ..voice(name) }, clauses(&["Hi."])).await.unwrap();
        assert_eq!(soon(sounds.collect::<Sounds>()).await.len(), 2);
    }
    let asked: Vec<_> = asked(&server).iter().map(|body| (body["voice"].clone(), body["speed"].clone())).collect();
    let expected = [(json!("marin"), json!(1.25)), (json!("alloy"), json!(4.0)), (json!("af_heart"), Value::Null)];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn sound_comes_as_it_is_made_and_the_next_clause_is_asked_for_meanwhile() {
    let begun = [pcm(sound(1, 100)), vec![Step::Hang]].concat();
    let mut server = Server::start(vec![begun, pcm(sound(2, 100))]).await;
    let mouth = mouth("tts-1", config(&server.base_url));
    let mut sounds = mouth.speak(voice("alloy"), clauses(&["One.", "Two.", "Three."])).await.unwrap();
    assert!(matches!(soon(sounds.next()).await, Some(Ok(Speech::Audio { clause: 0, .. }))));
    assert!(timeout(Duration::from_millis(300), sounds.next()).await.is_err(), "the first clause is not over");
    let inputs: Vec<_> = asked(&server).iter().map(|body| body["input"].clone()).collect();
    assert_eq!(inputs, ["One.", "Two."], "one ahead, not more");
    drop(sounds);
    assert!(timeout(PROMPT, server.left.recv()).await.is_ok(), "still there after 50 ms");
}

#[tokio::test]
async fn clauses_may_come_late_and_the_first_does_not_wait_for_the_next() {
    let server = Server::start(vec![pcm(sound(1, 100)), pcm(sound(2, 100))]).await;
    let (sender, text) = mpsc::channel(4);
    let text = tokio_stream::wrappers::ReceiverStream::new(text).boxed();
    let mut sounds = mouth("tts-1", config(&server.base_url)).speak(voice("alloy"), text).await.unwrap();
    for id in 0..2 {
        assert!(timeout(PROMPT, sounds.next()).await.is_err(), "nothing to say");
        sender.send(Clause { id, text: "Yes.".into() }).await.unwrap();
        assert!(matches!(soon(sounds.next()).await, Some(Ok(Speech::Audio { clause, .. })) if clause == id));
        assert_eq!(soon(sounds.next()).await, Some(Ok(Speech::ClauseDone { clause: id })));
    }
    drop(sender);
    assert_eq!(soon(sounds.next()).await, None);
}

#[tokio::test]
async fn long_clauses_are_sent_in_pieces_and_soundless_ones_not_at_all() {
    let server = Server::start(vec![pcm(sound(1, 10))]).await;
    let sentence = "This sentence is long enough to be cut off at its end, not before. ";
    let long = sentence.repeat(64);
    let sounds = say(&mouth("tts-1", config(&server.base_url)), &["…", &long, " ", "\n", "Bye.", "—"]).await.unwrap();
    assert_eq!((done(&sounds), samples(&sounds, 1).len(), samples(&sounds, 4).len()), (6, 20, 10));
    let inputs: Vec<_> = asked(&server).iter().map(|body| body["input"].as_str().unwrap().to_owned()).collect();
    assert_eq!(inputs.len(), 3);
    assert!(inputs[0].chars().count() <= 4_096 && inputs[0].ends_with("not before."), "{}", inputs[0]);
    assert_eq!(format!("{} {}", inputs[0], inputs[1]), long.trim());
}

#[tokio::test]
async fn servers_that_know_only_files_are_heard_and_other_answers_are_not() {
    let clip = audio::Clip::new(audio::SampleRate::HZ_16000, vec![7; 800]);
    let file = audio::wav::write(&clip, audio::Encoding::Pcm16);
    let server = Server::start(vec![answer("200 OK", "content-type: audio/wav\r\n", file)]).await;
    let sounds = say(&mouth("piper", config(&server.base_url)), &["Hi."]).await.unwrap();
    assert!(matches!(&sounds[0], Ok(Speech::Audio { clip, .. }) if clip.rate == audio::SampleRate::HZ_16000));
    assert_eq!(samples(&sounds, 0), vec![7; 800]);
    for (steps, kind) in [
        (answer("200 OK", "content-type: audio/mpeg\r\n", "ID3"), ErrorKind::Protocol),
        (answer("200 OK", "content-type: text/html\r\n", "<html></html>"), ErrorKind::Protocol),
        (json(r#"{"error":"no"}"#), ErrorKind::Protocol),
        (answer("200 OK", "content-type: audio/wav\r\n", "RIFFnonsense"), ErrorKind::Protocol),
        (pcm(""), ErrorKind::Unavailable),
        (pcm("RIF"), ErrorKind::Unavailable),
    ] {
        let server = Server::start(vec![steps.clone()]).await;
        let sounds = say(&mouth("tts-1", config(&server.base_url)), &["Hi."]).await.unwrap();
        let error = sounds.last().unwrap().as_ref().unwrap_err();
        assert_eq!((sounds.len(), error.kind), (1, kind), "{steps:?}: {error}");
    }
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    for (status, kind) in REFUSALS {
        let server = refusing(status).await;
        let sounds = say(&mouth("tts-1", config(&server.base_url)), &["Hi."]).await.unwrap();
        is_refusal(sounds[0].as_ref().unwrap_err(), status, kind, "openai/tts-1");
    }
    let error = say(&mouth("tts-1", config("nonsense")), &["Hi."]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
}

#[tokio::test]
async fn a_clause_refused_ahead_of_time_costs_nothing_of_the_one_before() {
    let refusal = answer("429 Too Many Requests", "retry-after: 3\r\n", "{}");
    let server = Server::start(vec![pcm(sound(1, 60_000)), refusal]).await;
    let sounds = say(&mouth("tts-1", config(&server.base_url)), &["One.", "Two."]).await.unwrap();
    assert_eq!((samples(&sounds, 0).len(), done(&sounds)), (60_000, 1));
    let error = sounds.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(3))));
}

#[tokio::test]
async fn a_reset_in_the_midst_gives_what_came_and_one_error() {
    let chunked = |end: &str| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ntransfer-encoding: chunked\r\n\r\n4\r\n\u{1}\0\u{1}\0\r\n{end}"
        );
        vec![Step::Send(head.into_bytes()), Step::Reset]
    };
    for (end, whole) in [("", false), ("4\r\n\u{1}\0", false), ("0\r\n\r\n", true)] {
        let server = Server::start(vec![chunked(end)]).await;
        let sounds = say(&mouth("tts-1", config(&server.base_url)), &["One."]).await.unwrap();
        match sounds.last().unwrap() {
            Ok(_) => assert!(whole, "{end:?}"),
            Err(error) => assert!(!whole && error.kind == ErrorKind::Unavailable, "{end:?}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(150);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    for steps in [vec![Step::Hang], [pcm(sound(1, 10)), vec![Step::Hang]].concat()] {
        let mut server = Server::start(vec![steps]).await;
        let mouth = Arc::new(mouth("tts-1", config(&server.base_url)));
        let timed = Timed::<dyn providers::TextToSpeech>::new("slow", timeouts, mouth);
        let sounds: Sounds = soon(timed.speak(voice("x"), clauses(&["One."])).await.unwrap().collect()).await;
        assert_eq!(sounds.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Timeout);
        soon(server.left.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_server_back() {
    let flood = [pcm(""), vec![Step::Flood(sound(1, 32_000))]].concat();
    let mut server = Server::start(vec![flood]).await;
    let mouth = mouth("tts-1", config(&server.base_url));
    let mut sounds = mouth.speak(voice("alloy"), clauses(&["One.", "Two.", "Three."])).await.unwrap();
    assert!(soon(sounds.next()).await.unwrap().is_ok());
    let taken = soon(server.taken.recv()).await.unwrap();
    assert!(taken < FLOOD / 2, "{taken} bytes were taken unread");
    drop(sounds);
    soon(server.left.recv()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_left_of_speeches_heard_or_dropped() {
    let mut server = Server::start(vec![[pcm(sound(1, 10)), vec![Step::Hang]].concat()]).await;
    let mouth = mouth("tts-1", config(&server.base_url));
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..10 {
        let mut sounds = mouth.speak(voice("alloy"), clauses(&["One."])).await.unwrap();
        assert!(soon(sounds.next()).await.unwrap().is_ok());
        drop(sounds);
        soon(server.left.recv()).await.unwrap();
    }
    let settled = async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(Duration::from_secs(5), settled).await.is_ok(), "{} tasks where {before} were", tasks());
}
