//! Server messages as what they tell. One message may tell several things.

use std::borrow::Cow;

use audio::SampleRate;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{ErrorKind, llm::Usage, net::refusal::plain};

/// What a server message tells, in the order in which it counts.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::gemini::live) struct Told {
    /// The setup was taken.
    pub(in crate::gemini::live) ready: bool,
    pub(in crate::gemini::live) usage: Option<Usage>,
    pub(in crate::gemini::live) content: Option<Content>,
    pub(in crate::gemini::live) calls: Vec<Call>,
    /// Calls made earlier are no longer wanted.
    pub(in crate::gemini::live) withdrawn: Vec<String>,
    /// The connection will be closed soon.
    pub(in crate::gemini::live) leaving: bool,
}

/// More of a turn.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::gemini::live) struct Content {
    /// Written words.
    pub(in crate::gemini::live) text: String,
    /// Spoken words.
    pub(in crate::gemini::live) transcript: String,
    /// Sound, with its rate: 16-bit samples.
    pub(in crate::gemini::live) sound: Vec<(SampleRate, Vec<u8>)>,
    pub(in crate::gemini::live) interrupted: bool,
    pub(in crate::gemini::live) generated: bool,
    pub(in crate::gemini::live) complete: bool,
    /// Why it is complete, if that is told.
    pub(in crate::gemini::live) reason: String,
}

/// A function call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::gemini::live) struct Call {
    pub(in crate::gemini::live) id: String,
    pub(in crate::gemini::live) name: String,
    pub(in crate::gemini::live) arguments: String,
}

/// Reads one message.
///
/// # Errors
///
/// Why it is none.
pub(in crate::gemini::live) fn read(text: &[u8]) -> Result<Told, String> {
    let message: Message = serde_json::from_slice(text).map_err(|error| format!("unreadable message: {error}"))?;
    let calls = message.tool_call.unwrap_or_default().function_calls;
    Ok(Told {
        ready: message.setup_complete.is_some(),
        usage: message.usage_metadata.map(Into::into),
        content: message.server_content.map(ServerContent::read).transpose()?,
        calls: calls
            .into_iter()
            .map(|call| Call { id: call.id, name: call.name, arguments: Value::Object(call.args).to_string() })
            .collect(),
        withdrawn: message.tool_call_cancellation.unwrap_or_default().ids,
        leaving: message.go_away.is_some(),
    })
}

/// A goodbye that was not asked for: the reason is in words, if anywhere.
pub(in crate::gemini::live) fn closed(code: u16, reason: &str) -> (ErrorKind, String) {
    let said = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let kind = if says(&["api key", "api_key", "permission", "unauthenticated", "unregistered callers"]) {
        ErrorKind::Unauthorized
    } else if says(&["quota", "resource_exhausted", "rate limit"]) {
        ErrorKind::RateLimited
    } else if says(&["deadline"]) {
        ErrorKind::Timeout
    } else if matches!(code, 1003 | 1007 | 1008 | 1009) {
        ErrorKind::Rejected
    } else {
        ErrorKind::Unavailable
    };
    (kind, format!("closed {code}: {}", plain(reason)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    setup_complete: Option<Value>,
    server_content: Option<ServerContent>,
    tool_call: Option<ToolCall>,
    tool_call_cancellation: Option<Cancellation>,
    usage_metadata: Option<Counts>,
    go_away: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ServerContent {
    model_turn: Option<Turn>,
    output_transcription: Option<Transcription>,
    interrupted: Option<bool>,
    generation_complete: Option<bool>,
    turn_complete: Option<bool>,
    turn_complete_reason: Option<String>,
}

#[derive(Deserialize)]
struct Turn {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
    inline_data: Option<Blob>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    #[serde(default)]
    mime_type: String,
    data: String,
}

#[derive(Deserialize)]
struct Transcription {
    text: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ToolCall {
    #[serde(default)]
    function_calls: Vec<FunctionCall>,
}

#[derive(Deserialize)]
struct FunctionCall {
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    args: Map<String, Value>,
}

#[derive(Deserialize, Default)]
struct Cancellation {
    #[serde(default)]
    ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Counts {
    prompt_token_count: u32,
    cached_content_token_count: u32,
    response_token_count: u32,
    thoughts_token_count: u32,
}

impl ServerContent {
    fn read(self) -> Result<Content, String> {
        let mut content = Content {
            transcript: self.output_transcription.and_then(|told| told.text).unwrap_or_default(),
            interrupted: self.interrupted.unwrap_or_default(),
            generated: self.generation_complete.unwrap_or_default(),
            complete: self.turn_complete.unwrap_or_default(),
            reason: self.turn_complete_reason.unwrap_or_default(),
            ..Content::default()
        };
        for part in self.model_turn.into_iter().flat_map(|turn| turn.parts) {
            if let Some(blob) = part.inline_data.filter(|blob| blob.mime_type.starts_with("audio/")) {
                let bytes = BASE64_STANDARD.decode(blob.data.as_bytes());
                content.sound.push((blob.rate(), bytes.map_err(|error| format!("unreadable sound: {error}"))?));
            }
            if let Some(text) = part.text.filter(|_| !part.thought) {
                content.text.push_str(&text);
            }
        }
        Ok(content)
    }
}

impl Blob {
    /// `audio/pcm;rate=24000`.
    fn rate(&self) -> SampleRate {
        let told: Option<Cow<'_, str>> = self.mime_type.split(';').find_map(|field| {
            let (name, value) = field.split_once('=')?;
            (name.trim() == "rate").then(|| value.trim().into())
        });
        told.and_then(|rate| rate.parse().ok()).and_then(SampleRate::new).unwrap_or(SampleRate::HZ_24000)
    }
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        Self {
            input_tokens: counts.prompt_token_count,
            cached_tokens: counts.cached_content_token_count,
            output_tokens: counts.response_token_count.saturating_add(counts.thoughts_token_count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_may_tell_several_things() {
        let told = read(
            br#"{"serverContent":{"modelTurn":{"parts":[{"text":"thinking","thought":true},
                {"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AQA="}},{"text":"Hi"}]},
                "outputTranscription":{"text":"Hello"},"turnComplete":true,"turnCompleteReason":"BLOCKLIST"},
                "usageMetadata":{"promptTokenCount":9,"responseTokenCount":4,"thoughtsTokenCount":1,"totalTokenCount":14}}"#,
        )
        .unwrap();
        let content = told.content.unwrap();
        assert_eq!((content.text.as_str(), content.transcript.as_str()), ("Hi", "Hello"));
        assert_eq!(content.sound, [(SampleRate::HZ_24000, vec![1, 0])]);
        assert!(content.complete && !content.generated && content.reason == "BLOCKLIST");
        assert_eq!(told.usage, Some(Usage { input_tokens: 9, cached_tokens: 0, output_tokens: 5 }));
    }

    #[test]
    fn calls_setup_and_farewells_are_understood() {
        let told =
            read(br#"{"toolCall":{"functionCalls":[{"id":"c","name":"look","args":{"at":1}},{"name":"wait"}]}}"#);
        let told = told.unwrap();
        assert_eq!(told.calls[0].arguments, r#"{"at":1}"#);
        assert_eq!((told.calls[1].id.as_str(), told.calls[1].arguments.as_str()), ("", "{}"));
        assert!(read(br#"{"setupComplete":{}}"#).unwrap().ready);
        assert!(read(br#"{"goAway":{"timeLeft":"50s"}}"#).unwrap().leaving);
        assert_eq!(read(br#"{"toolCallCancellation":{"ids":["c"]}}"#).unwrap().withdrawn, ["c"]);
        assert_eq!(read(br#"{"sessionResumptionUpdate":{}}"#).unwrap(), Told::default());
        for broken in [&b""[..], b"[]", b"{", br#"{"serverContent":7}"#] {
            assert!(read(broken).is_err());
        }
    }

    #[test]
    fn goodbyes_tell_their_reason() {
        for (code, reason, kind) in [
            (1007, "API key not valid. Please pass a valid API key.", ErrorKind::Unauthorized),
            (1011, "You exceeded your current quota, please check your plan.", ErrorKind::RateLimited),
            (1008, "models/x is not found for API version v1beta", ErrorKind::Rejected),
            (1011, "Internal error encountered.", ErrorKind::Unavailable),
            (1006, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(closed(code, reason).0, kind, "{reason}");
        }
    }
}
