//! Prompts as request bodies.

use serde_json::{Map, Value, json};

use crate::{
    dialogue::{BEGIN, Step, schema, steps, temperature},
    llm::{Prompt, ToolChoice},
};

/// The body of `POST …/responses`. Nothing is stored at the vendor's: the conversation is ours.
pub(crate) fn request(model: &str, prompt: &Prompt) -> String {
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    body.insert("stream".into(), json!(true));
    body.insert("store".into(), json!(false));
    if !prompt.instructions.is_empty() {
        body.insert("instructions".into(), json!(prompt.instructions));
    }
    body.insert("input".into(), Value::Array(input(prompt)));
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            // Strict schemas, the default here, must list every property as required: clients' seldom do.
            json!({"type": "function", "name": tool.name, "description": tool.description,
                "parameters": schema(tool), "strict": false})
        });
        body.insert("tools".into(), tools.collect());
        body.insert("tool_choice".into(), choice(&prompt.tool_choice));
    }
    if let Some(limit) = prompt.max_output_tokens {
        body.insert("max_output_tokens".into(), json!(limit.max(LEAST_TOKENS)));
    }
    if let Some(value) = prompt.temperature {
        body.insert("temperature".into(), temperature(value));
    }
    Value::Object(body).to_string()
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Function(name) => json!({"type": "function", "name": name}),
    }
}

fn input(prompt: &Prompt) -> Vec<Value> {
    let mut out = Vec::new();
    for step in steps(&prompt.messages) {
        match step {
            Step::System(text) => out.push(json!({"role": "system", "content": text})),
            Step::User(text) => out.push(json!({"role": "user", "content": text})),
            Step::Assistant { text, calls } => {
                if !text.is_empty() {
                    out.push(json!({"role": "assistant", "content": text}));
                }
                out.extend(calls.iter().map(|call| {
                    json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments})
                }));
                out.extend(
                    calls
                        .iter()
                        .map(|call| json!({"type": "function_call_output", "call_id": call.id, "output": call.output})),
                );
            }
        }
    }
    if out.is_empty() {
        out.push(json!({"role": "system", "content": BEGIN}));
    }
    out
}

/// Smaller limits are refused.
const LEAST_TOKENS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Json,
        llm::{Call, Message, Tool},
    };

    fn body(prompt: &Prompt) -> Value {
        serde_json::from_str(&request("m", prompt)).unwrap()
    }

    #[test]
    fn a_prompt_becomes_a_streaming_request() {
        let prompt = Prompt {
            instructions: "Be brief.".into(),
            messages: vec![
                Message::User("Look".into()),
                Message::Assistant("Looking.".into()),
                Message::Call(Call { call: "a".into(), name: "look".into(), arguments: "{\"half".into() }),
                Message::Result { call: "a".into(), output: "nothing".into() },
            ],
            tools: vec![Tool {
                name: "look".into(),
                description: "Looks".into(),
                parameters: Json::from_checked(r#"{"type":"object"}"#),
            }],
            tool_choice: ToolChoice::Function("look".into()),
            max_output_tokens: Some(5),
            temperature: Some(0.8),
            ..Prompt::default()
        };
        let expected = json!({
            "model": "m", "stream": true, "store": false, "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": "Look"},
                {"role": "assistant", "content": "Looking."},
                {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "a", "output": "nothing"},
            ],
            "tools": [{"type": "function", "name": "look", "description": "Looks",
                "parameters": {"type": "object"}, "strict": false}],
            "tool_choice": {"type": "function", "name": "look"},
            "max_output_tokens": 16, "temperature": 0.8,
        });
        assert_eq!(body(&prompt), expected);
    }

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        let sent = body(&Prompt::default());
        for absent in ["instructions", "tools", "tool_choice", "max_output_tokens", "temperature"] {
            assert!(sent.get(absent).is_none(), "{absent}");
        }
        assert_eq!(sent["input"].as_array().unwrap().len(), 1);
    }
}
