//! Prompts as request bodies.

use serde_json::{Map, Value, json};

use super::Dialect;
use crate::{
    dialogue::{BEGIN, Made, Step, schema, steps, temperature},
    llm::{Prompt, ToolChoice},
};

/// The body of `POST …/chat/completions`.
pub(crate) fn request(model: &str, dialect: &Dialect, prompt: &Prompt) -> String {
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    body.insert("stream".into(), json!(true));
    if dialect.usage {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    body.insert("messages".into(), Value::Array(messages(dialect, prompt)));
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            json!({"type": "function", "function": {
                "name": tool.name, "description": tool.description, "parameters": schema(tool),
            }})
        });
        body.insert("tools".into(), tools.collect());
        body.insert("tool_choice".into(), choice(&prompt.tool_choice));
    }
    if let Some(limit) = prompt.max_output_tokens {
        body.insert(dialect.limit.into(), json!(limit));
    }
    if let Some(value) = prompt.temperature {
        body.insert("temperature".into(), temperature(value));
    }
    body.extend(dialect.extra.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
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

fn messages(dialect: &Dialect, prompt: &Prompt) -> Vec<Value> {
    let mut out = Vec::new();
    if !prompt.instructions.is_empty() {
        out.push(json!({"role": "system", "content": prompt.instructions}));
    }
    for step in steps(&prompt.messages) {
        match step {
            Step::System(text) => out.push(json!({"role": "system", "content": text})),
            Step::User(text) => out.push(json!({"role": "user", "content": text})),
            Step::Assistant { text, calls } if calls.is_empty() => {
                if !text.is_empty() {
                    out.push(json!({"role": "assistant", "content": text}));
                }
            }
            Step::Assistant { text, calls } => out.extend(called(dialect, text, &calls)),
        }
    }
    if out.is_empty() {
        out.push(json!({"role": "system", "content": BEGIN}));
    }
    out
}

/// What the assistant said and called, and the results.
fn called(dialect: &Dialect, text: &str, calls: &[Made<'_>]) -> Vec<Value> {
    let made = calls.iter().map(
        |call| json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}),
    );
    let mut message = json!({"role": "assistant", "content": text, "tool_calls": made.collect::<Vec<_>>()});
    if let Some(echoes) = &dialect.echoes {
        let Some(reasoning) = calls.iter().find_map(|call| echoes.recall(call.id)) else {
            return told(text, calls);
        };
        message["reasoning_content"] = json!(reasoning);
    }
    let results = calls.iter().map(|call| json!({"role": "tool", "tool_call_id": call.id, "content": call.output}));
    std::iter::once(message).chain(results).collect()
}

/// Calls whose reasoning nobody knows, as another model's: the server refuses them, so they are told in words.
fn told(text: &str, calls: &[Made<'_>]) -> Vec<Value> {
    let said = (!text.is_empty()).then(|| json!({"role": "assistant", "content": text}));
    let results = calls.iter().map(|call| {
        let content =
            format!("The function {} was called with {} and gave: {}", call.name, call.arguments, call.output);
        json!({"role": "system", "content": content})
    });
    said.into_iter().chain(results).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Json,
        dialogue::Echoes,
        llm::{Call, Message, Tool},
    };

    fn body(prompt: &Prompt) -> Value {
        serde_json::from_str(&request("m", &Dialect::default(), prompt)).unwrap()
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
        assert_eq!(sent["messages"], json!([{"role": "system", "content": BEGIN}]));
        for absent in ["tools", "tool_choice", "max_tokens", "temperature"] {
            assert!(sent.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn reasoning_goes_back_with_its_calls_where_the_server_wants_it() {
        let echoes = Arc::new(Echoes::default());
        echoes.keep("a", "They want to know.");
        let dialect = Dialect { echoes: Some(echoes), ..Dialect::default() };
        let messages = vec![call("a", "{}"), result("a"), Message::User("And?".into()), call("b", "{}"), result("b")];
        let sent: Value =
            serde_json::from_str(&request("m", &dialect, &Prompt { messages, ..Prompt::default() })).unwrap();
        assert_eq!(sent["messages"][0]["reasoning_content"], "They want to know.");
        let told = "The function look was called with {} and gave: result b";
        assert_eq!(sent["messages"][3], json!({"role": "system", "content": told}));
    }

    #[test]
    fn differences_between_servers_are_data() {
        let dialect = Dialect {
            usage: false,
            limit: "max_completion_tokens",
            extra: vec![("thinking", json!({"type": "disabled"}))],
            echoes: None,
        };
        let messages = vec![Message::User("Hi".into())];
        let prompt = Prompt { messages, max_output_tokens: Some(9), ..Prompt::default() };
        let sent: Value = serde_json::from_str(&request("m", &dialect, &prompt)).unwrap();
        let expected = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "Hi"}],
            "max_completion_tokens": 9, "thinking": {"type": "disabled"}});
        assert_eq!(sent, expected);
    }
}
