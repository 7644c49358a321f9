//! Transcription as one speaks.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::SinkExt;
use providers::{
    layers::{Timed, Timeouts},
    openai::Transcription,
};
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::*;
use crate::support::cassette::Vendor;

const DICTATION: &str = include_str!("../../exchanges/openai/dictation.ws");
const OPENED: &str = "> {\"type\":\"session.update\"}\n> {\"type\":\"input_audio_buffer.append\"}\n";

fn listening(base_url: &str) -> SpeechToText {
    let base_url = format!("{}/v1", base_url.trim_end_matches("/v1"));
    ears("gpt-live-transcribe", config(&base_url))
}

fn ended(events: &str) -> String {
    format!(
        "{OPENED}* {{\"type\":\"input_audio_buffer.append\"}}\n> {{\"type\":\"input_audio_buffer.commit\"}}\n{events}"
    )
}

#[tokio::test]
async fn words_come_while_one_speaks_as_documented() {
    let mut vendor = Vendor::start(&[DICTATION]).await;
    let ears = listening(&vendor.base_url);
    assert!(ears.capabilities().interim_results);
    let heard = hear(&ears).await.unwrap();
    assert_eq!(partials(&heard), [("Go", ""), ("Go forward", ""), ("Go forward ten meters.", "")]);
    let last = last(&heard);
    assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward ten meters.", Some("en")));
    assert_eq!(last.duration, Duration::from_secs(1));
    assert_eq!(soon(vendor.end()).await, Ok(()));
    let head = vendor.handshakes.lock().unwrap()[0].clone();
    assert!(head.starts_with("/v1/realtime?intent=transcription\n"), "{head}");
    for header in ["authorization: Bearer tiger-key", "openai-organization: org-1", "openai-project: proj_1"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(!head.contains("openai-beta"), "{head}");
    assert_eq!(sent(&vendor).len(), 24_000, "a second at 24 kHz");
}

/// The samples the vendor got.
fn sent(vendor: &Vendor) -> Vec<i16> {
    let texts = vendor.texts.lock().unwrap().clone();
    let appended = texts.iter().filter_map(|text| {
        let message: serde_json::Value = serde_json::from_str(text).unwrap();
        Some(BASE64_STANDARD.decode(message["audio"].as_str()?).unwrap())
    });
    let bytes: Vec<u8> = appended.flatten().collect();
    bytes.as_chunks::<2>().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
}

#[tokio::test]
async fn sound_is_resampled_without_a_gap_or_a_shift() {
    let vendor = Vendor::start(&[DICTATION]).await;
    let tone = |rate: f32, at: usize| ((at as f32 * 440.0 * std::f32::consts::TAU / rate).sin() * 8_000.0) as i16;
    let frames: Vec<_> =
        (0..50).map(|n| Frame(std::array::from_fn(|at| tone(16_000.0, n * Frame::SAMPLES + at)))).collect();
    let heard = listening(&vendor.base_url).transcribe(options(), stream::iter(frames).boxed()).await.unwrap();
    let heard: Heard = soon(heard.collect()).await;
    assert_eq!(last(&heard).text, "Go forward ten meters.");
    let sent = sent(&vendor);
    let off = |at: usize| (i32::from(sent[at]) - i32::from(tone(24_000.0, at))).abs();
    let worst = (480..23_000).map(off).max().unwrap();
    assert!(worst < 40, "{worst}");
}

#[tokio::test]
async fn another_relay_and_one_that_ends_utterances_itself_are_understood() {
    let relay = include_str!("../../exchanges/openai/dictation-relay.ws");
    let detecting = include_str!("../../exchanges/openai/dictation-detecting.ws");
    let mut vendor = Vendor::start(&[relay, detecting]).await;
    let base_url = format!("{}/v1", vendor.base_url);
    let config = || Config { transcription: Transcription::Realtime, ..config(&base_url) };
    let heard = hear(&ears("local/whisper-base", config())).await.unwrap();
    assert_eq!(partials(&heard), [("Go forward", ""), ("Go forward ten meters.", "")]);
    assert_eq!(soon(vendor.end()).await, Ok(()));
    let heard = hear(&ears("local/whisper-base", config())).await.unwrap();
    assert_eq!(partials(&heard), [("", "Ten meters."), ("Go forward. Ten meters.", "")]);
    assert_eq!(last(&heard).text, "Go forward. Ten meters.");
    assert_eq!(soon(vendor.end()).await, Ok(()));
}

#[tokio::test]
async fn a_server_that_tells_of_no_commit_still_ends() {
    let completed =
        r#"< {"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"Yes."}"#;
    let vendor = Vendor::start(&[&ended(completed)]).await;
    assert_eq!(last(&hear(&listening(&vendor.base_url)).await.unwrap()).text, "Yes.");
}

#[tokio::test]
async fn an_utterance_of_its_own_ear_that_is_understood_late_is_not_the_last() {
    let cassette = ended(
        r#"< {"type":"input_audio_buffer.speech_stopped","item_id":"a"}
        < {"type":"input_audio_buffer.committed","item_id":"a"}
        < {"type":"conversation.item.input_audio_transcription.completed","item_id":"a","transcript":"Go."}
        < {"type":"input_audio_buffer.committed","item_id":"b"}
        < {"type":"conversation.item.input_audio_transcription.completed","item_id":"b","transcript":"Now."}"#,
    );
    let vendor = Vendor::start(&[&cassette]).await;
    assert_eq!(last(&hear(&listening(&vendor.base_url)).await.unwrap()).text, "Go. Now.");
}

#[tokio::test]
async fn a_very_short_word_is_filled_up_and_silence_asks_for_nothing() {
    let completed =
        r#"< {"type":"conversation.item.input_audio_transcription.completed","item_id":"i","transcript":"Hm."}"#;
    let short = format!(
        "> {{\"type\":\"session.update\"}}\n* {{\"type\":\"input_audio_buffer.append\"}}\n> {{\"type\":\"input_audio_buffer.commit\"}}\n{completed}"
    );
    let mut vendor = Vendor::start(&[&short, "> {\"type\":\"session.update\"}\n> close"]).await;
    for (count, text) in [(1, "Hm."), (0, "")] {
        let audio = stream::iter(vec![Frame::SILENCE; count]).boxed();
        let heard = listening(&vendor.base_url).transcribe(options(), audio).await.unwrap();
        let heard: Heard = soon(heard.collect()).await;
        let duration = Frame::DURATION * count as u32;
        let expected =
            FinalTranscript { text: text.into(), language: Some("en".into()), duration, ..FinalTranscript::default() };
        assert_eq!(heard.last(), Some(&Ok(Transcript::Final(expected))));
        assert_eq!(soon(vendor.end()).await, Ok(()));
    }
    assert_eq!(sent(&vendor).len(), 2_400, "100 ms");
}

#[tokio::test]
async fn without_interim_results_only_the_final_transcript_comes() {
    let vendor = Vendor::start(&[DICTATION]).await;
    let silent = SttOptions { interim: false, ..options() };
    let audio = stream::iter(utterance()).boxed();
    let heard: Heard = listening(&vendor.base_url).transcribe(silent, audio).await.unwrap().collect().await;
    assert_eq!((heard.len(), last(&heard).text.as_str()), (1, "Go forward ten meters."));
}

#[tokio::test]
async fn refused_handshakes_say_what_one_can_do() {
    for (status, kind) in REFUSALS {
        let server = refusing(status).await;
        let error = hear(&listening(&server.base_url)).await.unwrap_err();
        is_refusal(&error, status, kind, "openai/gpt-live-transcribe");
    }
    let nowhere = hear(&listening("ws://127.0.0.1:1")).await.unwrap_err();
    assert_eq!(nowhere.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn complaints_and_early_goodbyes_are_errors() {
    let error = |kind: &str, code: &str| {
        format!(r#"< {{"type":"error","error":{{"type":"{kind}","code":"{code}","message":"no {KEY} here"}}}}"#)
    };
    for (step, kind, detail) in [
        (error("invalid_request_error", "invalid_api_key"), ErrorKind::Unauthorized, "here"),
        (error("invalid_request_error", "invalid_model"), ErrorKind::Rejected, "here"),
        (error("server_error", ""), ErrorKind::Unavailable, "here"),
        (error("x", "rate_limit_exceeded"), ErrorKind::RateLimited, "here"),
        (error("invalid_request_error", "input_audio_buffer_commit_empty"), ErrorKind::Protocol, "before"),
        (
            r#"< {"type":"conversation.item.input_audio_transcription.failed","item_id":"i","content_index":0,"error":{"type":"server_error","code":"transcription_failed","message":"The speech could not be transcribed."}}"#.into(),
            ErrorKind::Unavailable,
            "transcribed",
        ),
        ("< close 3000 invalid_request_error.invalid_api_key".into(), ErrorKind::Unauthorized, "3000"),
        ("< close 4004 invalid_request_error.model_not_found".into(), ErrorKind::Rejected, "model_not_found"),
        ("< close 1001 Your session hit the maximum duration of 60 minutes.".into(), ErrorKind::Unavailable, "60"),
        ("< close 1000".into(), ErrorKind::Unavailable, "1000"),
        ("< nonsense".into(), ErrorKind::Protocol, "unreadable"),
        ("< {}".into(), ErrorKind::Protocol, "unreadable"),
    ] {
        let vendor = Vendor::start(&[&format!("{OPENED}{step}")]).await;
        // The speaker goes on.
        let audio = stream::iter(utterance()).chain(stream::pending()).boxed();
        let heard = listening(&vendor.base_url).transcribe(options(), audio).await.unwrap();
        let heard: Heard = soon(heard.collect()).await;
        keeps_its_promises(&heard, KEY);
        let error = heard.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind, kind, "{step}: {error}");
        assert!(error.detail.contains(detail), "{step}: {error}");
    }
}

#[tokio::test]
async fn a_connection_cut_at_any_message_is_one_error_or_was_no_loss() {
    let steps: Vec<_> = DICTATION.lines().filter(|line| !line.starts_with('#')).collect();
    let mut finals = 0;
    for after in 0..=steps.len() {
        let cut = [&steps[..after], &["= reset"]].concat().join("\n");
        let vendor = Vendor::start(&[&cut]).await;
        match hear(&listening(&vendor.base_url)).await {
            Ok(heard) => match heard.last().unwrap() {
                Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{after}: {error}"),
                Ok(_) => finals += 1,
            },
            Err(error) => assert_eq!(error.kind, ErrorKind::Unavailable, "{after}: {error}"),
        }
    }
    assert!((1..=2).contains(&finals), "{finals}");
}

#[tokio::test]
async fn dropping_a_transcription_hangs_up() {
    let delta = r#"< {"type":"conversation.item.input_audio_transcription.delta","item_id":"i","delta":"Go"}"#;
    let mut vendor = Vendor::start(&[&format!("{OPENED}{delta}\n= hang")]).await;
    let audio = stream::iter(utterance()).chain(stream::pending()).boxed();
    let mut heard = listening(&vendor.base_url).transcribe(options(), audio).await.unwrap();
    assert!(soon(heard.next()).await.unwrap().is_ok());
    drop(heard);
    assert_eq!(timeout(PROMPT, vendor.end()).await, Ok(Ok(())), "still there after 50 ms");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(150);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    let timed =
        |base_url: &str| Timed::<dyn providers::SpeechToText>::new("slow", timeouts, Arc::new(listening(base_url)));
    let mut vendor = Vendor::start(&["= hang"]).await;
    let audio = stream::iter(utterance()).boxed();
    let heard: Heard = soon(timed(&vendor.base_url).transcribe(options(), audio).await.unwrap().collect()).await;
    assert_eq!(heard.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(timeout(PROMPT, vendor.end()).await, Ok(Ok(())));

    let half = vec![Step::Send(b"HTTP/1.1 101 Switching Proto".to_vec()), Step::Hang];
    let mut server = Server::start(vec![half]).await;
    let error = timed(&server.base_url).transcribe(options(), stream::empty().boxed()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    soon(server.left.recv()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_read_is_still_heard_and_bounds_what_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let delta = r#"{"type":"conversation.item.input_audio_transcription.delta","item_id":"i","delta":"Go"}"#;
        socket.send(Message::Text(delta.into())).await.unwrap();
        std::future::pending::<()>().await;
    });
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let endless = stream::repeat(Frame::SILENCE).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed)).boxed();
    let mut heard = listening(&base_url).transcribe(options(), endless).await.unwrap();
    assert!(matches!(soon(heard.next()).await, Some(Ok(Transcript::Partial { stable, .. })) if stable == "Go"));
    let mut before = usize::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        assert!(timeout(Duration::from_millis(100), heard.next()).await.is_err());
    }
}
