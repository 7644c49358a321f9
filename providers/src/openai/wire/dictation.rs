//! `{base}/realtime?intent=transcription`: speech as it is spoken.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Hints, language, recording::Detected, spoken};
use crate::{
    ErrorKind,
    net::{events::Broken, pcm, refusal::plain},
    openai::{Config, chat::refused},
    stt::SttOptions,
};

/// Says what is to be transcribed. The caller tells when an utterance ends, so the server detects no turns.
pub(in crate::openai) fn configure(model: &str, config: &Config, options: &SttOptions) -> String {
    let hints = Hints::of(model);
    let mut transcription = Map::from_iter([("model".to_owned(), model.into())]);
    let expected = language::expected(options.language.as_deref(), config);
    if hints.languages && !expected.is_empty() {
        transcription.insert("languages".to_owned(), expected.into());
    } else if let Some(only) = language::only(&expected) {
        transcription.insert("language".to_owned(), only.clone().into());
    }
    if let Some(prompt) = options.prompt.as_deref().filter(|prompt| hints.prompt && !prompt.trim().is_empty()) {
        transcription.insert("prompt".to_owned(), prompt.into());
    }
    if let Some(delay) = config.delay {
        transcription.insert("delay".to_owned(), delay.name().into());
    }
    let mut input = json!({
        "format": {"type": "audio/pcm", "rate": 24_000},
        "transcription": transcription,
        "turn_detection": null,
    });
    if let Some(reduction) = config.noise_reduction {
        input["noise_reduction"] = json!({"type": reduction.name()});
    }
    json!({"type": "session.update", "session": {"type": "transcription", "audio": {"input": input}}}).to_string()
}

/// Samples at 24 kHz, after those sent before.
pub(in crate::openai) fn append(samples: &[i16]) -> String {
    let mut bytes = Vec::with_capacity(samples.len() * 2);
    pcm::bytes(samples, &mut bytes);
    format!(r#"{{"type":"input_audio_buffer.append","audio":"{}"}}"#, BASE64_STANDARD.encode(bytes))
}

/// The utterance has ended.
pub(in crate::openai) const COMMIT: &str = r#"{"type":"input_audio_buffer.commit"}"#;

/// What the server says. Every utterance is an item; a server that ends utterances by its own ear makes several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::openai) enum Heard {
    /// More words of an item.
    Words { item: String, delta: String },
    /// All words of an item.
    Settled { item: String, text: String, language: Option<String> },
    /// The server ends an item by its own ear, and commits it next.
    Stopped { item: String },
    /// An item has its sound.
    Committed { item: String },
    /// There was no sound to commit.
    Nothing,
    /// Nothing of interest.
    Other,
}

/// Reads one message.
///
/// # Errors
///
/// What the server complains about, or that the message is broken.
pub(in crate::openai) fn read(text: &str) -> Result<Heard, Broken> {
    let event: Event = serde_json::from_str(text).map_err(|error| Broken::unreadable(&error))?;
    let item = event.item_id.unwrap_or_default();
    Ok(match event.kind.as_str() {
        "conversation.item.input_audio_transcription.delta" => {
            Heard::Words { item, delta: event.delta.unwrap_or_default() }
        }
        "conversation.item.input_audio_transcription.completed" => {
            let text = event.transcript.ok_or_else(|| Broken::protocol("a completed transcript has no text"))?;
            let language = event.languages.into_iter().flatten().next().and_then(|found| spoken(&found.code));
            Heard::Settled { item, text, language }
        }
        "conversation.item.input_audio_transcription.failed" => return Err(refused(&event.error.unwrap_or_default())),
        "input_audio_buffer.speech_stopped" => Heard::Stopped { item },
        "input_audio_buffer.committed" => Heard::Committed { item },
        "error" => {
            let error = event.error.unwrap_or_default();
            if error.get("code").and_then(Value::as_str) == Some("input_audio_buffer_commit_empty") {
                return Ok(Heard::Nothing);
            }
            return Err(refused(&error));
        }
        _ => Heard::Other,
    })
}

/// What a goodbye means while something is owed.
pub(in crate::openai) fn goodbye(code: u16, reason: &str) -> Broken {
    let has = |word: &str| reason.contains(word);
    let kind = match code {
        _ if has("invalid_api_key") || has("authentication") => ErrorKind::Unauthorized,
        _ if has("rate_limit") || has("insufficient_quota") => ErrorKind::RateLimited,
        3000 | 3003 => ErrorKind::Unauthorized,
        1003 | 1007 | 1008 | 1009 | 4000..=4999 => ErrorKind::Rejected,
        _ => ErrorKind::Unavailable,
    };
    Broken { kind, detail: format!("closed early with code {code}: {}", plain(reason)) }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    item_id: Option<String>,
    delta: Option<String>,
    transcript: Option<String>,
    languages: Option<Vec<Detected>>,
    error: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::{Delay, NoiseReduction};

    fn asked(model: &str, config: &Config) -> Value {
        let options =
            SttOptions { language: Some("en-GB".into()), prompt: Some("Quixal".into()), ..SttOptions::default() };
        let message: Value = serde_json::from_str(&configure(model, config, &options)).unwrap();
        assert_eq!(
            (&message["type"], &message["session"]["type"]),
            (&json!("session.update"), &json!("transcription"))
        );
        message["session"]["audio"]["input"].clone()
    }

    #[test]
    fn each_model_is_told_what_it_understands() {
        let plain = Config::default();
        let input = asked("gpt-live-transcribe", &plain);
        let expected = json!({"model": "gpt-live-transcribe", "languages": ["en"], "prompt": "Quixal"});
        assert_eq!(input["transcription"], expected);
        assert_eq!(input["turn_detection"], Value::Null);
        assert!(input.as_object().unwrap().contains_key("turn_detection"), "null turns detection off");
        let config =
            Config { delay: Some(Delay::Low), noise_reduction: Some(NoiseReduction::FarField), ..Config::default() };
        let input = asked("gpt-realtime-whisper", &config);
        let expected = json!({"model": "gpt-realtime-whisper", "language": "en", "delay": "low"});
        assert_eq!(input["transcription"], expected);
        assert_eq!(input["noise_reduction"], json!({"type": "far_field"}));
        assert_eq!(append(&[1, -1]), r#"{"type":"input_audio_buffer.append","audio":"AQD//w=="}"#);
    }

    #[test]
    fn every_kind_of_message_is_known_or_passed_over() {
        let item = || "item_1".to_owned();
        for (text, expected) in [
            (
                r#"{"type":"conversation.item.input_audio_transcription.delta","item_id":"item_1","content_index":0,"delta":"Hel"}"#,
                Heard::Words { item: item(), delta: "Hel".into() },
            ),
            (
                r#"{"type":"conversation.item.input_audio_transcription.completed","item_id":"item_1","content_index":0,
                "transcript":"Hola","languages":[{"code":"es"}],"usage":{"type":"duration","seconds":1.26}}"#,
                Heard::Settled { item: item(), text: "Hola".into(), language: Some("es".into()) },
            ),
            (
                r#"{"type":"input_audio_buffer.committed","previous_item_id":null,"item_id":"item_1"}"#,
                Heard::Committed { item: item() },
            ),
            (
                r#"{"type":"error","error":{"type":"invalid_request_error","code":"input_audio_buffer_commit_empty","message":"x"}}"#,
                Heard::Nothing,
            ),
            (r#"{"type":"session.created","session":{"type":"transcription"}}"#, Heard::Other),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for (text, kind) in [
            ("{", ErrorKind::Protocol),
            ("[]", ErrorKind::Protocol),
            (r#"{"type":"conversation.item.input_audio_transcription.completed","item_id":"i"}"#, ErrorKind::Protocol),
            (
                r#"{"type":"error","error":{"type":"invalid_request_error","code":"invalid_api_key","message":"bad"}}"#,
                ErrorKind::Unauthorized,
            ),
            (
                r#"{"type":"conversation.item.input_audio_transcription.failed","error":{"type":"server_error"}}"#,
                ErrorKind::Unavailable,
            ),
        ] {
            assert_eq!(read(text).unwrap_err().kind, kind, "{text}");
        }
        for (code, reason, kind) in [
            (3000, "invalid_request_error.invalid_api_key", ErrorKind::Unauthorized),
            (4000, "invalid_request_error.invalid_model", ErrorKind::Rejected),
            (1001, "session_expired", ErrorKind::Unavailable),
            (1000, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(goodbye(code, reason).kind, kind, "{code}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = read(&text);
        }
    }
}
