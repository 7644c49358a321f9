//! Server events, in both dialects, as what they tell.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use super::fault::{self, Fault};
use crate::llm::Usage;

/// What a server event tells; events of no concern are [`Told::Other`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::openai::realtime) enum Told {
    /// The session is there, with the server's own settings.
    Greeting,
    /// The session has ours.
    Updated,
    /// A reply begins.
    Began { response: String },
    /// More words of a part of a reply.
    Words { part: Part, text: String },
    /// All words of a part of a reply.
    AllWords { part: Part, text: String },
    /// More of its sound: 16-bit samples.
    Sound { part: Part, bytes: Vec<u8> },
    /// A call is known by name.
    Named { part: Part, name: String },
    /// A call is complete; its name may have been told before.
    Called { part: Part, call: Call },
    /// A reply is over.
    Ended(Box<Ended>),
    /// The vendor complains.
    Refused(Fault),
    /// Nothing of concern.
    Other,
}

/// Where in a reply something belongs; empty where a server does not say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::openai::realtime) struct Part {
    pub(in crate::openai::realtime) response: String,
    pub(in crate::openai::realtime) item: String,
    pub(in crate::openai::realtime) content: u32,
}

/// A function call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::openai::realtime) struct Call {
    pub(in crate::openai::realtime) id: String,
    pub(in crate::openai::realtime) name: String,
    pub(in crate::openai::realtime) arguments: String,
}

/// How a reply ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::openai::realtime) struct Ended {
    pub(in crate::openai::realtime) response: String,
    /// `completed`, `cancelled`, `incomplete`, `failed`.
    pub(in crate::openai::realtime) status: String,
    pub(in crate::openai::realtime) reason: String,
    pub(in crate::openai::realtime) fault: Option<Fault>,
    pub(in crate::openai::realtime) usage: Option<Usage>,
    /// Its complete calls.
    pub(in crate::openai::realtime) calls: Vec<Call>,
}

/// Reads one text message.
///
/// # Errors
///
/// Why it is none: not JSON, no type, a field of the wrong type, sound that is not base64.
pub(in crate::openai::realtime) fn read(text: &str) -> Result<Told, String> {
    let event: Event = serde_json::from_str(text).map_err(|error| format!("unreadable event: {error}"))?;
    let part = Part {
        response: event.response_id.unwrap_or_default(),
        item: event.item_id.unwrap_or_default(),
        content: event.content_index.unwrap_or_default(),
    };
    let delta = event.delta.unwrap_or_default();
    Ok(match event.r#type.as_str() {
        "session.created" => Told::Greeting,
        "session.updated" => Told::Updated,
        "response.created" => Told::Began { response: event.response.unwrap_or_default().id.unwrap_or_default() },
        "response.output_audio.delta" | "response.audio.delta" => {
            let bytes = BASE64_STANDARD.decode(delta.as_bytes());
            Told::Sound { part, bytes: bytes.map_err(|error| format!("unreadable sound: {error}"))? }
        }
        "response.output_audio_transcript.delta"
        | "response.audio_transcript.delta"
        | "response.output_text.delta"
        | "response.text.delta" => Told::Words { part, text: delta },
        "response.output_audio_transcript.done" | "response.audio_transcript.done" => {
            Told::AllWords { part, text: event.transcript.unwrap_or_default() }
        }
        "response.output_text.done" | "response.text.done" => {
            Told::AllWords { part, text: event.text.unwrap_or_default() }
        }
        "response.output_item.added" => match event.item.filter(Item::is_call) {
            Some(item) => Told::Named {
                part: Part { item: item.id.unwrap_or_default(), ..part },
                name: item.name.unwrap_or_default(),
            },
            None => Told::Other,
        },
        "response.function_call_arguments.done" => {
            let (id, name) = (event.call_id.unwrap_or_default(), event.name.unwrap_or_default());
            Told::Called { part, call: Call { id, name, arguments: event.arguments.unwrap_or_default() } }
        }
        "response.output_item.done" => match event.item.filter(Item::is_call) {
            Some(item) => {
                Told::Called { part: Part { item: item.id.clone().unwrap_or_default(), ..part }, call: item.into() }
            }
            None => Told::Other,
        },
        "response.done" | "response.cancelled" => Told::Ended(Box::new(event.response.unwrap_or_default().into())),
        "error" => Told::Refused(event.error.unwrap_or_default().into()),
        _ => Told::Other,
    })
}

#[derive(Deserialize)]
struct Event {
    r#type: String,
    response_id: Option<String>,
    item_id: Option<String>,
    content_index: Option<u32>,
    delta: Option<String>,
    transcript: Option<String>,
    text: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    item: Option<Item>,
    response: Option<Response>,
    error: Option<fault::Raw>,
}

#[derive(Deserialize)]
struct Item {
    id: Option<String>,
    r#type: Option<String>,
    status: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
}

impl Item {
    fn is_call(&self) -> bool {
        self.r#type.as_deref() == Some("function_call")
    }
}

impl From<Item> for Call {
    fn from(item: Item) -> Self {
        Self {
            id: item.call_id.unwrap_or_default(),
            name: item.name.unwrap_or_default(),
            arguments: item.arguments.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize, Default)]
struct Response {
    id: Option<String>,
    status: Option<String>,
    status_details: Option<Details>,
    usage: Option<Counts>,
    #[serde(default)]
    output: Option<Vec<Item>>,
}

#[derive(Deserialize, Default)]
struct Details {
    reason: Option<String>,
    error: Option<fault::Raw>,
}

#[derive(Deserialize)]
struct Counts {
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
    input_token_details: Option<InputCounts>,
}

#[derive(Deserialize)]
struct InputCounts {
    cached_tokens: Option<u32>,
}

impl From<Response> for Ended {
    fn from(response: Response) -> Self {
        let details = response.status_details.unwrap_or_default();
        let items = response.output.unwrap_or_default().into_iter();
        let whole = |item: &Item| item.is_call() && item.status.as_deref() != Some("incomplete");
        Self {
            response: response.id.unwrap_or_default(),
            status: response.status.unwrap_or_default(),
            reason: details.reason.unwrap_or_default(),
            fault: details.error.map(Into::into),
            usage: response.usage.map(Into::into),
            calls: items.filter(whole).map(Into::into).collect(),
        }
    }
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        Self {
            input_tokens: counts.input_tokens.unwrap_or_default(),
            cached_tokens: counts.input_token_details.and_then(|details| details.cached_tokens).unwrap_or_default(),
            output_tokens: counts.output_tokens.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn both_dialects_tell_the_same() {
        for (ga, beta) in [
            (
                r#"{"type":"response.output_audio.delta","response_id":"r","item_id":"i","content_index":0,"delta":"AQA="}"#,
                r#"{"type":"response.audio.delta","response_id":"r","item_id":"i","content_index":0,"delta":"AQA="}"#,
            ),
            (
                r#"{"type":"response.output_audio_transcript.delta","response_id":"r","delta":"Hi"}"#,
                r#"{"type":"response.audio_transcript.delta","response_id":"r","delta":"Hi"}"#,
            ),
            (
                r#"{"type":"response.output_text.done","response_id":"r","text":"Hi"}"#,
                r#"{"type":"response.text.done","response_id":"r","text":"Hi"}"#,
            ),
        ] {
            let told = read(ga).unwrap();
            assert_eq!(told, read(beta).unwrap());
            assert_ne!(told, Told::Other);
        }
    }

    #[test]
    fn the_end_tells_cost_reason_and_calls() {
        let text = r#"{"type":"response.done","response":{"id":"r","status":"incomplete",
            "status_details":{"type":"incomplete","reason":"max_output_tokens","error":null},
            "usage":{"input_tokens":9,"output_tokens":4,"input_token_details":{"cached_tokens":2}},
            "output":[{"type":"message"},{"type":"function_call","status":"incomplete","call_id":"a","name":"x"},
                {"type":"function_call","status":"completed","call_id":"b","name":"y","arguments":"{}"}]}}"#;
        let Told::Ended(ended) = read(text).unwrap() else { panic!("an end") };
        assert_eq!((ended.status.as_str(), ended.reason.as_str()), ("incomplete", "max_output_tokens"));
        assert_eq!(ended.usage, Some(Usage { input_tokens: 9, cached_tokens: 2, output_tokens: 4 }));
        assert_eq!(ended.calls.len(), 1);
    }

    #[test]
    fn complaints_are_understood_whatever_they_lack() {
        let text =
            r#"{"type":"error","event_id":"e","error":{"type":"invalid_request_error","code":null,"message":null}}"#;
        let Told::Refused(fault) = read(text).unwrap() else { panic!("a complaint") };
        assert_eq!(fault.kind, ErrorKind::Rejected);
        assert!(matches!(read(r#"{"type":"error"}"#), Ok(Told::Refused(_))));
    }

    #[test]
    fn what_is_no_event_is_refused_and_what_is_unknown_passed_over() {
        for broken in
            ["", "{", "[]", r#"{"x":1}"#, r#"{"type":7}"#, r#"{"type":"response.output_audio.delta","delta":"!"}"#]
        {
            assert!(read(broken).is_err(), "{broken}");
        }
        for fine in [
            r#"{"type":"rate_limits.updated"}"#,
            r#"{"type":"response.output_item.added","item":null}"#,
            r#"{"type":"new.thing"}"#,
        ] {
            assert_eq!(read(fine), Ok(Told::Other), "{fine}");
        }
    }
}
