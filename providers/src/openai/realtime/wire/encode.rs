//! What is told to the model, as client events.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    dialogue::{fitting, schema},
    llm::{Message, Tool, ToolChoice},
    net::pcm,
    openai::realtime::{Dialect, Settings},
    realtime::Manner,
};

/// `session.update`: how replies are to be, with the vendor's own ear for turns and words off.
pub(in crate::openai::realtime) fn session(settings: &Settings, manner: &Manner) -> String {
    let voice = settings.voice(manner.voice.as_ref().map_or("", |voice| &voice.name));
    let pace = manner.voice.as_ref().map_or(1.0, |voice| voice.speed);
    let mut session = match settings.dialect {
        Dialect::Ga => {
            let format = json!({"type": "audio/pcm", "rate": 24_000});
            let mut output = json!({"format": format, "voice": voice});
            if pace != 1.0 {
                output["speed"] = json!(speed_of(pace));
            }
            json!({"type": "realtime", "audio": {
                "input": {"format": format, "transcription": null, "turn_detection": null},
                "output": output,
            }})
        }
        Dialect::Beta => json!({"input_audio_format": "pcm16", "output_audio_format": "pcm16", "voice": voice,
            "input_audio_transcription": null, "turn_detection": null}),
    };
    session["instructions"] = json!(manner.instructions);
    session[modalities(settings.dialect)] = modality(settings.dialect, manner);
    session["tools"] = tools(&manner.tools);
    session["tool_choice"] = choice(&manner.tool_choice);
    if let Some(limit) = manner.max_output_tokens {
        let name = if settings.dialect == Dialect::Ga { "max_output_tokens" } else { "max_response_output_tokens" };
        session[name] = tokens(limit);
    }
    json!({"type": "session.update", "session": session}).to_string()
}

/// `session.update` of the pace alone: replies have none of their own.
pub(in crate::openai::realtime) fn speed(dialect: Dialect, speed: f32) -> String {
    let speed = speed_of(speed);
    let session = match dialect {
        Dialect::Ga => json!({"type": "realtime", "audio": {"output": {"speed": speed}}}),
        Dialect::Beta => json!({"speed": speed}),
    };
    json!({"type": "session.update", "session": session}).to_string()
}

/// The vendor's bounds; written as it was given.
fn speed_of(speed: f32) -> f64 {
    speed.clamp(0.25, 1.5).to_string().parse().unwrap_or(1.0)
}

/// A reply as it is asked for.
pub(in crate::openai::realtime) struct Asked<'a> {
    /// The event's id, which an error quotes.
    pub(in crate::openai::realtime) event: &'a str,
    pub(in crate::openai::realtime) manner: &'a Manner,
    /// What the session was told.
    pub(in crate::openai::realtime) usual: &'a Manner,
    /// A voice is told only before the first sound: later, the vendor refuses another.
    pub(in crate::openai::realtime) with_voice: bool,
}

/// `response.create` with what differs from the session.
pub(in crate::openai::realtime) fn response(settings: &Settings, asked: &Asked<'_>) -> String {
    let (manner, usual, dialect) = (asked.manner, asked.usual, settings.dialect);
    let mut response = Map::new();
    if manner.instructions != usual.instructions {
        response.insert("instructions".into(), json!(manner.instructions));
    }
    if manner.tools != usual.tools {
        response.insert("tools".into(), tools(&manner.tools));
    }
    if manner.tool_choice != usual.tool_choice {
        response.insert("tool_choice".into(), choice(&manner.tool_choice));
    }
    if manner.max_output_tokens != usual.max_output_tokens {
        response.insert("max_output_tokens".into(), tokens(manner.max_output_tokens.unwrap_or(u32::MAX)));
    }
    if manner.voice.is_some() != usual.voice.is_some() {
        response.insert(modalities(dialect).into(), modality(dialect, manner));
    }
    let name = |manner: &Manner| manner.voice.as_ref().map(|voice| settings.voice(&voice.name).to_owned());
    if let Some(voice) = name(manner).filter(|voice| asked.with_voice && name(usual).as_ref() != Some(voice)) {
        match dialect {
            Dialect::Ga => response.insert("audio".into(), json!({"output": {"voice": voice}})),
            Dialect::Beta => response.insert("voice".into(), json!(voice)),
        };
    }
    let mut event = json!({"type": "response.create", "event_id": asked.event});
    if !response.is_empty() {
        event["response"] = Value::Object(response);
    }
    event.to_string()
}

/// `conversation.item.create`; nothing for a message without words, which vendors refuse.
pub(in crate::openai::realtime) fn item(dialect: Dialect, message: &Message) -> Option<String> {
    let said = |role: &str, kind: &str, text: &str| {
        let content = json!([{"type": kind, "text": text}]);
        (!text.trim().is_empty()).then(|| json!({"type": "message", "role": role, "content": content}))
    };
    let item = match message {
        Message::System(text) => said("system", "input_text", text)?,
        Message::User(text) => said("user", "input_text", text)?,
        Message::Assistant(text) => {
            said("assistant", if dialect == Dialect::Ga { "output_text" } else { "text" }, text)?
        }
        Message::Call(call) => json!({"type": "function_call", "call_id": fitting(&call.call), "name": call.name,
            "arguments": call.arguments}),
        Message::Result { call, output } => {
            json!({"type": "function_call_output", "call_id": fitting(call), "output": output})
        }
    };
    Some(json!({"type": "conversation.item.create", "item": item}).to_string())
}

/// `input_audio_buffer.append`.
pub(in crate::openai::realtime) fn append(samples: &[i16]) -> String {
    let mut bytes = Vec::with_capacity(samples.len() * 2);
    pcm::bytes(samples, &mut bytes);
    let mut event = String::with_capacity(bytes.len() * 4 / 3 + 64);
    event.push_str(r#"{"type":"input_audio_buffer.append","audio":""#);
    BASE64_STANDARD.encode_string(&bytes, &mut event);
    event.push_str(r#""}"#);
    event
}

/// `input_audio_buffer.commit`.
pub(in crate::openai::realtime) const fn commit() -> &'static str {
    r#"{"type":"input_audio_buffer.commit"}"#
}

/// `input_audio_buffer.clear`.
pub(in crate::openai::realtime) const fn clear() -> &'static str {
    r#"{"type":"input_audio_buffer.clear"}"#
}

/// `conversation.item.truncate`.
pub(in crate::openai::realtime) fn truncate(item: &str, content: u32, audio_end_ms: u64) -> String {
    json!({"type": "conversation.item.truncate", "item_id": item, "content_index": content,
        "audio_end_ms": audio_end_ms})
    .to_string()
}

/// `response.cancel`, of this reply if it has a name yet.
pub(in crate::openai::realtime) fn cancel(response: Option<&str>) -> String {
    let mut event = json!({"type": "response.cancel"});
    if let Some(id) = response.filter(|id| !id.is_empty()) {
        event["response_id"] = json!(id);
    }
    event.to_string()
}

/// A token limit as vendors take it: more than they produce is none.
fn tokens(limit: u32) -> Value {
    if limit > MOST_TOKENS { json!("inf") } else { json!(limit.max(1)) }
}

const fn modalities(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Ga => "output_modalities",
        Dialect::Beta => "modalities",
    }
}

fn modality(dialect: Dialect, manner: &Manner) -> Value {
    match (dialect, &manner.voice) {
        (_, None) => json!(["text"]),
        (Dialect::Ga, Some(_)) => json!(["audio"]),
        (Dialect::Beta, Some(_)) => json!(["text", "audio"]),
    }
}

fn tools(tools: &[Tool]) -> Value {
    let function = |tool: &Tool| json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": schema(tool)});
    tools.iter().map(function).collect()
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Function(name) => json!({"type": "function", "name": name}),
    }
}

/// The highest limit a reply may have.
const MOST_TOKENS: u32 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Json, llm::Call, tts::Voice};

    fn manner() -> Manner {
        let tool = Tool {
            name: "look".into(),
            description: "Looks.".into(),
            parameters: Json::from_checked(r#"{"type":"object"}"#),
        };
        Manner {
            instructions: "Be kind.".into(),
            aside: None,
            tools: vec![tool],
            tool_choice: ToolChoice::Auto,
            voice: Some(Voice { name: "cedar".into(), language: None, speed: 1.2 }),
            max_output_tokens: Some(300),
        }
    }

    fn parsed(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_session_is_told_in_both_dialects() {
        let ga = parsed(&session(&Settings::default(), &manner()));
        let format = json!({"type": "audio/pcm", "rate": 24_000});
        assert_eq!(
            ga["session"],
            json!({
                "type": "realtime", "instructions": "Be kind.", "output_modalities": ["audio"],
                "audio": {"input": {"format": format, "transcription": null, "turn_detection": null},
                    "output": {"format": format, "voice": "cedar", "speed": 1.2}},
                "tools": [{"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}}],
                "tool_choice": "auto", "max_output_tokens": 300,
            })
        );
        let beta = Settings { dialect: Dialect::Beta, ..Settings::default() };
        let beta = &parsed(&session(&beta, &manner()))["session"];
        assert_eq!((&beta["modalities"], &beta["voice"]), (&json!(["text", "audio"]), &json!("cedar")));
        assert_eq!((&beta["turn_detection"], &beta["input_audio_format"]), (&Value::Null, &json!("pcm16")));
        assert_eq!((&beta["max_response_output_tokens"], beta.get("type")), (&json!(300), None));
    }

    #[test]
    fn a_reply_says_only_what_differs() {
        let usual = manner();
        let ask = |manner: &Manner, with_voice| {
            let asked = Asked { event: "reply_1", manner, usual: &usual, with_voice };
            parsed(&response(&Settings::default(), &asked))
        };
        assert_eq!(ask(&usual, true), json!({"type": "response.create", "event_id": "reply_1"}));
        let other = Manner {
            instructions: String::new(),
            aside: None,
            tools: Vec::new(),
            tool_choice: ToolChoice::Function("look".into()),
            voice: Some(Voice { name: "ash".into(), language: None, speed: 1.2 }),
            max_output_tokens: None,
        };
        assert_eq!(
            ask(&other, true)["response"],
            json!({"instructions": "", "tools": [], "tool_choice": {"type": "function", "name": "look"},
                "audio": {"output": {"voice": "ash"}}, "max_output_tokens": "inf"})
        );
        assert_eq!(ask(&other, false)["response"].get("audio"), None, "once it has spoken, its voice stays");
        let long = Manner { max_output_tokens: Some(9_999), ..usual.clone() };
        assert_eq!(ask(&long, true)["response"], json!({"max_output_tokens": "inf"}));
        let silent = Manner { voice: None, ..usual.clone() };
        assert_eq!(ask(&silent, true)["response"], json!({"output_modalities": ["text"]}));
    }

    #[test]
    fn messages_become_items() {
        let of = |message: Message| item(Dialect::Ga, &message).map(|text| parsed(&text)["item"].clone());
        let message = |role: &str, kind: &str| json!({"type": "message", "role": role, "content": [{"type": kind, "text": "Hi"}]});
        assert_eq!(of(Message::System("Hi".into())), Some(message("system", "input_text")));
        assert_eq!(of(Message::User("Hi".into())), Some(message("user", "input_text")));
        assert_eq!(of(Message::Assistant("Hi".into())), Some(message("assistant", "output_text")));
        assert_eq!(of(Message::User(" ".into())), None);
        let long = "x".repeat(40);
        let call = of(Message::Call(Call { call: long.clone(), name: "look".into(), arguments: "{}".into() })).unwrap();
        let result = of(Message::Result { call: long, output: "seen".into() }).unwrap();
        assert_eq!(call["call_id"], result["call_id"]);
        assert!(call["call_id"].as_str().unwrap().len() <= 32);
        let beta = item(Dialect::Beta, &Message::Assistant("Hi".into())).unwrap();
        assert_eq!(parsed(&beta)["item"]["content"][0]["type"], "text");
    }

    #[test]
    fn sound_goes_as_little_endian_base64() {
        assert_eq!(append(&[1, -2]), r#"{"type":"input_audio_buffer.append","audio":"AQD+/w=="}"#);
    }
}
