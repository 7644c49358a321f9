//! The vendors that listen and speak, and how to converse with each. One more vendor is one more entry.

use std::sync::Arc;

use providers::{SpeechToText, TextToSpeech, deepgram, elevenlabs};

use crate::stage::{At, Wire, json};

/// A vendor's speech-to-text.
pub(crate) struct Ear {
    pub(crate) name: &'static str,
    /// The variable that holds an account's key, for live tests.
    pub(crate) variable: &'static str,
    pub(crate) build: fn(At) -> Arc<dyn SpeechToText>,
    pub(crate) wire: Wire,
    /// So many frames of audio are what the exchange is about.
    pub(crate) frames: usize,
    /// What is no message of theirs.
    pub(crate) broken: &'static [&'static str],
}

/// A vendor's text-to-speech.
pub(crate) struct Mouth {
    pub(crate) name: &'static str,
    /// The variable that holds an account's key, for live tests.
    pub(crate) variable: &'static str,
    pub(crate) build: fn(At) -> Arc<dyn TextToSpeech>,
    pub(crate) wire: Wire,
    /// The clauses that the exchange is about.
    pub(crate) text: &'static [&'static str],
    /// In a script, how a piece of text ends that began as the wire says.
    pub(crate) rest: &'static str,
    /// What is no message of theirs.
    pub(crate) broken: &'static [&'static str],
    /// The text in a message of the client's, or in a request, if that has any.
    pub(crate) said: fn(&str) -> Option<String>,
    /// Whether the vendor takes so long a text at once.
    pub(crate) fits: fn(&str) -> bool,
}

pub(crate) const EARS: [Ear; 3] = [
    Ear {
        name: "deepgram nova",
        variable: "DEEPGRAM_API_KEY",
        build: |at| Arc::new(deepgram::SpeechToText::new("test/model", "nova-3", deepgram(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../exchanges/deepgram/nova.txt"),
            begun: r#"> audio 640
                < {"type":"Results","is_final":false,"start":0,"duration":0.5,"channel":{"alternatives":[{"transcript":"go"}]}}"#,
            without: &[],
        },
        frames: 100,
        broken: &["nonsense", r#"{"type":"Results","channel":"#, "[]"],
    },
    Ear {
        name: "deepgram flux",
        variable: "DEEPGRAM_API_KEY",
        build: |at| Arc::new(deepgram::SpeechToText::new("test/model", "flux-general-en", deepgram(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../exchanges/deepgram/flux.txt"),
            begun: r#"> audio 640
                < {"type":"TurnInfo","event":"Update","turn_index":0,"transcript":"I need","words":[]}"#,
            without: &[],
        },
        frames: 100,
        broken: &["nonsense", r#"{"type":"TurnInfo"}"#, "<html>"],
    },
    Ear {
        name: "elevenlabs scribe",
        variable: "ELEVENLABS_API_KEY",
        build: |at| Arc::new(elevenlabs::SpeechToText::new("test/model", "scribe_v2_realtime", elevenlabs(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../exchanges/elevenlabs/transcript.ws"),
            begun: r#"> {"message_type":"input_audio_chunk"}
                < {"message_type":"partial_transcript","text":"go forward"}"#,
            without: &[],
        },
        frames: 50,
        broken: &["nonsense", r#"{"message_type":"committed_transcript""#, "[]"],
    },
];

pub(crate) const MOUTHS: [Mouth; 2] = [
    Mouth {
        name: "deepgram aura",
        variable: "DEEPGRAM_API_KEY",
        build: |at| Arc::new(deepgram::TextToSpeech::new("test/model", "aura-2", deepgram(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../exchanges/deepgram/aura.txt"),
            begun: "> {\"type\":\"Speak\"}\n> {\"type\":\"Flush\"}\n< audio 4800",
            without: &[],
        },
        text: &["Hello there.", "How are you?"],
        rest: r#"< {"type":"Flushed"}"#,
        broken: &["nonsense", "{", r#"{"sequence_id":0}"#],
        said: |message| field(message, "text"),
        fits: |text| text.chars().count() <= 2_000,
    },
    Mouth {
        name: "elevenlabs",
        variable: "ELEVENLABS_API_KEY",
        build: |at| Arc::new(elevenlabs::TextToSpeech::new("test/model", "eleven_flash_v2_5", elevenlabs(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../exchanges/elevenlabs/speech.ws"),
            begun: "> {\"text\":\" \"}\n> {\"flush\":true}\n< {\"audio\":\"AAABAAIAAwA=\"}",
            without: &[],
        },
        text: &["Hi there.", "How are you?"],
        rest: "> {\"close_context\":true}\n< {\"isFinal\":true}",
        broken: &["nonsense", r#"{"audio":"%"}"#, "[]"],
        said: |message| field(message, "text"),
        fits: |text| text.trim().chars().count() <= 5_000,
    },
];

fn deepgram(at: At) -> Arc<deepgram::Config> {
    let usual = deepgram::Config::default();
    Arc::new(deepgram::Config { base_url: at.or(&usual.base_url), key: Some(at.key), ..usual })
}

fn elevenlabs(at: At) -> Arc<elevenlabs::Config> {
    let usual = elevenlabs::Config::default();
    Arc::new(elevenlabs::Config { base_url: at.or(&usual.base_url), key: Some(at.key), ..usual })
}

/// A text field of a JSON message.
fn field(message: &str, name: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    message.get(name)?.as_str().map(str::to_owned)
}
