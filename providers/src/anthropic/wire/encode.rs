//! Prompts as request bodies.

use serde_json::{Map, Value, json};

use crate::{
    anthropic::Config,
    dialogue::{Part, Speaker, alternate, schema, temperature},
    llm::{Prompt, Tool, ToolChoice},
};

/// The body of `POST …/v1/messages`.
pub(in crate::anthropic) fn request(model: &str, config: &Config, prompt: &Prompt) -> String {
    let (instructions, turns) = alternate(prompt);
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    body.insert("stream".into(), json!(true));
    body.insert("max_tokens".into(), json!(prompt.max_output_tokens.unwrap_or(config.max_tokens)));
    if !instructions.trim().is_empty() {
        body.insert("system".into(), json!(instructions));
    }
    let mut messages: Vec<Value> = turns
        .iter()
        .map(|turn| {
            let role = match turn.speaker {
                Speaker::Person => "user",
                Speaker::Assistant => "assistant",
            };
            json!({"role": role, "content": turn.parts.iter().map(block).collect::<Vec<_>>()})
        })
        .collect();
    if config.cache
        && let Some(last) = messages.last_mut().and_then(|message| message["content"].as_array_mut()?.last_mut())
    {
        // Everything up to here is read from the cache the next time.
        last["cache_control"] = json!({"type": "ephemeral"});
    }
    body.insert("messages".into(), Value::Array(messages));
    if !prompt.tools.is_empty() {
        body.insert("tools".into(), prompt.tools.iter().map(tool).collect());
        body.insert("tool_choice".into(), choice(&prompt.tool_choice));
    }
    if !config.thinking {
        body.insert("thinking".into(), json!({"type": "disabled"}));
    }
    if let Some(value) = prompt.temperature.filter(|_| config.temperature) {
        body.insert("temperature".into(), temperature(value.min(HOTTEST)));
    }
    Value::Object(body).to_string()
}

fn block(part: &Part<'_>) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Call(call) => {
            json!({"type": "tool_use", "id": id(call.id), "name": call.name, "input": call.object()})
        }
        Part::Result(call) => json!({"type": "tool_result", "tool_use_id": id(call.id), "content": call.output}),
    }
}

fn tool(tool: &Tool) -> Value {
    let mut schema = schema(tool);
    // The vendor insists on an object, also for functions without arguments.
    schema.insert("type".into(), json!("object"));
    json!({"name": tool.name, "description": tool.description, "input_schema": schema})
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => json!({"type": "none"}),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Function(name) => json!({"type": "tool", "name": name}),
    }
}

/// Another model's ids may have characters that this vendor refuses.
fn id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect()
}

/// The vendor's scale ends at 1.
const HOTTEST: f32 = 1.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Json,
        llm::{Call, Message},
    };

    fn body(config: &Config, prompt: &Prompt) -> Value {
        serde_json::from_str(&request("m", config, prompt)).unwrap()
    }

    fn tool(parameters: &str) -> Tool {
        Tool { name: "look".into(), description: "Looks".into(), parameters: Json::from_checked(parameters) }
    }

    #[test]
    fn a_prompt_becomes_a_streaming_request() {
        let prompt = Prompt {
            instructions: "Be brief.".into(),
            messages: vec![
                Message::User("Look".into()),
                Message::Assistant("Looking.".into()),
                Message::Call(Call { call: "a.1".into(), name: "look".into(), arguments: "{\"half".into() }),
                Message::Result { call: "a.1".into(), output: "nothing".into() },
                Message::User("And?".into()),
            ],
            tools: vec![tool("{}")],
            tool_choice: ToolChoice::Function("look".into()),
            max_output_tokens: Some(50),
            temperature: Some(1.2),
            ..Prompt::default()
        };
        let expected = json!({
            "model": "m", "stream": true, "max_tokens": 50, "system": "Be brief.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Look"}]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "Looking."},
                    {"type": "tool_use", "id": "a_1", "name": "look", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "a_1", "content": "nothing"},
                    {"type": "text", "text": "And?", "cache_control": {"type": "ephemeral"}},
                ]},
            ],
            "tools": [{"name": "look", "description": "Looks", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "tool", "name": "look"},
            "thinking": {"type": "disabled"}, "temperature": 1.0,
        });
        assert_eq!(body(&Config { temperature: true, ..Config::default() }, &prompt), expected);
    }

    #[test]
    fn only_a_limit_and_a_turn_of_the_person_are_always_sent() {
        let config = Config { cache: false, thinking: true, ..Config::default() };
        let expected = json!({"model": "m", "stream": true, "max_tokens": 4096,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "(The conversation begins.)"}]}]});
        assert_eq!(body(&config, &Prompt { temperature: Some(0.8), ..Prompt::default() }), expected);
    }

    #[test]
    fn choices_have_their_own_names_here() {
        for (given, expected) in [
            (ToolChoice::Auto, json!({"type": "auto"})),
            (ToolChoice::None, json!({"type": "none"})),
            (ToolChoice::Required, json!({"type": "any"})),
        ] {
            let prompt = Prompt { tools: vec![tool("5")], tool_choice: given, ..Prompt::default() };
            assert_eq!(body(&Config::default(), &prompt)["tool_choice"], expected);
        }
    }
}
