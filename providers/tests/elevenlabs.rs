//! The ElevenLabs adapter against sockets that behave, misbehave, or go silent.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[expect(dead_code, reason = "this vendor sends sound as text")]
#[path = "support/cassette.rs"]
mod cassette;
#[expect(dead_code, reason = "refusals and silence are enough here; tests/openai.rs has the others")]
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audio::{Frame, SampleRate};
use base64::{Engine, prelude::BASE64_STANDARD};
use cassette::Vendor;
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
use support::{Server, Step, answer};
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::{accept_async, tungstenite::Message};

const SPEECH: &str = include_str!("exchanges/elevenlabs/speech.ws");
const ODD: &str = include_str!("exchanges/elevenlabs/speech-odd.ws");
const TRANSCRIPT: &str = include_str!("exchanges/elevenlabs/transcript.ws");

/// What a client's leaving may take.
const PROMPT: Duration = Duration::from_millis(50);
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

// Speech.

#[tokio::test]
async fn clauses_are_spoken_in_order_with_their_words() {
    let mut vendor = Vendor::start(&[SPEECH]).await;
    let mouth = mouth(&vendor.base_url);
    let speech: Vec<_> =
        say(&mouth, &["Hi there.", "How are you?"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    let expected = [
        word(0, 0..2, 0, 100),
        sound(0, &[0, 1, 2, 3]),
        word(0, 3..9, 150, 450),
        sound(0, &[4, 5]),
        Speech::ClauseDone { clause: 0 },
        word(1, 0..3, 0, 30),
        word(1, 4..7, 40, 70),
        word(1, 8..12, 80, 120),
        sound(1, &[10, 11]),
        sound(1, &[12]),
        Speech::ClauseDone { clause: 1 },
    ];
    assert_eq!(speech, expected);
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let path =
        "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/multi-stream-input?model_id=eleven_flash_v2_5&output_format=pcm_24000";
    assert!(head.starts_with(path), "{head}");
    for part in ["auto_mode=true", "sync_alignment=true", "language_code=en\n", "xi-api-key: sk_tiger"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(!head.lines().next().unwrap().contains("tiger"));
}

#[tokio::test]
async fn oddities_do_no_harm() {
    let mut vendor = Vendor::start(&[ODD]).await;
    let speech: Vec<_> =
        say(&mouth(&vendor.base_url), &["Hi you"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    let expected = [
        word(0, 0..2, 0, 50),
        sound(0, &[1]),
        sound(0, &[2, 3]),
        word(0, 3..6, 60, 90),
        sound(0, &[4]),
        Speech::ClauseDone { clause: 0 },
    ];
    assert_eq!(speech, expected);
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn nothing_to_say_is_done_without_a_word_to_the_vendor() {
    let mut vendor = Vendor::start(&["> close"]).await;
    let speech: Vec<_> =
        say(&mouth(&vendor.base_url), &["…", "", " \n"]).await.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(speech, [0, 1, 2].map(|clause| Speech::ClauseDone { clause }));
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_long_clause_is_split_and_stays_one_clause() {
    let vendor = Speaker::start().await;
    let text = format!("{} The end.", "A sentence of seven words, more or less. ".repeat(300));
    let speech: Vec<_> =
        say(&mouth(&vendor.base_url), &[&text, "Short."]).await.unwrap().into_iter().map(Result::unwrap).collect();
    let done: Vec<_> = speech.iter().filter(|step| matches!(step, Speech::ClauseDone { .. })).collect();
    assert_eq!(done, [&Speech::ClauseDone { clause: 0 }, &Speech::ClauseDone { clause: 1 }]);
    let said = vendor.said.lock().unwrap().clone();
    assert!(said.len() == 4 && said.iter().all(|text| text.chars().count() <= 5_001), "{}", said.len());
    let words: Vec<_> = speech
        .iter()
        .filter_map(|step| match step {
            Speech::Word { clause: 0, range, start, .. } => Some((&text[range.clone()], *start)),
            Speech::Word { .. } | Speech::Audio { .. } | Speech::ClauseDone { .. } => None,
        })
        .collect();
    assert_eq!(words.iter().map(|(word, _)| *word).collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
    assert!(words.is_sorted_by_key(|(_, start)| *start));
    // Ten milliseconds a character, the vendor's closing blanks among them.
    let last = words.last().unwrap().1;
    assert!(last.abs_diff(Duration::from_millis(10 * text.len() as u64)) < Duration::from_millis(500), "{last:?}");
}

#[tokio::test]
async fn each_context_is_closed_once_it_sounds_so_that_few_are_open() {
    let vendor = Speaker::start().await;
    let texts: Vec<String> = (0..20).map(|n| format!("This is clause number {n}.")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let speech = say(&mouth(&vendor.base_url), &texts).await.unwrap();
    let done = speech.into_iter().map(Result::unwrap).filter_map(|step| match step {
        Speech::ClauseDone { clause } => Some(clause),
        Speech::Audio { .. } | Speech::Word { .. } => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    assert_eq!(vendor.most.load(Ordering::SeqCst), 1, "the vendor allows five");
}

#[tokio::test]
async fn a_context_that_ends_without_sound_is_a_failure_and_no_clause() {
    let silent = "> {\"text\":\" \"}\n> {\"flush\":true}\n< {\"isFinal\":true,\"contextId\":\"0-0\"}\n= hang";
    let vendor = Vendor::start(&[silent]).await;
    let speech = say(&mouth(&vendor.base_url), &["Hello."]).await.unwrap();
    assert_eq!(speech.len(), 1);
    assert_eq!(speech[0].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_connection_that_ends_between_clauses_costs_nothing() {
    let say = |context: &str, end: &str| {
        format!(
            "> {{\"text\":\" \",\"context_id\":\"{context}\"}}\n> {{\"flush\":true}}\n\
             < {{\"audio\":\"AAABAA==\",\"contextId\":\"{context}\"}}\n> {{\"close_context\":true}}\n\
             < {{\"isFinal\":true,\"contextId\":\"{context}\"}}\n{end}"
        )
    };
    // Idle; then just as the next clause is asked for; then for good.
    let first = say("0-0", "< close 1000");
    let second = format!("{}\n> {{\"text\":\" \"}}\n< close 1008 input_timeout_exceeded", say("1-1", ""));
    let mut vendor = Vendor::start(&[&first, &second, &say("2-3", "= reset")]).await;
    let (clauses, text) = tokio::sync::mpsc::channel(4);
    let text = tokio_stream::wrappers::ReceiverStream::new(text).boxed();
    let mut speech = mouth(&vendor.base_url).speak(voice(), text).await.unwrap();
    let give = async |id: u32| clauses.send(Clause { id, text: "Yes.".into() }).await.unwrap();
    give(0).await;
    let mut steps = Vec::new();
    while steps.last() != Some(&Speech::ClauseDone { clause: 0 }) {
        steps.push(timeout(LONG, speech.next()).await.unwrap().unwrap().unwrap());
    }
    assert!(timeout(Duration::from_millis(50), speech.next()).await.is_err(), "nothing is owed");
    assert_eq!(timeout(LONG, vendor.end()).await.expect("the connection is let go"), Ok(()));
    give(1).await;
    give(2).await;
    drop(clauses);
    let rest: Vec<_> = timeout(LONG, speech.collect()).await.unwrap();
    let rest: Vec<_> = rest.into_iter().map(Result::unwrap).collect();
    let clause = |clause| [sound(clause, &[0, 1]), Speech::ClauseDone { clause }];
    assert_eq!(rest, [clause(1), clause(2)].concat());
    assert_eq!(vendor.handshakes.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_clause_without_end_is_given_up() {
    let flood = Flood::start(|_| {
        let second = BASE64_STANDARD.encode(vec![0_u8; 48_000]);
        json!({"audio": second, "contextId": "0-0"}).to_string()
    })
    .await;
    let speech = say(&mouth(&flood.base_url), &["Hello."]).await.unwrap();
    assert_eq!(speech.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Protocol);
    assert_eq!(speech.len(), 67, "a minute, and a second a character");
}

#[tokio::test]
async fn errors_in_a_speech_say_what_one_can_do() {
    for (step, kind) in [
        (
            r#"< {"message":"This request exceeds your quota of 10000.","error":"quota_exceeded","code":1008}"#,
            ErrorKind::RateLimited,
        ),
        (r#"< {"error":"A voice for the voice_id sk_tiger does not exist."}"#, ErrorKind::Rejected),
        ("< close 1008 Maximum simultaneous contexts exceeded (5).", ErrorKind::RateLimited),
        ("< close 1008 Have not received a new text input within the timeout of 20 seconds.", ErrorKind::Timeout),
        ("< close 1008 Invalid API key", ErrorKind::Unauthorized),
        ("< close 1011 Internal error", ErrorKind::Unavailable),
        ("< close 1000", ErrorKind::Unavailable),
        ("= reset", ErrorKind::Unavailable),
        ("< <html>no</html>", ErrorKind::Protocol),
        (r#"< {"audio":"not base64!","contextId":"0-0"}"#, ErrorKind::Protocol),
    ] {
        let vendor = Vendor::start(&[&format!("> {{\"text\":\" \"}}\n> {{\"flush\":true}}\n{step}")]).await;
        let speech = say(&mouth(&vendor.base_url), &["Hello.", "More."]).await.unwrap();
        let [Err(error)] = &speech[..] else { panic!("{step}: {speech:?}") };
        assert_eq!(error.kind, kind, "{step}: {error}");
        assert!(!error.to_string().contains("tiger"), "{error}");
    }
}

#[tokio::test]
async fn a_speech_reset_at_any_message_ends_in_one_error() {
    let steps: Vec<&str> = SPEECH.lines().filter(|line| !line.starts_with('#')).collect();
    for count in 0..steps.len() {
        let cut = [&steps[..count], &["= reset"]].concat().join("\n");
        let vendor = Vendor::start(&[&cut]).await;
        let speech = say(&mouth(&vendor.base_url), &["Hi there.", "How are you?"]).await.unwrap();
        let errors = speech.iter().filter(|step| step.is_err()).count();
        let done = speech.iter().filter(|step| matches!(step, Ok(Speech::ClauseDone { .. }))).count();
        let finals = steps[..count].iter().filter(|step| step.contains("\"isFinal\":true")).count();
        assert!(done <= finals && errors == usize::from(done < 2), "{count}: {speech:?}");
        assert!(errors == 0 || speech.last().unwrap().is_err(), "{count}");
    }
}

#[tokio::test]
async fn dropping_a_speech_leaves_the_vendor_at_once() {
    let (until_sound, _) = SPEECH.split_once("> {\"context_id\":\"0-0\",\"close_context\"").unwrap();
    let cassette = until_sound.to_owned() + "= hang";
    let mut vendor = Vendor::start(&[&cassette]).await;
    let mut speech = mouth(&vendor.base_url).speak(voice(), clauses(&["Hi there.", "More."])).await.unwrap();
    assert!(timeout(LONG, speech.next()).await.unwrap().unwrap().is_ok());
    drop(speech);
    assert_eq!(timeout(PROMPT, vendor.end()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_reader_that_waits_holds_the_vendor_back() {
    let flood = Flood::start(|n| {
        let chunk = BASE64_STANDARD.encode(vec![0_u8; 48_000]);
        json!({"audio": chunk, "contextId": "0-0", "number": n}).to_string()
    })
    .await;
    let mut speech = mouth(&flood.base_url).speak(voice(), clauses(&["Hello."])).await.unwrap();
    assert!(timeout(LONG, speech.next()).await.unwrap().unwrap().is_ok());
    let sent = flood.settled().await;
    assert!(sent < 400, "{sent} seconds of sound were taken unread");
    drop(speech);
}

// Transcription.

#[tokio::test]
async fn an_utterance_is_transcribed_with_its_words() {
    let mut vendor = Vendor::start(&[TRANSCRIPT]).await;
    let transcripts: Vec<_> = hear(&ear(&vendor.base_url), 8).await.unwrap().into_iter().map(Result::unwrap).collect();
    let partial =
        |stable: &str, tentative: &str| Transcript::Partial { stable: stable.into(), tentative: tentative.into() };
    let (last, partials) = transcripts.split_last().unwrap();
    assert_eq!(partials[..2], [partial("", "go forward"), partial("", "Go forward ten")]);
    let Transcript::Final(FinalTranscript { text, language, words, segments, duration }) = last else { panic!() };
    assert_eq!((&**text, language.as_deref()), ("Go forward ten meters.", Some("en")));
    assert_eq!(words.iter().map(|word| &*word.text).collect::<Vec<_>>(), ["Go", "forward", "ten", "meters."]);
    assert_eq!((words[1].start, segments.len()), (Duration::from_millis(220), 1));
    assert_eq!(*duration, Duration::from_millis(160), "the silence added for the vendor does not count");
    assert_eq!(timeout(LONG, vendor.end()).await.unwrap(), Ok(()));

    let head = vendor.handshakes.lock().unwrap()[0].clone();
    let path = "/v1/speech-to-text/realtime?model_id=scribe_v2_realtime&audio_format=pcm_16000&commit_strategy=manual&include_timestamps=true&include_language_detection=true";
    assert!(head.starts_with(path) && head.contains("xi-api-key: sk_tiger"), "{head}");
    let texts = vendor.texts.lock().unwrap().clone();
    let lengths = texts
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap())
        .map(|message| BASE64_STANDARD.decode(message["audio_base_64"].as_str().unwrap()).unwrap().len());
    assert_eq!(lengths.collect::<Vec<_>>(), [8 * 640, 12 * 640], "filled up to more than 0.3 seconds");
}

#[tokio::test]
async fn a_prompt_goes_as_text_before_or_as_key_terms() {
    let prompt = "Hibari, Aoife, and a sentence that goes on for far more than fifty characters.";
    let options = SttOptions { prompt: Some(prompt.into()), language: Some("de-AT".into()), ..SttOptions::default() };
    let empty = "> {\"commit\":true}\n< {\"message_type\":\"committed_transcript\",\"text\":\"\"}\n> close";
    let vendor = Vendor::start(&[empty]).await;
    for keyterms in [false, true] {
        let config = Arc::new(Config { keyterms, ..config(&vendor.base_url) });
        let ear = SpeechToText::new("e", "scribe_v2_realtime", config);
        let transcripts: Vec<_> = ear.transcribe(options.clone(), frames(1)).await.unwrap().collect().await;
        let [Ok(Transcript::Final(whole))] = &transcripts[..] else { panic!("{transcripts:?}") };
        assert_eq!((&*whole.text, whole.language.as_deref()), ("", Some("de")));
    }
    let texts = vendor.texts.lock().unwrap().clone();
    assert!(
        texts[0].contains("\"previous_text\":\"Hibari, Aoife, and a sentence that goes on for far\""),
        "{}",
        texts[0]
    );
    assert!(!texts[1].contains("previous_text"));
    let heads = vendor.handshakes.lock().unwrap().clone();
    assert!(!heads[0].contains("keyterms") && heads[0].contains("language_code=de"), "{}", heads[0]);
    assert!(heads[1].contains("keyterms=Hibari&keyterms=Aoife"), "{}", heads[1]);
}

#[tokio::test]
async fn a_transcript_without_details_or_without_enough_sound_still_ends() {
    let committed = r#"< {"message_type":"committed_transcript","text":"Yes."}"#;
    for (steps, expected) in [
        (format!("> {{\"commit\":true}}\n{committed}\n= hang"), "Yes."),
        (format!("> {{\"commit\":true}}\n{committed}\n< close 1000"), "Yes."),
        (format!("{committed}\n> {{\"commit\":true}}\n< {{\"message_type\":\"commit_throttled\",\"error\":\"Commit request ignored\"}}\n= hang"), "Yes."),
        ("> {\"commit\":true}\n< {\"message_type\":\"commit_throttled\",\"error\":\"Commit request ignored\"}\n= hang".to_owned(), ""),
    ] {
        let vendor = Vendor::start(&[&steps]).await;
        let transcripts = hear(&ear(&vendor.base_url), 1).await.unwrap();
        let Some(Ok(Transcript::Final(whole))) = transcripts.last() else { panic!("{steps}: {transcripts:?}") };
        assert_eq!(whole.text, expected, "{steps}");
    }
}

#[tokio::test]
async fn long_utterances_are_committed_at_a_hush() {
    let quiet = 30 * 50;
    let sound = stream::iter(
        (0..32 * 50).map(move |n| if n < quiet { Frame([3_000; Frame::SAMPLES]) } else { Frame::SILENCE }),
    );
    let vendor = Scribe::start().await;
    let transcripts: Vec<_> = ear(&vendor.base_url).transcribe(interim(), sound.boxed()).await.unwrap().collect().await;
    let Some(Ok(Transcript::Final(whole))) = transcripts.last() else { panic!("{transcripts:?}") };
    assert_eq!((&*whole.text, whole.duration), ("Part 1. Part 2.", Duration::from_secs(32)));
    let stables = transcripts.iter().filter_map(|transcript| match transcript {
        Ok(Transcript::Partial { stable, .. }) => Some(stable.as_str()),
        Ok(Transcript::Final(_)) | Err(_) => None,
    });
    assert!(stables.collect::<Vec<_>>().contains(&"Part 1."));
}

#[tokio::test]
async fn errors_in_a_transcription_say_what_one_can_do() {
    for (step, kind) in [
        (r#"< {"message_type":"auth_error","error":"Invalid API key sk_tiger"}"#, ErrorKind::Unauthorized),
        (r#"< {"message_type":"quota_exceeded","error":"Spent"}"#, ErrorKind::RateLimited),
        (r#"< {"message_type":"queue_overflow","error":"Too fast"}"#, ErrorKind::RateLimited),
        (r#"< {"message_type":"chunk_size_exceeded","error":"Too long"}"#, ErrorKind::Rejected),
        (r#"< {"message_type":"transcriber_error","error":"Oops"}"#, ErrorKind::Unavailable),
        (r#"< {"message_type":"session_time_limit_exceeded","error":"Over"}"#, ErrorKind::Timeout),
        ("< hello", ErrorKind::Protocol),
        ("< close 1008 You need to accept the terms: unaccepted_terms", ErrorKind::Unauthorized),
        ("< close 1000", ErrorKind::Unavailable),
        ("= reset", ErrorKind::Unavailable),
    ] {
        let vendor = Vendor::start(&[&format!("> {{\"commit\":false}}\n{step}")]).await;
        let transcripts = hear(&ear(&vendor.base_url), 500).await.unwrap();
        let [Err(error)] = &transcripts[..] else { panic!("{step}: {transcripts:?}") };
        assert_eq!(error.kind, kind, "{step}: {error}");
        assert!(!error.to_string().contains("tiger"), "{error}");
    }
}

#[tokio::test]
async fn a_transcription_reset_at_any_message_ends_in_one_error() {
    let steps: Vec<&str> = TRANSCRIPT.lines().filter(|line| !line.starts_with('#')).collect();
    for count in 0..steps.len() {
        let vendor = Vendor::start(&[&[&steps[..count], &["= reset"]].concat().join("\n")]).await;
        let transcripts = hear(&ear(&vendor.base_url), 8).await.unwrap();
        let (last, before) = transcripts.split_last().unwrap();
        assert!(before.iter().all(|step| matches!(step, Ok(Transcript::Partial { .. }))), "{count}");
        let whole = matches!(last, Ok(Transcript::Final(_)));
        assert!(whole == (count == steps.len() - 1) || last.is_err(), "{count}: {last:?}");
    }
}

#[tokio::test]
async fn dropping_a_transcription_leaves_the_vendor_at_once() {
    let mut vendor =
        Vendor::start(&["> {\"commit\":false}\n< {\"message_type\":\"partial_transcript\",\"text\":\"go\"}\n= hang"])
            .await;
    let audio = frames(5).chain(stream::pending()).boxed();
    let mut transcripts = ear(&vendor.base_url).transcribe(interim(), audio).await.unwrap();
    assert!(timeout(LONG, transcripts.next()).await.unwrap().unwrap().is_ok());
    drop(transcripts);
    assert_eq!(timeout(PROMPT, vendor.end()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_vendor_that_does_not_read_holds_the_audio_back_and_is_still_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let partial = r#"{"message_type":"partial_transcript","text":"go"}"#;
        socket.send(Message::Text(partial.into())).await.unwrap();
        std::future::pending::<()>().await;
    });
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let audio = stream::repeat_with(move || {
        counter.fetch_add(1, Ordering::SeqCst);
        Frame::SILENCE
    });
    let mut transcripts = ear(&base_url).transcribe(interim(), audio.boxed()).await.unwrap();
    let partial = timeout(LONG, transcripts.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(partial, Transcript::Partial { stable: String::new(), tentative: "go".into() });
    assert!(timeout(Duration::from_millis(300), transcripts.next()).await.is_err());
    let before = taken.load(Ordering::SeqCst);
    assert!(timeout(Duration::from_millis(100), transcripts.next()).await.is_err());
    assert_eq!(taken.load(Ordering::SeqCst), before, "audio is taken although nobody reads it");
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

// Voices.

#[tokio::test]
async fn the_library_is_listed_page_by_page() {
    let pages =
        [include_str!("exchanges/elevenlabs/voices-1.json"), include_str!("exchanges/elevenlabs/voices-2.json")];
    let server = Server::start(pages.map(|page| answer("200 OK", "", page)).into()).await;
    let voices = Library::new("elevenlabs", Arc::new(config(&server.base_url))).list().await.unwrap();
    let expected = [
        ("JBFqnCBsd6RMkjVDRZzb", "George", Category::Premade),
        ("abcdefghij0123456789", "Me", Category::Cloned),
        ("zyxwvutsrq9876543210", "New", Category::Other),
    ];
    let found: Vec<_> =
        voices.iter().map(|voice| (&*voice.id, voice.name.as_deref().unwrap(), voice.category)).collect();
    assert_eq!(found, expected);
    let requests = server.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("GET /v2/voices?page_size=100&include_total_count=false HTTP/1.1\r\n"));
    assert!(requests[0].contains("xi-api-key: sk_tiger"));
    assert!(requests[1].contains("&next_page_token=page+two"), "{}", requests[1]);
}

#[tokio::test]
async fn pages_without_end_are_given_up() {
    let page =
        |token: &str| answer("200 OK", "", format!(r#"{{"voices":[],"has_more":true,"next_page_token":"{token}"}}"#));
    let server = Server::start(vec![page("a"), page("b"), page("a"), page("b"), page("b")]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    assert_eq!(library.list().await.unwrap(), [], "a page that names itself is the last");
    let server = Server::start(vec![answer("200 OK", "", "[]")]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    assert_eq!(library.list().await.unwrap_err().kind, ErrorKind::Protocol);
}

fn new_voice() -> NewVoice {
    NewVoice {
        name: " Me ".into(),
        description: Some("My own".into()),
        labels: [("accent".to_owned(), "swiss".to_owned())].into(),
        samples: vec![Sample { name: "me.wav".into(), bytes: "RIFF-sound".into() }],
        consent: true,
        remove_background_noise: false,
    }
}

#[tokio::test]
async fn a_voice_is_cloned_from_samples_and_deleted() {
    let cloned = answer("200 OK", "", include_str!("exchanges/elevenlabs/cloned.json"));
    let server = Server::start(vec![cloned, answer("200 OK", "", r#"{"status":"ok"}"#)]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    let voice = library.clone_voice(new_voice()).await.unwrap();
    assert_eq!((&*voice.id, voice.requires_verification), ("c38kUX8pkfYO2kHyqfFy", false));
    library.delete(&voice.id).await.unwrap();
    let requests = server.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("POST /v1/voices/add HTTP/1.1\r\n"), "{}", requests[0]);
    let parts = [
        "name=\"name\"\r\n\r\nMe\r\n",
        "name=\"description\"\r\n\r\nMy own",
        "{\"accent\":\"swiss\"}",
        "name=\"files\"; filename=\"me.wav\"",
        "RIFF-sound",
        "name=\"remove_background_noise\"\r\n\r\nfalse",
    ];
    for part in parts {
        assert!(requests[0].contains(part), "{part}: {}", requests[0]);
    }
    assert!(requests[1].starts_with("DELETE /v1/voices/c38kUX8pkfYO2kHyqfFy HTTP/1.1\r\n"), "{}", requests[1]);
}

#[tokio::test]
async fn nothing_is_sent_without_consent_or_beyond_the_vendors_bounds() {
    let server = Server::start(vec![answer("200 OK", "", "{}")]).await;
    let library = Library::new("elevenlabs", Arc::new(config(&server.base_url)));
    let sample = |size: usize| Sample { name: "s".into(), bytes: vec![0; size].into() };
    for voice in [
        NewVoice { consent: false, ..new_voice() },
        NewVoice { name: " ".into(), ..new_voice() },
        NewVoice { samples: Vec::new(), ..new_voice() },
        NewVoice { samples: vec![sample(1); 26], ..new_voice() },
        NewVoice { samples: vec![sample(0)], ..new_voice() },
        NewVoice { samples: vec![sample((10 << 20) + 1)], ..new_voice() },
    ] {
        assert_eq!(library.clone_voice(voice).await.unwrap_err().kind, ErrorKind::Rejected);
    }
    assert_eq!(library.delete("../user").await.unwrap_err().kind, ErrorKind::Rejected);
    assert!(server.requests.lock().unwrap().is_empty());
    let text = format!("{:?}", new_voice());
    assert!(!text.contains("RIFF"), "recordings are not printed: {text}");
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
