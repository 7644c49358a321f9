//! Recordings transcribed and text spoken, in every format and against every wrong input.

use std::{sync::Arc, time::Duration};

use audio::SampleRate;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::StreamExt;
use providers::scripted::{self, Fault, Faults, Length};
use reqwest::{
    Method, StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::server::{Answer, Server};

/// `seconds` of a quiet tone as a WAV file at 8 kHz.
fn recording(seconds: usize) -> Vec<u8> {
    let samples = (0..8_000 * seconds).map(|n| ((n % 40) as i16 - 20) * 100).collect();
    audio::wav::write(&audio::Clip::new(SampleRate::HZ_8000, samples), audio::Encoding::Pcm16)
}

fn form(fields: &[(&'static str, &'static str)]) -> Form {
    let file = Part::bytes(recording(2)).file_name("speech.wav");
    let form = Form::new().part("file", file).text("model", "whisper-1");
    fields.iter().fold(form, |form, (name, value)| form.text(*name, *value))
}

async fn transcribe(server: &Server, form: Form) -> Answer {
    Answer::of(server.request(Method::POST, "/v1/audio/transcriptions").multipart(form)).await
}

/// A relay whose ears hear `text`, with partial transcripts each half second.
async fn hearing(text: &str) -> Server {
    let script = scripted::SttScript {
        texts: vec![text.to_owned()],
        partials: Some(Duration::from_millis(500)),
        ..scripted::SttScript::default()
    };
    Server::with(|context| context.providers.stt = Arc::new(scripted::SpeechToText::new(script))).await
}

#[tokio::test]
async fn every_format_of_a_transcript_that_can_be_given_is() {
    let server = hearing("").await;
    let answer = transcribe(&server, form(&[])).await;
    assert_eq!(answer.body, json!({"text": "", "usage": {"type": "duration", "seconds": 2}}));
    for (format, expected) in [("json", Value::Null), ("text", json!("one two three\n"))] {
        let server = hearing("one two three").await;
        let answer =
            transcribe(&server, form(&[("response_format", format), ("language", "en"), ("prompt", "x")])).await;
        assert_eq!(answer.status, StatusCode::OK);
        if !expected.is_null() {
            assert_eq!(answer.body, expected);
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        }
    }
    for (format, begin) in [("srt", "1\n00:00:00,000 --> 00:00:0"), ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:0")] {
        let answer = transcribe(&hearing("one two three").await, form(&[("response_format", format)])).await;
        assert!(answer.body.as_str().unwrap().starts_with(begin), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_verbose_transcript_has_every_field_that_strict_clients_read() {
    let server = hearing("one two three").await;
    let words = [("response_format", "verbose_json"), ("timestamp_granularities[]", "word"), ("language", "en")];
    let body = transcribe(&server, form(&words)).await.body;
    assert_eq!(
        (&body["task"], &body["language"], &body["text"]),
        (&json!("transcribe"), &json!("en"), &json!("one two three"))
    );
    assert_eq!(body["duration"], 2.0);
    for (index, segment) in body["segments"].as_array().unwrap().iter().enumerate() {
        assert_eq!(segment["id"], index);
        for number in ["start", "end", "seek", "temperature", "avg_logprob", "compression_ratio", "no_speech_prob"] {
            assert!(segment[number].is_number(), "{number}");
        }
        assert!(segment["text"].is_string() && segment["tokens"].is_array());
    }
    let words = body["words"].as_array().unwrap();
    assert_eq!(words.len(), 3);
    assert!(words.iter().all(|word| word["word"].is_string() && word["start"].as_f64() <= word["end"].as_f64()));
}

#[tokio::test]
async fn a_streamed_transcript_is_deltas_that_join_to_the_whole() {
    let server = hearing("one two three four").await;
    let answer = transcribe(&server, form(&[("stream", "true")])).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let events = events(answer.body.as_str().unwrap());
    let (done, deltas) = events.split_last().unwrap();
    assert_eq!(done["type"], "transcript.text.done");
    assert_eq!(done["text"], "one two three four");
    assert!(deltas.len() > 1, "{deltas:?}");
    let joined: String = deltas.iter().map(|delta| delta["delta"].as_str().unwrap()).collect();
    assert_eq!(joined, "one two three four");
}

fn events(text: &str) -> Vec<Value> {
    text.split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn what_cannot_be_asked_of_a_recording_is_refused_by_name() {
    let server = Server::start().await;
    for (field, value, param) in [
        ("response_format", "diarized_json", "response_format"),
        ("language", "english", "language"),
        ("temperature", "2", "temperature"),
        ("temperature", "warm", "temperature"),
        ("timestamp_granularities[]", "syllable", "timestamp_granularities"),
        ("timestamp_granularities[]", "word", "timestamp_granularities"),
        ("stream", "maybe", "stream"),
        ("include[]", "logprobs", "include[]"),
        ("known_speaker_names[]", "ann", "known_speaker_names[]"),
    ] {
        let answer = transcribe(&server, form(&[(field, value)])).await;
        assert_eq!(answer.openai(400).1, param, "{field}={value}");
    }
    let streamed = transcribe(&server, form(&[("stream", "true"), ("response_format", "srt")])).await;
    assert_eq!(streamed.openai(400).1, "response_format");
    let file =
        |bytes: Vec<u8>| Form::new().text("model", "whisper-1").part("file", Part::bytes(bytes).file_name("a.wav"));
    for (form, code, param) in [
        (Form::new().text("model", "whisper-1"), "missing_required_parameter", "file"),
        (file(Vec::new()), "missing_required_parameter", "file"),
        (file(b"this is text, not sound".to_vec()), "invalid_audio", "file"),
        (file(recording(1)[..30].to_vec()), "invalid_audio", "file"),
        (file(recording(1)).part("file", Part::bytes(recording(1))), "invalid_value", "file"),
        (Form::new().part("file", Part::bytes(recording(1))), "missing_required_parameter", "model"),
    ] {
        assert_eq!(transcribe(&server, form).await.openai(400), (code.into(), param.into()));
    }
    let unknown = Form::new().text("model", "tts-1").part("file", Part::bytes(recording(1)));
    assert_eq!(transcribe(&server, unknown).await.openai(404).0, "model_not_found");
    let post = || server.request(Method::POST, "/v1/audio/transcriptions");
    assert_eq!(Answer::of(post().json(&json!({}))).await.openai(400).0, "invalid_multipart");
    let cut = post()
        .header("content-type", "multipart/form-data; boundary=x")
        .body("--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\nabc");
    assert_eq!(Answer::of(cut).await.openai(400).0, "invalid_multipart");
}

#[tokio::test]
async fn an_upload_beyond_25_mb_is_refused_while_it_comes() {
    let server = Server::start().await;
    let chunks = futures_util::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![0; 1 << 20])));
    let part = Part::stream(reqwest::Body::wrap_stream(chunks)).file_name("long.wav");
    let answer = transcribe(&server, Form::new().text("model", "whisper-1").part("file", part)).await;
    assert_eq!(answer.openai(413), ("payload_too_large".into(), "file".into()));
    let many = (0..1_000).fold(Form::new(), |form, n| form.text(format!("field{n}"), "x"));
    assert_eq!(transcribe(&server, many).await.openai(413).0, "payload_too_large");
    let long = Form::new().text("prompt", "x".repeat(100 << 10));
    assert_eq!(transcribe(&server, long).await.openai(413), ("payload_too_large".into(), "prompt".into()));
}

#[tokio::test]
async fn an_upload_without_a_credential_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let (sent, mut polled) = tokio::sync::mpsc::unbounded_channel();
    let chunks = futures_util::stream::iter((0..400).map(move |_| {
        sent.send(()).unwrap();
        Ok::<_, std::io::Error>(vec![0; 1 << 20])
    }));
    let part = Part::stream(reqwest::Body::wrap_stream(chunks)).file_name("long.wav");
    let request = server.bare(Method::POST, "/v1/audio/transcriptions").multipart(Form::new().part("file", part));
    // The client may see its broken upload before the answer; what counts is that nobody read it.
    if let Ok(response) = request.send().await {
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let mut read = 0;
    while polled.try_recv().is_ok() {
        read += 1;
    }
    assert!(read < 40, "{read} of 400 MiB were taken");
}

#[tokio::test]
async fn a_failing_provider_is_told_without_its_inside() {
    use providers::ErrorKind;
    for (fault, status, code) in [
        (Fault::Refuse(ErrorKind::Unavailable), 503, "provider_unavailable"),
        (Fault::Refuse(ErrorKind::RateLimited), 429, "rate_limit_exceeded"),
        (Fault::Refuse(ErrorKind::Rejected), 400, "rejected_input"),
        (Fault::Refuse(ErrorKind::Unauthorized), 502, "provider_failed"),
        (Fault::Break { after: 0, kind: ErrorKind::Timeout }, 504, "provider_timeout"),
    ] {
        let ears = scripted::SttScript { faults: Faults::always(fault), ..scripted::SttScript::default() };
        let voice = scripted::TtsScript { faults: Faults::always(fault), ..scripted::TtsScript::default() };
        let server = Server::with(|context| {
            context.providers.stt = Arc::new(scripted::SpeechToText::new(ears));
            context.providers.tts = Arc::new(scripted::TextToSpeech::new(voice));
        })
        .await;
        let heard = transcribe(&server, form(&[])).await;
        let spoken = server.post("/v1/audio/speech", json!({"model": "tts-1", "input": "hi"})).await;
        for answer in [heard, spoken] {
            assert_eq!(answer.openai(status).0, code);
            assert!(!answer.body.to_string().contains("scripted"), "{}", answer.body);
            assert_eq!(answer.header("retry-after") == "1", status == 429);
        }
    }
    let vanishes =
        scripted::SttScript { faults: Faults::always(Fault::Vanish { after: 0 }), ..scripted::SttScript::default() };
    let server = Server::with(|context| context.providers.stt = Arc::new(scripted::SpeechToText::new(vanishes))).await;
    assert_eq!(transcribe(&server, form(&[])).await.openai(502).0, "provider_failed");
}

#[tokio::test]
async fn speech_that_breaks_off_cannot_be_taken_for_the_whole() {
    let faults = Faults::always(Fault::Break { after: 2, kind: providers::ErrorKind::Unavailable });
    let voice = scripted::TtsScript { faults, ..scripted::TtsScript::default() };
    let server = Server::with(|context| context.providers.tts = Arc::new(scripted::TextToSpeech::new(voice))).await;
    for stream_format in ["audio", "sse"] {
        let body = json!({"model": "tts-1", "input": "a longer sentence", "stream_format": stream_format});
        let sent = server.request(Method::POST, "/v1/audio/speech").json(&body).send().await;
        // When the break is already known as the headers go out, the server cuts the connection before them.
        if let Ok(response) = sent {
            assert!(response.bytes().await.is_err(), "{stream_format}");
        }
    }
}

#[tokio::test]
async fn real_files_of_every_kind_we_decode_are_heard() {
    let server = Server::start().await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("audio/tests/media");
    for name in ["ten.mp3", "ten.m4a", "ten.ogg", "ten.flac", "ten-opus.ogg", "ten-opus.webm"] {
        let part = Part::bytes(std::fs::read(folder.join(name)).unwrap()).file_name(name);
        let answer = transcribe(&server, Form::new().part("file", part).text("model", "whisper-1")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_relays_own_route_says_what_when_and_in_which_language() {
    let server = hearing("ten of clubs").await;
    let hear = async |form: Form| Answer::of(server.request(Method::POST, "/voice/transcribe").multipart(form)).await;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("audio/tests/media");
    let part = || Part::bytes(std::fs::read(folder.join("ten-opus.webm")).unwrap()).file_name("a.webm");
    let heard = hear(Form::new().part("audio", part()).text("language", "en").text("provider", "scripted")).await;
    assert_eq!(heard.status, StatusCode::OK, "{}", heard.body);
    assert_eq!((&heard.body["text"], &heard.body["language"]), (&json!("ten of clubs"), &json!("en")));
    assert!(heard.body["duration"].as_f64().unwrap() > 0.5 && heard.body["segments"].is_array(), "{}", heard.body);
    for (form, code, field) in [
        (Form::new().part("file", part()), "unknown_parameter", "file"),
        (Form::new().text("language", "en"), "missing_required_parameter", "audio"),
        (Form::new().part("audio", part()).text("provider", "nobody"), "invalid_value", "provider"),
        (Form::new().part("audio", part()).text("language", "12"), "invalid_value", "language"),
        (Form::new().part("audio", Part::bytes(vec![7; 100])), "invalid_audio", "audio"),
    ] {
        assert_eq!(hear(form).await.problem(422), (code.to_owned(), field.to_owned()));
    }
}

async fn speak(server: &Server, body: Value) -> (StatusCode, String, Vec<u8>) {
    let response = server.request(Method::POST, "/v1/audio/speech").json(&body).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status(), kind, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn speech_is_wav_unless_pcm_is_asked_for() {
    let server = Server::start().await;
    let words = "One sentence. And another one.";
    let (status, kind, pcm) =
        speak(&server, json!({"model": "tts-1", "input": words, "voice": "alloy", "response_format": "pcm"})).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "audio/pcm"));
    // 60 ms a character at 24 kHz, two bytes a sample; the space between the sentences is not spoken.
    assert_eq!(pcm.len(), (words.len() - 1) * 60 * 24 * 2);
    for format in [json!(null), json!("wav")] {
        let body = json!({"model": "gpt-4o-mini-tts", "input": words, "voice": {"id": "x"}, "response_format": format, "instructions": ""});
        let (status, kind, wav) = speak(&server, body).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "audio/wav"));
        let clip = audio::wav::read(&wav).unwrap();
        assert_eq!(clip.rate, SampleRate::HZ_24000);
        let (_, samples) = wav.split_at(wav.len() - pcm.len());
        assert_eq!(samples, pcm);
    }
}

#[tokio::test]
async fn a_voice_at_another_rate_is_converted_whole_and_speed_counts() {
    let script = scripted::TtsScript {
        rate: SampleRate::HZ_16000,
        length: Length::Fixed(Duration::from_secs(1)),
        ..scripted::TtsScript::default()
    };
    let server = Server::with(|context| context.providers.tts = Arc::new(scripted::TextToSpeech::new(script))).await;
    for (speed, samples) in [(1.0, 24_000), (2.0, 12_000), (0.25, 96_000)] {
        let body = json!({"model": "tts-1", "input": "hello", "response_format": "pcm", "speed": speed});
        assert_eq!(speak(&server, body).await.2.len(), samples * 2, "at speed {speed}");
    }
}

#[tokio::test]
async fn speech_as_events_carries_the_same_bytes() {
    let server = Server::start().await;
    let body = json!({"model": "tts-1", "input": "Hello there.", "voice": "alloy", "response_format": "pcm"});
    let (_, _, pcm) = speak(&server, body.clone()).await;
    let mut streamed = body;
    streamed["stream_format"] = json!("sse");
    let (_, kind, text) = speak(&server, streamed).await;
    assert_eq!(kind, "text/event-stream");
    let events = events(std::str::from_utf8(&text).unwrap());
    let (done, deltas) = events.split_last().unwrap();
    assert_eq!(done["type"], "speech.audio.done");
    assert!(done["usage"]["total_tokens"].is_number());
    let joined: Vec<u8> =
        deltas.iter().flat_map(|event| BASE64_STANDARD.decode(event["audio"].as_str().unwrap()).unwrap()).collect();
    assert_eq!(joined, pcm);
    assert!(deltas.iter().all(|event| event["type"] == "speech.audio.delta"));
}

#[tokio::test]
async fn speech_comes_as_it_is_made() {
    // The second chunk would take an hour: the first must not wait for it.
    let script = scripted::TtsScript { pace: Duration::from_secs(3_600), ..scripted::TtsScript::default() };
    let server = Server::with(|context| context.providers.tts = Arc::new(scripted::TextToSpeech::new(script))).await;
    let body = json!({"model": "tts-1", "input": "Hello there.", "response_format": "pcm"});
    let response = server.request(Method::POST, "/v1/audio/speech").json(&body).send().await.unwrap();
    let first = response.bytes_stream().next().await.unwrap().unwrap();
    assert_eq!(first.len(), 4_800, "one chunk of 100 ms");
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_by_name() {
    let server = Server::start().await;
    let base = json!({"model": "tts-1", "input": "hi", "voice": "alloy"});
    for (field, value) in [
        ("response_format", json!("aac")),
        ("response_format", json!("flac")),
        ("response_format", json!(7)),
        ("stream_format", json!("chunks")),
        ("speed", json!(0.1)),
        ("speed", json!(4.5)),
        ("speed", json!("fast")),
        ("input", json!("")),
        ("input", json!("  \n")),
        ("input", json!("x".repeat(4_097))),
        ("input", json!(null)),
        ("voice", json!("")),
        ("voice", json!("v".repeat(257))),
        ("emotion", json!("happy")),
    ] {
        let mut body = base.clone();
        body[field] = value.clone();
        let answer = server.post("/v1/audio/speech", body).await;
        assert_eq!(answer.openai(400).1, field, "{field}: {value}");
    }
    let aac = server.post("/v1/audio/speech", json!({"model": "tts-1", "input": "hi", "response_format": "aac"})).await;
    assert_eq!(aac.openai(400).0, "unsupported_format");
    let message = aac.body["error"]["message"].as_str().unwrap();
    assert!(["`wav` and `pcm`", "`opus`", "`mp3`"].iter().all(|format| message.contains(format)), "{message}");
    let missing = server.post("/v1/audio/speech", json!({"input": "hi", "voice": "alloy"})).await;
    assert_eq!(missing.openai(400), ("missing_required_parameter".into(), "model".into()));
    let unknown = server.post("/v1/audio/speech", json!({"model": "gpt-realtime-whisper", "input": "hi"})).await;
    assert_eq!(unknown.openai(404).0, "model_not_found");
    let longest = json!({"model": "tts-1", "input": "ü".repeat(4_096), "response_format": "pcm"});
    assert_eq!(speak(&server, longest).await.0, StatusCode::OK);
}

#[tokio::test]
async fn instructions_that_no_voice_follows_are_named_in_the_answer() {
    let server = Server::start().await;
    let body = json!({"model": "tts-1", "input": "hi", "instructions": "whisper"});
    let answer = Answer::of(server.request(Method::POST, "/v1/audio/speech").json(&body)).await;
    assert_eq!((answer.status, answer.header("x-ignored")), (StatusCode::OK, "instructions"));
}
