//! The conversation of a request, as our models read it.

use providers::llm::{Call, Message};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::rest::fault::Fault;

/// One message on the hosted service's wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    role: String,
    content: Option<Value>,
    /// Who of several says it. Our models are not told; [`Conversation::named`] is.
    name: Option<IgnoredAny>,
    tool_calls: Option<Vec<ToolCall>>,
    tool_call_id: Option<String>,
    /// Words, too, of an assistant that would not answer.
    refusal: Option<String>,
    /// Of a spoken reply; null in what SDKs hand back.
    audio: Option<Value>,
    /// The form of old of `tool_calls`; null likewise.
    function_call: Option<Value>,
    /// Where a reply found something: hosted tools did that, and nothing here is to be done about it.
    #[serde(rename = "annotations")]
    _annotations: Option<IgnoredAny>,
}

/// A call that the assistant made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolCall {
    id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    function: Function,
    /// Its place in a stream, left in by clients that gather one.
    #[serde(rename = "index")]
    _index: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    name: String,
    arguments: String,
}

/// All of a request's messages.
#[derive(Default, Debug)]
pub(super) struct Conversation {
    /// What the operator says before anybody else.
    pub(super) instructions: String,
    pub(super) messages: Vec<Message>,
    /// Whether any message says who of several said it.
    pub(super) named: bool,
}

impl Conversation {
    /// Reads the messages.
    ///
    /// # Errors
    /// What our models cannot be told, by its path.
    pub(super) fn read(lines: Vec<Line>) -> Result<Self, Fault> {
        if lines.is_empty() {
            return Err(Fault::invalid("messages", "`messages` must hold at least one message."));
        }
        let mut conversation = Self::default();
        for (line, at) in lines.into_iter().zip(0..) {
            conversation.add(line, &format!("messages[{at}]"))?;
        }
        Ok(conversation)
    }

    fn add(&mut self, line: Line, path: &str) -> Result<(), Fault> {
        for (field, value) in [("audio", &line.audio), ("function_call", &line.function_call)] {
            if value.is_some() {
                return Err(unsupported(format!("{path}.{field}")));
            }
        }
        let alone = |given: bool, field: &str| {
            let message = format!("A message of the role `{}` has no `{field}`.", excerpt(&line.role));
            if given { Err(Fault::invalid(format!("{path}.{field}"), message)) } else { Ok(()) }
        };
        if line.role != "assistant" {
            alone(line.tool_calls.is_some(), "tool_calls")?;
            alone(line.refusal.is_some(), "refusal")?;
        }
        if line.role != "tool" {
            alone(line.tool_call_id.is_some(), "tool_call_id")?;
        }
        self.named |= line.name.is_some();
        let text = text(line.content, &format!("{path}.content"))?;
        match line.role.as_str() {
            "system" | "developer" => self.instruct(required(text, path)?),
            "user" => self.messages.push(Message::User(required(text, path)?)),
            "assistant" => {
                let words = text.filter(|text| !text.is_empty()).or(line.refusal);
                self.messages.extend(words.filter(|text| !text.is_empty()).map(Message::Assistant));
                for (call, at) in line.tool_calls.into_iter().flatten().zip(0..) {
                    if call.kind.is_some_and(|kind| kind != "function") {
                        return Err(unsupported(format!("{path}.tool_calls[{at}].type")));
                    }
                    let Function { name, arguments } = call.function;
                    self.messages.push(Message::Call(Call { call: call.id, name, arguments }));
                }
            }
            "tool" => {
                let missing = || Fault::invalid(format!("{path}.tool_call_id"), "It says which call it answers.");
                let call = line.tool_call_id.ok_or_else(missing)?;
                self.messages.push(Message::Result { call, output: required(text, path)? });
            }
            _ => {
                let message = "`role` must be `system`, `developer`, `user`, `assistant` or `tool`.";
                return Err(Fault::invalid(format!("{path}.role"), message));
            }
        }
        Ok(())
    }

    /// What is said before the conversation begins leads all of it.
    fn instruct(&mut self, text: String) {
        if !self.messages.is_empty() {
            self.messages.push(Message::System(text));
            return;
        }
        if !self.instructions.is_empty() {
            self.instructions.push_str("\n\n");
        }
        self.instructions.push_str(&text);
    }
}

fn required(text: Option<String>, path: &str) -> Result<String, Fault> {
    let missing = || Fault::invalid(format!("{path}.content"), "`content` is missing.");
    text.ok_or_else(|| missing().coded("missing_required_parameter"))
}

/// Text, or the texts of parts, a line each.
fn text(content: Option<Value>, path: &str) -> Result<Option<String>, Fault> {
    let parts = match content {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => return Ok(Some(text)),
        Some(Value::Array(parts)) => parts,
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            return Err(Fault::invalid(path, "`content` must be text or a list of parts."));
        }
    };
    let texts = parts.iter().zip(0..).map(|(part, at)| words(part, &format!("{path}[{at}]")));
    Ok(Some(texts.collect::<Result<Vec<_>, _>>()?.join("\n")))
}

fn words<'a>(part: &'a Value, path: &str) -> Result<&'a str, Fault> {
    let kind = part["type"].as_str().unwrap_or_default();
    let field = match kind {
        "text" | "refusal" => kind,
        _ => return Err(unsupported(format!("{path}.type"))),
    };
    if let Some(unknown) = part.as_object().and_then(|part| part.keys().find(|key| *key != "type" && *key != field)) {
        return Err(Fault::invalid(format!("{path}.{unknown}"), "This is not known here.").coded("unknown_parameter"));
    }
    part[field].as_str().ok_or_else(|| Fault::invalid(format!("{path}.{field}"), "This must be text."))
}

/// Something of the wire that cannot be done here.
pub(super) fn unsupported(field: String) -> Fault {
    let message = format!("`{field}` asks for what cannot be done here: models are told text and functions.");
    Fault::invalid(field, message).coded("unsupported_value")
}

fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(messages: Value) -> Result<Conversation, Fault> {
        Conversation::read(serde_json::from_value(messages).unwrap())
    }

    fn user(text: &str) -> Message {
        Message::User(text.into())
    }

    #[test]
    fn what_stands_first_are_the_instructions_and_the_rest_keeps_its_order() {
        let conversation = read(json!([
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Speak"}, {"type": "text", "text": "Dutch."}]},
            {"role": "user", "content": "Hi", "name": "ann"},
            {"role": "assistant", "content": null, "refusal": null, "annotations": [], "audio": null,
                "tool_calls": [{"id": "a", "type": "function", "index": 0, "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "rain"},
            {"role": "system", "content": "Hurry."},
            {"role": "assistant", "content": "", "refusal": "No."},
        ]));
        let conversation = conversation.unwrap();
        assert_eq!(conversation.instructions, "Be brief.\n\nSpeak\nDutch.");
        let call = Call { call: "a".into(), name: "look".into(), arguments: "{}".into() };
        let result = Message::Result { call: "a".into(), output: "rain".into() };
        let (system, refusal) = (Message::System("Hurry.".into()), Message::Assistant("No.".into()));
        assert_eq!(conversation.messages, [user("Hi"), Message::Call(call), result, system, refusal]);
        assert!(conversation.named);
    }

    #[test]
    fn what_no_model_here_can_be_told_is_named() {
        let picture = json!({"type": "image_url", "image_url": {"url": "data:"}});
        for (messages, path) in [
            (json!([]), "messages"),
            (json!([{"role": "king", "content": "x"}]), "messages[0].role"),
            (json!([{"role": "user"}]), "messages[0].content"),
            (json!([{"role": "user", "content": 3}]), "messages[0].content"),
            (
                json!([{"role": "user", "content": "x"}, {"role": "user", "content": [picture]}]),
                "messages[1].content[0].type",
            ),
            (json!([{"role": "user", "content": [{"type": "text", "text": 3}]}]), "messages[0].content[0].text"),
            (
                json!([{"role": "user", "content": [{"type": "text", "text": "x", "mood": 3}]}]),
                "messages[0].content[0].mood",
            ),
            (json!([{"role": "tool", "content": "x"}]), "messages[0].tool_call_id"),
            (json!([{"role": "user", "content": "x", "tool_call_id": "a"}]), "messages[0].tool_call_id"),
            (json!([{"role": "user", "content": "x", "tool_calls": []}]), "messages[0].tool_calls"),
            (json!([{"role": "assistant", "function_call": {"name": "f"}}]), "messages[0].function_call"),
        ] {
            let fault = read(messages.clone()).unwrap_err();
            assert_eq!(fault.event()["error"]["param"], path, "{messages}");
        }
    }
}
