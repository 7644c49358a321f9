//! The vendors that listen and speak, and how to converse with each. One more vendor is one more entry.

use std::{env, sync::Arc};

use providers::{SpeechToText, TextToSpeech, azure::speech as azure, deepgram, elevenlabs, google, openai};

use super::{
    players::{calls, headed, json},
    stage::{At, Wire},
};

/// A vendor's speech-to-text.
pub(crate) struct Ear {
    pub(crate) name: &'static str,
    /// The variable that holds an account's key, for live tests.
    pub(crate) variable: &'static str,
    pub(crate) build: fn(At) -> Arc<dyn SpeechToText>,
    pub(crate) wire: Wire,
    /// So many frames of audio are what the exchange is about.
    pub(crate) frames: usize,
    /// Whether it tells anything before it tells all: without, there is nothing to be held back, and no first word.
    pub(crate) partials: bool,
    /// What in the exchange asks for partials, where that is to be asked for.
    pub(crate) interim: &'static str,
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

pub(crate) const EARS: [Ear; 8] = [
    Ear {
        name: "deepgram nova",
        variable: "DEEPGRAM_API_KEY",
        build: |at| Arc::new(deepgram::SpeechToText::new("test/model", "nova-3", deepgram(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../../exchanges/deepgram/nova.txt"),
            begun: r#"> audio 640
                < {"type":"Results","is_final":false,"start":0,"duration":0.5,"channel":{"alternatives":[{"transcript":"go"}]}}"#,
            without: &[],
        },
        frames: 100,
        partials: true,
        interim: "",
        broken: &["nonsense", r#"{"type":"Results","channel":"#, "[]"],
    },
    Ear {
        name: "deepgram flux",
        variable: "DEEPGRAM_API_KEY",
        build: |at| Arc::new(deepgram::SpeechToText::new("test/model", "flux-general-en", deepgram(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../../exchanges/deepgram/flux.txt"),
            begun: r#"> audio 640
                < {"type":"TurnInfo","event":"Update","turn_index":0,"transcript":"I need","words":[]}"#,
            without: &[],
        },
        frames: 100,
        partials: true,
        interim: "",
        broken: &["nonsense", r#"{"type":"TurnInfo"}"#, "<html>"],
    },
    Ear {
        name: "elevenlabs scribe",
        variable: "ELEVENLABS_API_KEY",
        build: |at| Arc::new(elevenlabs::SpeechToText::new("test/model", "scribe_v2_realtime", elevenlabs(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../../exchanges/elevenlabs/transcript.ws"),
            begun: r#"> {"message_type":"input_audio_chunk"}
                < {"message_type":"partial_transcript","text":"go forward"}"#,
            without: &[],
        },
        frames: 50,
        partials: true,
        interim: "",
        broken: &["nonsense", r#"{"message_type":"committed_transcript""#, "[]"],
    },
    Ear {
        name: "openai transcriptions",
        variable: "OPENAI_API_KEY",
        build: |at| Arc::new(openai::SpeechToText::new("test/model", "gpt-4o-mini-transcribe", openai(at))),
        wire: Wire::Http {
            headers: "content-type: text/event-stream\r\n",
            answers: || vec![events(include_str!("../../exchanges/openai/transcript.sse"))],
            raw: false,
        },
        frames: 50,
        partials: true,
        interim: "",
        broken: &["data: <garbage>\n\n", "data: {\"type\":\"transcript.text.done\"}\n\n"],
    },
    Ear {
        name: "openai whisper",
        variable: "OPENAI_API_KEY",
        build: |at| Arc::new(openai::SpeechToText::new("test/model", "whisper-1", openai(at))),
        wire: Wire::Http {
            headers: "content-type: application/json\r\n",
            answers: || vec![halves(include_str!("../../exchanges/openai/transcript-verbose.json"))],
            raw: false,
        },
        frames: 50,
        // The answer is one document.
        partials: false,
        interim: "",
        broken: &["<html>", "[]", "{}"],
    },
    Ear {
        name: "openai dictation",
        variable: "OPENAI_API_KEY",
        build: |at| Arc::new(openai::SpeechToText::new("test/model", "gpt-live-transcribe", openai(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../../exchanges/openai/dictation.ws"),
            begun: r#"< {"type":"session.created","session":{"type":"transcription"}}
                > {"type":"session.update"}
                < {"type":"session.updated","session":{"type":"transcription"}}
                > {"type":"input_audio_buffer.append"}
                < {"type":"conversation.item.input_audio_transcription.delta","item_id":"item_1","delta":"Go"}"#,
            without: &[],
        },
        frames: 50,
        partials: true,
        interim: "",
        broken: &["nonsense", r#"{"type":"conversation.item"#, "[]"],
    },
    Ear {
        name: "azure speech",
        variable: "AZURE_SPEECH_KEY",
        build: |at| Arc::new(azure::SpeechToText::new("test/model", "speech", azure(at))),
        wire: Wire::Script {
            start: headed,
            exchange: include_str!("../../exchanges/azure/listen.usp"),
            // A guess that is told again is no news: nothing would be held back.
            begun: r#"> speech.config
                > speech.context
                > riff
                > audio 640
                < turn.start {"context":{"serviceTag":"1"}}
                < speech.hypothesis {"Text":"go","Offset":0,"Duration":5000000}
                = flood
                < speech.hypothesis {"Text":"go for","Offset":0,"Duration":5000000}
                < speech.hypothesis {"Text":"go","Offset":0,"Duration":5000000}"#,
            // Sound goes at twice the speed of speech at most: buffers would be full after many minutes.
            without: &["= deaf"],
        },
        frames: 100,
        partials: true,
        interim: r#""interimResults":{"resultType":"Auto"},"#,
        broken: &["raw nonsense", "bytes 0", "bytes 255 255 1"],
    },
    Ear {
        name: "google speech",
        variable: "GOOGLE_ACCESS_TOKEN",
        build: |at| Arc::new(google::SpeechToText::new("test/model", "chirp_3", google(at))),
        wire: Wire::Script {
            start: calls,
            exchange: include_str!("../../exchanges/google/recognize.txt"),
            // A guess that is told again is no news: nothing would be held back.
            begun: r#"> {"streamingConfig":{}}
                > audio 640
                < {"results":[{"alternatives":[{"transcript":"tube"}]}]}
                = flood
                < {"results":[{"alternatives":[{"transcript":"to be"}]}]}
                < {"results":[{"alternatives":[{"transcript":"tube"}]}]}"#,
            // HTTP/2: what refusals by status mean is in tests/google/listen.rs.
            without: &["HTTP/1.1"],
        },
        frames: 100,
        partials: true,
        interim: r#","streamingFeatures":{"interimResults":true}"#,
        broken: &["raw 0000000002ffff", "raw 0100000000", "raw 00ffffffff"],
    },
];

pub(crate) const MOUTHS: [Mouth; 6] = [
    Mouth {
        name: "deepgram aura",
        variable: "DEEPGRAM_API_KEY",
        build: |at| Arc::new(deepgram::TextToSpeech::new("test/model", "aura-2", deepgram(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../../exchanges/deepgram/aura.txt"),
            begun: "> {\"type\":\"Speak\"}\n> {\"type\":\"Flush\"}\n< audio 4800",
            without: &[],
        },
        text: &["Hello there.", "How are you?"],
        rest: r#"< {"type":"Flushed"}"#,
        broken: &["nonsense", "{", r#"{"sequence_id":0}"#],
        said: |message| field(message, "/text"),
        fits: |text| text.chars().count() <= 2_000,
    },
    Mouth {
        name: "elevenlabs",
        variable: "ELEVENLABS_API_KEY",
        build: |at| Arc::new(elevenlabs::TextToSpeech::new("test/model", "eleven_flash_v2_5", elevenlabs(at))),
        wire: Wire::Script {
            start: json,
            exchange: include_str!("../../exchanges/elevenlabs/speech.ws"),
            begun: "> {\"text\":\" \"}\n> {\"flush\":true}\n< {\"audio\":\"AAABAAIAAwA=\"}",
            without: &[],
        },
        text: &["Hi there.", "How are you?"],
        rest: "> {\"close_context\":true}\n< {\"isFinal\":true}",
        broken: &["nonsense", r#"{"audio":"%"}"#, "[]"],
        said: |message| field(message, "/text"),
        fits: |text| text.trim().chars().count() <= 5_000,
    },
    Mouth {
        name: "openai speech",
        variable: "OPENAI_API_KEY",
        build: |at| Arc::new(openai::TextToSpeech::new("test/model", "gpt-4o-mini-tts", openai(at))),
        wire: Wire::Http {
            headers: "content-type: audio/pcm\r\n",
            answers: || vec![vec![vec![1; 4_800]; 3], vec![vec![2; 4_800]; 3]],
            raw: true,
        },
        text: &["Hello there.", "How are you?"],
        rest: "",
        // Whatever comes is sound.
        broken: &[],
        said: |request| field(request.split_once("\r\n\r\n")?.1, "/input"),
        fits: |text| text.chars().count() <= 4_096,
    },
    Mouth {
        name: "azure speech",
        variable: "AZURE_SPEECH_KEY",
        build: |at| Arc::new(azure::TextToSpeech::new("test/model", "speech", azure(at))),
        wire: Wire::Script {
            start: headed,
            exchange: include_str!("../../exchanges/azure/speak.usp"),
            begun: "* speech.config\n> synthesis.context\n> ssml\n< turn.start {}\n< audio 4800",
            without: &[],
        },
        text: &["Hello there.", "Tom & \"Jerry\"?"],
        rest: "< turn.end {}",
        broken: &["raw nonsense", "bytes 0", "bytes 255 255 1"],
        said: |ssml| Some(spoken(ssml)),
        fits: |text| text.chars().count() <= 3_000,
    },
    Mouth {
        name: "google speech",
        variable: "GOOGLE_ACCESS_TOKEN",
        build: |at| Arc::new(google::TextToSpeech::new("test/model", "chirp3-hd", google(at))),
        wire: Wire::Script {
            start: calls,
            exchange: concat!(
                include_str!("../../exchanges/google/synthesize.txt"),
                "= call\n> {\"streamingConfig\":{}}\n> {\"input\":{\"text\":\"How are you?\"}}\n> end\n< audio 2400\n< status 0"
            ),
            begun: "> {\"streamingConfig\":{}}\n> {\"input\":{}}\n> end\n< audio 4800",
            // HTTP/2: what refusals by status mean is in tests/google/speak.rs.
            without: &["HTTP/1.1"],
        },
        text: &["Hello there.", "How are you?"],
        rest: "< status 0",
        broken: &["raw 0000000002ffff", "raw 0100000000", "raw 00ffffffff"],
        said: |message| field(message, "/input/text"),
        fits: |text| text.len() <= 5_000,
    },
    Mouth {
        name: "google speech, not streamed",
        variable: "GOOGLE_ACCESS_TOKEN",
        build: |at| Arc::new(google::TextToSpeech::new("test/model", "en-US-Neural2-F", google(at))),
        wire: Wire::Script {
            start: calls,
            exchange: r#"> {"input":{"text":"Hello there."},"voice":{"languageCode":"en-US","name":"en-US-Neural2-F"}}
                > end
                < audio 9600
                < status 0
                = call
                > {"input":{"text":"How are you?"}}
                > end
                < audio 2400
                < status 0"#,
            begun: "> {\"input\":{}}\n> end\n< audio 4800",
            // HTTP/2: what refusals by status mean is in tests/google/speak.rs.
            without: &["HTTP/1.1"],
        },
        text: &["Hello there.", "How are you?"],
        rest: "< status 0",
        broken: &["raw 0000000002ffff", "raw 0100000000", "raw 00ffffffff"],
        said: |message| field(message, "/input/text"),
        fits: |text| text.len() <= 1_000,
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

fn openai(at: At) -> Arc<openai::Config> {
    let usual = openai::Config::default();
    let base_url = at.origin.map_or(usual.base_url.clone(), |origin| format!("{origin}/v1"));
    Arc::new(openai::Config { base_url, key: Some(at.key), ..usual })
}

fn azure(at: At) -> Arc<azure::Config> {
    let region = env::var("AZURE_SPEECH_REGION").unwrap_or_default();
    let (stt_base_url, tts_base_url) = (at.origin.clone(), at.origin);
    Arc::new(azure::Config { region, stt_base_url, tts_base_url, key: Some(at.key), ..azure::Config::default() })
}

fn google(at: At) -> Arc<google::Config> {
    let usual = google::Config::default();
    let (speech_url, tts_url) = (at.or(&usual.speech_url), at.or(&usual.tts_url));
    let project = env::var("GOOGLE_CLOUD_PROJECT").ok().filter(|_| at.origin.is_none());
    let project = project.or(Some("relay-1".to_owned()));
    Arc::new(google::Config { speech_url, tts_url, access_token: Some(at.key), project, ..usual })
}

/// The events of a stream, each with the blank line behind it.
fn events(stream: &str) -> Vec<Vec<u8>> {
    stream.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec()).collect()
}

/// A document, cut in two.
fn halves(document: &str) -> Vec<Vec<u8>> {
    let (one, other) = document.as_bytes().split_at(document.len() / 2);
    vec![one.to_vec(), other.to_vec()]
}

/// A text in a JSON message.
fn field(message: &str, at: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    message.pointer(at)?.as_str().map(str::to_owned)
}

/// The text in SSML.
fn spoken(ssml: &str) -> String {
    let text: String = ssml.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    let known = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    known.into_iter().fold(text, |text, (escaped, plain)| text.replace(escaped, plain))
}
