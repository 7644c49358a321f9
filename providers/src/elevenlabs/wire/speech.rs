//! Messages of the multi-context speech socket.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{Fault, told};
use crate::{ErrorKind, elevenlabs::Config};

/// One message of the vendor.
#[derive(PartialEq, Debug)]
pub(in crate::elevenlabs) enum Message {
    /// Some of a context's speech.
    Chunk(Chunk),
    /// The speech cannot go on.
    Refused(Fault),
}

/// Some of a context's speech; all of it may be absent.
#[derive(PartialEq, Debug, Default)]
pub(in crate::elevenlabs) struct Chunk {
    /// Whose.
    pub(in crate::elevenlabs) context: Option<String>,
    /// PCM16, little endian; a sample may be cut between two chunks.
    pub(in crate::elevenlabs) sound: Vec<u8>,
    /// When characters are spoken.
    pub(in crate::elevenlabs) times: Option<Times>,
    /// Nothing follows in this context.
    pub(in crate::elevenlabs) last: bool,
}

/// When characters are spoken, in milliseconds; the three lists are of the same length.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub(in crate::elevenlabs) struct Times {
    /// A character each, rarely more.
    pub(in crate::elevenlabs) chars: Vec<String>,
    /// Begins.
    #[serde(rename = "charStartTimesMs", alias = "charsStartTimesMs")]
    pub(in crate::elevenlabs) starts: Vec<f64>,
    /// Lengths.
    #[serde(rename = "charDurationsMs", alias = "charsDurationsMs")]
    pub(in crate::elevenlabs) lengths: Vec<f64>,
}

/// Reads one message. Both spellings of names occur.
///
/// # Errors
///
/// Why it is none.
pub(in crate::elevenlabs) fn read(text: &str) -> Result<Message, String> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| format!("unreadable message: {error}"))?;
    if let Some(error) = raw.error.filter(|error| !matches!(error, Value::Null | Value::Bool(false))) {
        let word = error.as_str().or_else(|| error.get("code")?.as_str()).unwrap_or("error");
        let message = raw.message.as_deref().or_else(|| error.get("message")?.as_str()).unwrap_or_default();
        return Ok(Message::Refused(told(word, message)));
    }
    let sound = BASE64_STANDARD.decode(raw.audio.unwrap_or_default().trim_end());
    Ok(Message::Chunk(Chunk {
        context: raw.context.or(raw.context_snake),
        sound: sound.map_err(|error| format!("unreadable sound: {error}"))?,
        times: raw.alignment.or(raw.normalized).and_then(|times| serde_json::from_value(times).ok()).filter(Times::fit),
        last: raw.last.or(raw.last_snake).unwrap_or(false),
    }))
}

/// Opens a context: a blank, with which the vendor wants its settings.
pub(in crate::elevenlabs) fn open(context: &str, config: &Config, speed: f32) -> String {
    let mut settings = json!({"speed": hundredths(config.pace(speed))});
    let shares =
        [("stability", config.stability), ("similarity_boost", config.similarity_boost), ("style", config.style)];
    for (name, share) in shares {
        if let Some(share) = share {
            settings[name] = hundredths(share).into();
        }
    }
    if let Some(boost) = config.use_speaker_boost {
        settings["use_speaker_boost"] = boost.into();
    }
    json!({"text": " ", "voice_settings": settings, "context_id": context}).to_string()
}

/// All of a context's text. The vendor wants a blank behind it.
pub(in crate::elevenlabs) fn say(context: &str, text: &str) -> String {
    json!({"text": format!("{text} "), "context_id": context, "flush": true}).to_string()
}

/// No more text will come: what is flushed is spoken to its end, then [`Chunk::last`] comes.
pub(in crate::elevenlabs) fn close(context: &str) -> String {
    json!({"context_id": context, "close_context": true}).to_string()
}

/// Keeps the socket open while no context is.
pub(in crate::elevenlabs) const ALIVE: &str = r#"{"text":""}"#;

impl Times {
    fn fit(&self) -> bool {
        self.chars.len() == self.starts.len() && self.chars.len() == self.lengths.len()
    }
}

/// Floats of 32 bits print with digits nobody asked for.
fn hundredths(value: f32) -> f64 {
    (f64::from(value) * 100.0).round() / 100.0
}

impl Fault {
    /// The vendor broke its own protocol.
    pub(in crate::elevenlabs) const fn broken(detail: String) -> Self {
        Self { kind: ErrorKind::Protocol, detail }
    }
}

#[derive(Deserialize)]
struct Raw {
    audio: Option<String>,
    alignment: Option<Value>,
    #[serde(rename = "normalizedAlignment")]
    normalized: Option<Value>,
    #[serde(rename = "isFinal")]
    last: Option<bool>,
    #[serde(rename = "is_final")]
    last_snake: Option<bool>,
    #[serde(rename = "contextId")]
    context: Option<String>,
    #[serde(rename = "context_id")]
    context_snake: Option<String>,
    error: Option<Value>,
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_read_in_both_spellings() {
        let text = r#"{"audio":"AQID","isFinal":null,"contextId":"c","normalizedAlignment":null,
            "alignment":{"chars":["H","i"],"charStartTimesMs":[0,46],"charDurationsMs":[46,35]}}"#;
        let Ok(Message::Chunk(chunk)) = read(text) else { panic!() };
        assert_eq!((chunk.context.as_deref(), &chunk.sound[..], chunk.last), (Some("c"), &[1, 2, 3][..], false));
        assert_eq!(chunk.times.unwrap().starts, [0.0, 46.0]);
        let snake = r#"{"is_final":true,"context_id":"c","contextId":"c"}"#;
        let expected = Chunk { context: Some("c".into()), last: true, ..Chunk::default() };
        assert_eq!(read(snake), Ok(Message::Chunk(expected)));
        assert_eq!(read(r#"{"type":"flush_done"}"#), Ok(Message::Chunk(Chunk::default())));
    }

    #[test]
    fn times_that_do_not_fit_are_left_out() {
        let text = r#"{"audio":"","alignment":{"chars":["H","i"],"charStartTimesMs":[0],"charDurationsMs":[46]}}"#;
        assert_eq!(read(text), Ok(Message::Chunk(Chunk::default())));
    }

    #[test]
    fn errors_in_the_stream_are_told() {
        let text = r#"{"message":"This request exceeds your quota.","error":"quota_exceeded","code":1008}"#;
        let fault = Fault {
            kind: ErrorKind::RateLimited,
            detail: "quota_exceeded: This request exceeds your quota.".to_owned(),
        };
        assert_eq!(read(text), Ok(Message::Refused(fault)));
        assert!(read("<html>").is_err() && read(r#"{"audio":"%"}"#).is_err() && read("[]").is_err());
    }

    #[test]
    fn requests_are_as_documented() {
        let config = Config { stability: Some(0.4), use_speaker_boost: Some(false), ..Config::default() };
        let open: Value = serde_json::from_str(&open("c", &config, 1.1)).unwrap();
        let settings = json!({"stability": 0.4, "speed": 1.1, "use_speaker_boost": false});
        assert_eq!(open, json!({"text": " ", "context_id": "c", "voice_settings": settings}));
        let say: Value = serde_json::from_str(&say("c", "Say \"hi\".")).unwrap();
        assert_eq!(say, json!({"text": "Say \"hi\". ", "context_id": "c", "flush": true}));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = read(&text);
        }
    }
}
