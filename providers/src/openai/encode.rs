//! Prompts as request bodies.
//!
//! Servers insist that each call of the assistant is followed by its result, and templates that its arguments parse; a
//! conversation that was interrupted has neither. Both are repaired here.

use serde_json::{Map, Value, json};

use super::Config;
use crate::llm::{Call, Message, Prompt, ToolChoice};

/// The body of `POST {base}/chat/completions`.
pub(super) fn request(config: &Config, prompt: &Prompt) -> String {
    let mut body = Map::new();
    body.insert("model".into(), json!(config.model));
    body.insert("stream".into(), json!(true));
    if config.usage {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    body.insert("messages".into(), Value::Array(messages(prompt)));
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            let parameters: Value = serde_json::from_str(tool.parameters.as_str()).unwrap_or_else(|_| json!({}));
            let parameters = if parameters.is_object() { parameters } else { json!({}) };
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": parameters,
            }})
        });
        body.insert("tools".into(), tools.collect());
        body.insert("tool_choice".into(), choice(&prompt.tool_choice));
    }
    if let Some(limit) = prompt.max_output_tokens {
        let name = if config.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        body.insert(name.into(), json!(limit));
    }
    if let Some(temperature) = prompt.temperature {
        // Through text, so that 0.8 is not sent as 0.800000011920929.
        body.insert("temperature".into(), json!(temperature.to_string().parse::<f64>().unwrap_or(1.0)));
    }
    Value::Object(body).to_string()
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Function(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

fn messages(prompt: &Prompt) -> Vec<Value> {
    let mut out = Vec::new();
    if !prompt.instructions.is_empty() {
        out.push(json!({"role": "system", "content": prompt.instructions}));
    }
    let all = &prompt.messages[..];
    let mut rest = all;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            Message::System(text) => out.push(json!({"role": "system", "content": text})),
            Message::User(text) => out.push(json!({"role": "user", "content": text})),
            Message::Assistant(text) => rest = assistant(text, after, all, &mut out),
            Message::Call(_) => rest = assistant("", &all[all.len() - after.len() - 1..], all, &mut out),
            // Told together with its call; without one, the model still should know.
            Message::Result { call, output } if !is_called(call, all) => {
                out.push(json!({"role": "system", "content": format!("Result of an earlier function call: {output}")}));
            }
            Message::Result { .. } => {}
        }
    }
    out
}

/// The calls at the start, and what follows them.
fn calls(messages: &[Message]) -> (Vec<&Call>, &[Message]) {
    let calls: Vec<_> = messages
        .iter()
        .map_while(|message| match message {
            Message::Call(call) => Some(call),
            Message::System(_) | Message::User(_) | Message::Assistant(_) | Message::Result { .. } => None,
        })
        .collect();
    let rest = &messages[calls.len()..];
    (calls, rest)
}

/// What the assistant said and the calls it made next; returns what follows them.
fn assistant<'a>(text: &str, next: &'a [Message], all: &[Message], out: &mut Vec<Value>) -> &'a [Message] {
    let (calls, rest) = calls(next);
    if calls.is_empty() {
        if !text.is_empty() {
            out.push(json!({"role": "assistant", "content": text}));
        }
        return rest;
    }
    let made = calls.iter().map(|call| {
        let valid = serde_json::from_str::<Value>(&call.arguments).is_ok_and(|arguments| arguments.is_object());
        let arguments = if valid { call.arguments.as_str() } else { "{}" };
        json!({"id": call.call, "type": "function", "function": {"name": call.name, "arguments": arguments}})
    });
    out.push(json!({"role": "assistant", "content": text, "tool_calls": made.collect::<Vec<_>>()}));
    for call in calls {
        let output = result_of(&call.call, all).unwrap_or("(no result yet)");
        out.push(json!({"role": "tool", "tool_call_id": call.call, "content": output}));
    }
    rest
}

fn result_of<'a>(id: &str, all: &'a [Message]) -> Option<&'a str> {
    all.iter().find_map(|message| match message {
        Message::Result { call, output } if call == id => Some(output.as_str()),
        Message::Result { .. } | Message::System(_) | Message::User(_) | Message::Assistant(_) | Message::Call(_) => {
            None
        }
    })
}

fn is_called(id: &str, all: &[Message]) -> bool {
    all.iter().any(|message| matches!(message, Message::Call(call) if call.call == id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Json, llm::Tool};

    fn body(prompt: &Prompt) -> Value {
        let config = Config { model: "m".into(), ..Config::default() };
        serde_json::from_str(&request(&config, prompt)).unwrap()
    }

    fn call(id: &str, arguments: &str) -> Message {
        Message::Call(Call { call: id.into(), name: "look".into(), arguments: arguments.into() })
    }

    fn result(id: &str) -> Message {
        Message::Result { call: id.into(), output: format!("result {id}") }
    }

    #[test]
    fn a_prompt_becomes_a_streaming_request() {
        let tool = Tool {
            name: "look".into(),
            description: "Looks".into(),
            parameters: Json::from_checked(r#"{"type":"object"}"#),
        };
        let prompt = Prompt {
            instructions: "Be brief.".into(),
            messages: vec![Message::User("Hi".into()), Message::Assistant("Hello.".into())],
            tools: vec![tool],
            tool_choice: ToolChoice::Function("look".into()),
            max_output_tokens: Some(50),
            temperature: Some(0.8),
            ..Prompt::default()
        };
        let expected = json!({
            "model": "m", "stream": true, "stream_options": {"include_usage": true},
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello."},
            ],
            "tools": [{"type": "function", "function":
                {"name": "look", "description": "Looks", "parameters": {"type": "object"}}}],
            "tool_choice": {"type": "function", "function": {"name": "look"}},
            "max_tokens": 50, "temperature": 0.8,
        });
        assert_eq!(body(&prompt), expected);
    }

    #[test]
    fn every_call_is_followed_by_its_result() {
        let messages = vec![
            Message::User("Look twice".into()),
            Message::Assistant("Looking.".into()),
            call("a", r#"{"at":1}"#),
            call("b", "{\"half"),
            Message::User("Well?".into()),
            result("a"),
            result("orphan"),
        ];
        let sent = body(&Prompt { messages, ..Prompt::default() })["messages"].clone();
        let function = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "look", "arguments": arguments}});
        let expected = json!([
            {"role": "user", "content": "Look twice"},
            {"role": "assistant", "content": "Looking.", "tool_calls": [function("a", r#"{"at":1}"#), function("b", "{}")]},
            {"role": "tool", "tool_call_id": "a", "content": "result a"},
            {"role": "tool", "tool_call_id": "b", "content": "(no result yet)"},
            {"role": "user", "content": "Well?"},
            {"role": "system", "content": "Result of an earlier function call: result orphan"},
        ]);
        assert_eq!(sent, expected);
    }

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        let sent = body(&Prompt { messages: vec![Message::Assistant(String::new())], ..Prompt::default() });
        assert_eq!(sent["messages"], json!([]));
        for absent in ["tools", "tool_choice", "max_tokens", "temperature"] {
            assert!(sent.get(absent).is_none(), "{absent}");
        }
    }
}
