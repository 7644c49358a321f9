//! Messages of Scribe's realtime transcription.

use audio::Frame;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{Fault, kind_of, told};
use crate::net::pcm;

/// One message of the vendor.
#[derive(PartialEq, Debug)]
pub(in crate::elevenlabs) enum Message {
    /// What is heard of the part not yet committed.
    Partial(String),
    /// A part is committed.
    Committed(String),
    /// The same part once more, with more about it.
    Detailed(Detailed),
    /// A commit was passed over, since next to nothing was left to commit.
    Throttled,
    /// The transcription cannot go on.
    Refused(Fault),
    /// Nothing that matters here: the session's settings, kinds yet unknown.
    Other,
}

/// A committed part.
#[derive(PartialEq, Debug, Default)]
pub(in crate::elevenlabs) struct Detailed {
    pub(in crate::elevenlabs) text: String,
    pub(in crate::elevenlabs) language: Option<String>,
    /// Words, then begin and end in seconds.
    pub(in crate::elevenlabs) words: Vec<(String, f64, f64)>,
}

/// Reads one message.
///
/// # Errors
///
/// Why it is none.
pub(in crate::elevenlabs) fn read(text: &str) -> Result<Message, String> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| format!("unreadable message: {error}"))?;
    let text = raw.text.unwrap_or_default();
    Ok(match raw.kind.as_str() {
        "partial_transcript" => Message::Partial(text),
        "committed_transcript" => Message::Committed(text),
        "committed_transcript_with_timestamps" => {
            let words = raw.words.into_iter().flatten().filter(|word| word.kind.as_deref() != Some("spacing"));
            let words = words.filter_map(|word| Some((word.text?.trim().to_owned(), word.start?, word.end?)));
            let words = words.filter(|(text, ..)| !text.is_empty()).collect();
            Message::Detailed(Detailed { text, language: raw.language_code, words })
        }
        "commit_throttled" => Message::Throttled,
        kind => match raw.error.filter(|error| !error.is_null()) {
            Some(error) => Message::Refused(told(kind, error.as_str().unwrap_or_default())),
            None if kind.contains("error") || kind_of(kind).is_some() => Message::Refused(told(kind, "")),
            None => Message::Other,
        },
    })
}

/// Sound to be heard. `previous` may go with the first only.
pub(in crate::elevenlabs) fn sound(frames: &[Frame], commit: bool, previous: Option<&str>) -> String {
    let mut bytes = Vec::with_capacity(frames.len() * Frame::SAMPLES * 2);
    frames.iter().for_each(|frame| pcm::bytes(frame.samples(), &mut bytes));
    let mut message = json!({
        "message_type": "input_audio_chunk",
        "audio_base_64": BASE64_STANDARD.encode(bytes),
        "commit": commit,
        "sample_rate": Frame::RATE.hertz(),
    });
    if let Some(previous) = previous {
        message["previous_text"] = previous.into();
    }
    message.to_string()
}

/// A prompt's words and names as key terms: at most fifty, of at most twenty characters.
pub(in crate::elevenlabs) fn keyterms(prompt: &str) -> impl Iterator<Item = &str> {
    let terms = prompt.split([',', ';', '\n']).map(|term| term.trim().trim_end_matches('.'));
    terms.filter(|term| (1..=20).contains(&term.chars().count())).take(50)
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "message_type")]
    kind: String,
    text: Option<String>,
    language_code: Option<String>,
    words: Option<Vec<RawWord>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct RawWord {
    text: Option<String>,
    start: Option<f64>,
    end: Option<f64>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn transcripts_are_read() {
        let partial = r#"{"message_type":"partial_transcript","text":"The first"}"#;
        assert_eq!(read(partial), Ok(Message::Partial("The first".into())));
        let detailed = r#"{"message_type":"committed_transcript_with_timestamps","text":"So go","language_code":"en",
            "words":[{"text":"So","start":0.1,"end":0.3,"type":"word","logprob":-0.1},
            {"text":" ","start":0.3,"end":0.4,"type":"spacing"},{"text":"go","start":0.4,"end":0.6,"type":"word"}]}"#;
        let words = vec![("So".to_owned(), 0.1, 0.3), ("go".to_owned(), 0.4, 0.6)];
        let expected = Detailed { text: "So go".into(), language: Some("en".into()), words };
        assert_eq!(read(detailed), Ok(Message::Detailed(expected)));
        let bare =
            r#"{"message_type":"committed_transcript_with_timestamps","text":"","language_code":null,"words":null}"#;
        assert_eq!(read(bare), Ok(Message::Detailed(Detailed::default())));
    }

    #[test]
    fn errors_are_told_and_what_is_unknown_is_passed_over() {
        for (text, expected) in [
            (r#"{"message_type":"auth_error","error":"No key"}"#, Some(ErrorKind::Unauthorized)),
            (r#"{"message_type":"quota_exceeded","error":"Spent"}"#, Some(ErrorKind::RateLimited)),
            (r#"{"message_type":"rate_limited","error":"Slow down"}"#, Some(ErrorKind::RateLimited)),
            (r#"{"message_type":"queue_overflow","error":"Too fast"}"#, Some(ErrorKind::RateLimited)),
            (r#"{"message_type":"input_error","error":"No audio"}"#, Some(ErrorKind::Rejected)),
            (r#"{"message_type":"transcriber_error","error":"Oops"}"#, Some(ErrorKind::Unavailable)),
            (r#"{"message_type":"session_time_limit_exceeded","error":"x"}"#, Some(ErrorKind::Timeout)),
            (r#"{"message_type":"error","error":"Something"}"#, Some(ErrorKind::Unavailable)),
            (r#"{"message_type":"error"}"#, Some(ErrorKind::Unavailable)),
            (r#"{"message_type":"session_started","session_id":"s","config":{}}"#, None),
            (r#"{"message_type":"committed_transcript_entities","entities":[]}"#, None),
        ] {
            match (read(text), expected) {
                (Ok(Message::Refused(fault)), Some(kind)) => assert_eq!(fault.kind, kind, "{text}"),
                (found, None) => assert_eq!(found, Ok(Message::Other), "{text}"),
                (found, Some(_)) => panic!("{text}: {found:?}"),
            }
        }
        let throttled = r#"{"message_type":"commit_throttled","error":"Commit request ignored"}"#;
        assert_eq!(read(throttled), Ok(Message::Throttled));
        assert!(read("{}").is_err() && read("hello").is_err());
    }

    #[test]
    fn sound_is_sent_as_documented() {
        let mut frame = Frame::SILENCE;
        frame.0[0] = 258;
        let message: Value = serde_json::from_str(&sound(&[frame], true, Some("Hibari"))).unwrap();
        let bytes = BASE64_STANDARD.decode(message["audio_base_64"].as_str().unwrap()).unwrap();
        assert_eq!((bytes.len(), &bytes[..3]), (640, &[2, 1, 0][..]));
        assert_eq!((&message["commit"], &message["sample_rate"]), (&json!(true), &json!(16_000)));
        assert_eq!(message["previous_text"], "Hibari");
        assert!(!sound(&[], false, None).contains("previous_text"));
    }

    #[test]
    fn key_terms_keep_within_the_vendors_bounds() {
        let terms: Vec<_> =
            keyterms("Hibari, Aoife Ní Bhriain; a term far longer than twenty characters,, Xu.").collect();
        assert_eq!(terms, ["Hibari", "Aoife Ní Bhriain", "Xu"]);
        assert_eq!(keyterms(&"a,".repeat(80)).count(), 50);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = read(&text);
        }
    }
}
