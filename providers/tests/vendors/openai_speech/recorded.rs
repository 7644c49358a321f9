//! Transcription of recordings.

use std::sync::atomic::{AtomicUsize, Ordering};

use providers::{
    layers::{Timed, Timeouts},
    openai::Transcription,
};

use super::*;
use crate::support::events;

const STREAMED: &str = include_str!("../../exchanges/openai/transcript.sse");
const TIMED: &str = include_str!("../../exchanges/openai/transcript-verbose.json");

fn field<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = request.split_once(&format!("name=\"{name}\"\r\n\r\n"))?;
    after.split_once("\r\n").map(|(value, _)| value)
}

#[tokio::test]
async fn a_recording_is_sent_whole_and_its_words_come_as_they_are_understood() {
    let server = Server::start(vec![events(STREAMED)]).await;
    let heard = hear(&ears("gpt-4o-transcribe", config(&server.base_url))).await.unwrap();
    let expected = [("Go", ""), ("Go forward", ""), ("Go forward ten", ""), ("Go forward ten meters.", "")];
    assert_eq!(partials(&heard), expected);
    let last = last(&heard);
    assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward ten meters.", Some("en")));
    assert_eq!(last.duration, Duration::from_secs(1));

    let request = server.requests.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /v1/audio/transcriptions HTTP/1.1\r\n"), "{request}");
    for header in ["authorization: Bearer tiger-key", "openai-organization: org-1", "openai-project: proj_1"] {
        assert!(request.contains(header), "{header}");
    }
    for (name, value) in [
        ("model", "gpt-4o-transcribe"),
        ("response_format", "json"),
        ("stream", "true"),
        ("language", "en"),
        ("prompt", "Quixal"),
    ] {
        assert_eq!(field(&request, name), Some(value), "{name}");
    }
    let file = "name=\"file\"; filename=\"speech.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF";
    assert!(request.to_lowercase().contains(&file.to_lowercase()), "{}", &request[..1_500]);
    let sent: String =
        utterance().iter().flat_map(|frame| frame.0).flat_map(i16::to_le_bytes).map(char::from).collect();
    assert!(request.contains(&sent), "all audio, in order, once");
}

#[tokio::test]
async fn whisper_tells_when_each_word_was_said() {
    let server = Server::start(vec![json(TIMED)]).await;
    let ears = ears("whisper-1", config(&server.base_url));
    assert!(ears.capabilities().word_timestamps && !ears.capabilities().interim_results);
    let heard = hear(&ears).await.unwrap();
    let last = last(&heard);
    assert_eq!((heard.len(), last.text.as_str(), last.language.as_deref()), (1, "Go forward ten meters.", Some("en")));
    let words: Vec<_> = last.words.iter().map(|word| (word.text.as_str(), word.start.as_millis())).collect();
    assert_eq!(words, [("Go", 59), ("forward", 239), ("ten", 500), ("meters", 699)]);
    assert_eq!(last.words[3].end, last.duration, "no word ends after the audio");
    let segment = &last.segments[0];
    assert_eq!(
        (segment.text.as_str(), segment.avg_logprob, segment.no_speech_prob),
        (&*last.text, Some(-0.28), Some(0.02))
    );
    let request = server.requests.lock().unwrap()[0].clone();
    assert_eq!(field(&request, "response_format"), Some("verbose_json"));
    assert_eq!(request.matches("name=\"timestamp_granularities[]\"").count(), 2);
    assert_eq!(field(&request, "stream"), None);
}

#[tokio::test]
async fn another_relay_is_understood() {
    let streamed = include_str!("../../exchanges/openai/relay-transcript.sse");
    let verbose = include_str!("../../exchanges/openai/relay-verbose.json");
    let server = Server::start(vec![events(streamed), json(verbose)]).await;
    let streaming = Config { transcription: Transcription::Streamed, ..config(&server.base_url) };
    let heard = hear(&ears("local/whisper-base", streaming)).await.unwrap();
    assert_eq!(partials(&heard), [("Go forward", ""), ("Go forward ten meters.", "")]);
    assert_eq!(last(&heard).language.as_deref(), Some("en"), "as asked for");
    let untimed = Config { word_times: false, ..config(&server.base_url) };
    let ears = ears("whisper-1", untimed);
    assert!(!ears.capabilities().word_timestamps);
    let heard = hear(&ears).await.unwrap();
    assert_eq!((last(&heard).text.as_str(), last(&heard).segments.len()), ("Go forward ten meters.", 1));
    assert_eq!(server.requests.lock().unwrap()[1].matches("timestamp_granularities[]").count(), 1);
}

#[tokio::test]
async fn servers_that_stream_nothing_are_understood() {
    let server = Server::start(vec![json(r#"{"text":" Go forward. "}"#)]).await;
    for (model, interim) in [("gpt-4o-transcribe", true), ("gpt-4o-transcribe", false), ("some/whisper", true)] {
        let ears = ears(model, config(&server.base_url));
        let options = SttOptions { interim, language: None, ..options() };
        let audio = stream::iter(utterance()).boxed();
        let heard: Heard = ears.transcribe(options, audio).await.unwrap().collect().await;
        let [Ok(Transcript::Final(last))] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward.", None));
    }
    let requests = server.requests.lock().unwrap().clone();
    let streams: Vec<_> = requests.iter().map(|request| field(request, "stream").is_some()).collect();
    assert_eq!(streams, [true, false, false], "events are asked for where somebody wants them");
}

#[tokio::test]
async fn too_little_sound_asks_nobody() {
    let server = Server::start(vec![]).await;
    for count in [0, 4] {
        let audio = stream::iter(vec![Frame::SILENCE; count]).boxed();
        let ears = ears("whisper-1", config(&server.base_url));
        let heard: Heard = ears.transcribe(options(), audio).await.unwrap().collect().await;
        let duration = Frame::DURATION * count as u32;
        let expected = FinalTranscript { language: Some("en".into()), duration, ..FinalTranscript::default() };
        assert_eq!(heard, [Ok(Transcript::Final(expected))]);
    }
    assert!(server.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_long_recording_is_cut_at_a_hush_and_put_together_again() {
    let part = |text: &str, end: f64| {
        json(&format!(
            r#"{{"text":"{text}","language":"english","words":[{{"word":"{text}","start":0.5,"end":{end}}}],"segments":[]}}"#
        ))
    };
    let server = Server::start(vec![part("One.", 1.0), part("Two.", 999.0)]).await;
    // Eleven minutes, quiet at 9:50.
    let loud = Frame([100; Frame::SAMPLES]);
    let frames = (0..33_000).map(move |n| if (29_500..29_520).contains(&n) { Frame::SILENCE } else { loud });
    let ears = ears("whisper-1", config(&server.base_url));
    let heard: Heard = ears.transcribe(options(), stream::iter(frames).boxed()).await.unwrap().collect().await;
    let last = last(&heard);
    assert_eq!((last.text.as_str(), last.duration), ("One. Two.", Duration::from_secs(660)));
    let second = &last.words[1];
    assert!((590_500..591_000).contains(&second.start.as_millis()), "{second:?}");
    assert_eq!(second.end, last.duration);
    let sizes: Vec<_> = server.requests.lock().unwrap().iter().map(String::len).collect();
    assert!(sizes.len() == 2 && sizes[0] < 25_000_000 && sizes[0] + sizes[1] > 660 * 32_000, "{sizes:?}");
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    for (status, kind) in REFUSALS {
        let server = refusing(status).await;
        let heard = hear(&ears("whisper-1", config(&server.base_url))).await.unwrap();
        is_refusal(heard[0].as_ref().unwrap_err(), status, kind, "openai/whisper-1");
    }
    for (base_url, key, kind) in [
        ("http://127.0.0.1:1/v1", KEY, ErrorKind::Unavailable),
        ("nonsense", KEY, ErrorKind::Rejected),
        ("http://127.0.0.1:1/v1", "line\nbreak", ErrorKind::Unauthorized),
    ] {
        let config = Config { key: Some(key.into()), ..config(base_url) };
        let failed = match hear(&ears("whisper-1", config)).await {
            Ok(heard) => heard[0].clone().unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(failed.kind, kind, "{base_url}");
    }
}

#[tokio::test]
async fn broken_answers_end_in_one_error_of_the_protocol() {
    let delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Go\"}\n\n";
    for (what, steps) in [
        ("garbage", events(format!("{delta}data: <garbage>\n\n"))),
        ("an end in the midst", events(delta)),
        ("nothing", events("")),
        ("a line without end", events(vec![b'x'; 2 << 20])),
        ("a page", answer("200 OK", "content-type: text/html\r\n", "<html></html>")),
        ("other JSON", json("[1]")),
        ("no text", json("{\"words\":[]}")),
    ] {
        let server = Server::start(vec![steps]).await;
        let heard = hear(&ears("gpt-4o-transcribe", config(&server.base_url))).await.unwrap();
        let error = heard.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol, "{what}: {error}");
    }
}

#[tokio::test]
async fn a_reset_after_any_event_is_one_error_or_was_no_loss() {
    let ends: Vec<_> = STREAMED.match_indices("\n\n").map(|(at, _)| at + 2).collect();
    for (count, end) in ends.iter().enumerate() {
        let server = Server::start(vec![[events(&STREAMED[..*end]), vec![Step::Reset]].concat()]).await;
        let heard = hear(&ears("gpt-4o-transcribe", config(&server.base_url))).await.unwrap();
        match heard.last().unwrap() {
            Ok(_) => assert_eq!(count + 1, ends.len()),
            Err(error) => assert_eq!((error.kind, heard.len()), (ErrorKind::Unavailable, count + 2), "{error}"),
        }
    }
}

#[tokio::test]
async fn dropping_a_transcription_hangs_up() {
    for begun in [Vec::new(), events("data: {\"type\":\"transcript.text.delta\",\"delta\":\"Go\"}\n\n")] {
        let waits = begun.is_empty();
        let mut server = Server::start(vec![[begun, vec![Step::Hang]].concat()]).await;
        let ears = ears("gpt-4o-transcribe", config(&server.base_url));
        let mut heard = ears.transcribe(options(), stream::iter(utterance()).boxed()).await.unwrap();
        let first = timeout(Duration::from_millis(if waits { 300 } else { 20_000 }), heard.next()).await;
        assert_eq!(first.is_err(), waits);
        drop(heard);
        assert!(timeout(PROMPT, server.left.recv()).await.is_ok(), "still there after 50 ms");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_let_go() {
    let bound = Duration::from_millis(150);
    let timeouts = Timeouts { open: bound, first: bound, idle: bound };
    for steps in [vec![Step::Hang], [events(""), vec![Step::Drip]].concat()] {
        let mut server = Server::start(vec![steps]).await;
        let ears = Arc::new(ears("gpt-4o-transcribe", config(&server.base_url)));
        let timed = Timed::<dyn providers::SpeechToText>::new("slow", timeouts, ears);
        let audio = stream::iter(utterance()).boxed();
        let heard: Heard = soon(timed.transcribe(options(), audio).await.unwrap().collect()).await;
        assert_eq!(heard.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Timeout);
        soon(server.left.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn sound_is_taken_as_fast_as_it_comes_and_no_more_than_is_bounded() {
    let server = Server::start(vec![vec![Step::Hang]]).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let endless = stream::repeat(Frame::SILENCE).inspect(move |_| _ = count.fetch_add(1, Ordering::Relaxed)).boxed();
    let ears = ears("whisper-1", config(&server.base_url));
    let mut heard = ears.transcribe(options(), endless).await.unwrap();
    let mut before = usize::MAX;
    while before != taken.load(Ordering::Relaxed) {
        before = taken.load(Ordering::Relaxed);
        assert!(timeout(Duration::from_millis(200), heard.next()).await.is_err());
    }
    assert!((60_000..=91_000).contains(&before), "{before} frames: one part is sent, one waits, one is refused");
}
