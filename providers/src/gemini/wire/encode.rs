//! Prompts as request bodies.

use serde_json::{Map, Value, json};

use super::schema;
use crate::{
    dialogue::{self, Echoes, Part, Speaker, Turn, alternate, temperature},
    gemini::Config,
    llm::{Prompt, Tool, ToolChoice},
};

/// The body of `POST …/models/NAME:streamGenerateContent`.
pub(in crate::gemini) fn request(config: &Config, signatures: &Echoes, prompt: &Prompt) -> String {
    let (instructions, turns) = alternate(prompt);
    let mut body = Map::new();
    if !instructions.trim().is_empty() {
        body.insert("systemInstruction".into(), json!({"parts": [{"text": instructions}]}));
    }
    body.insert("contents".into(), turns.iter().map(|turn| content(turn, signatures)).collect());
    if !prompt.tools.is_empty() {
        let functions: Vec<_> = prompt.tools.iter().map(function).collect();
        body.insert("tools".into(), json!([{"functionDeclarations": functions}]));
        body.insert("toolConfig".into(), json!({"functionCallingConfig": choice(&prompt.tool_choice)}));
    }
    let generation = generation(config, prompt);
    if !generation.is_empty() {
        body.insert("generationConfig".into(), Value::Object(generation));
    }
    Value::Object(body).to_string()
}

fn generation(config: &Config, prompt: &Prompt) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(limit) = prompt.max_output_tokens {
        out.insert("maxOutputTokens".into(), json!(limit));
    }
    if let Some(value) = prompt.temperature {
        out.insert("temperature".into(), temperature(value));
    }
    if let Some(budget) = config.thinking_budget {
        out.insert("thinkingConfig".into(), json!({"thinkingBudget": budget}));
    } else if let Some(level) = &config.thinking_level {
        out.insert("thinkingConfig".into(), json!({"thinkingLevel": level}));
    }
    out
}

fn content(turn: &Turn<'_>, signatures: &Echoes) -> Value {
    let role = match turn.speaker {
        Speaker::Person => "user",
        Speaker::Assistant => "model",
    };
    let mut calls = 0;
    let parts = turn.parts.iter().map(|part| match part {
        Part::Text(text) => json!({"text": text}),
        Part::Call(call) => {
            calls += 1;
            let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": call.object()}});
            // Only the first of calls made together is signed; what is not known, as another model's call, is vouched for.
            let unsigned = || (calls == 1).then(|| UNSIGNED.to_owned());
            if let Some(signature) = signatures.recall(call.id).or_else(unsigned) {
                part["thoughtSignature"] = json!(signature);
            }
            part
        }
        Part::Result(call) => {
            json!({"functionResponse": {"id": call.id, "name": call.name, "response": response(call.output)}})
        }
    });
    json!({"role": role, "parts": parts.collect::<Vec<_>>()})
}

/// A function's answer: answers must be objects here.
pub(in crate::gemini) fn response(output: &str) -> Value {
    match serde_json::from_str(output) {
        Ok(object @ Value::Object(_)) => object,
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_))) => {
            json!({"result": value})
        }
        Err(_) => json!({"result": output}),
    }
}

/// A function's declaration.
pub(in crate::gemini) fn function(tool: &Tool) -> Value {
    let mut out = json!({"name": tool.name, "description": tool.description});
    if let Some(parameters) = schema::parameters(dialogue::schema(tool)) {
        out["parameters"] = parameters;
    }
    out
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Function(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    }
}

/// The documented stand-in for a signature that is not known.
const UNSIGNED: &str = "skip_thought_signature_validator";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Json,
        llm::{Call, Message},
    };

    fn body(config: &Config, signatures: &Echoes, prompt: &Prompt) -> Value {
        serde_json::from_str(&request(config, signatures, prompt)).unwrap()
    }

    fn call(id: &str) -> Message {
        Message::Call(Call { call: id.into(), name: "look".into(), arguments: r#"{"at":1}"#.into() })
    }

    #[test]
    fn a_prompt_becomes_a_request() {
        let tool = Tool {
            name: "look".into(),
            description: "Looks".into(),
            parameters: Json::from_checked(r#"{"type":"object","properties":{"at":{"type":"integer"}}}"#),
        };
        let prompt = Prompt {
            instructions: "Be brief.".into(),
            messages: vec![Message::User("Hi".into()), Message::Assistant("Hello.".into()), Message::User("?".into())],
            tools: vec![tool],
            tool_choice: ToolChoice::Function("look".into()),
            max_output_tokens: Some(50),
            temperature: Some(0.8),
            ..Prompt::default()
        };
        let expected = json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Hi"}]},
                {"role": "model", "parts": [{"text": "Hello."}]},
                {"role": "user", "parts": [{"text": "?"}]},
            ],
            "tools": [{"functionDeclarations": [{"name": "look", "description": "Looks",
                "parameters": {"type": "object", "properties": {"at": {"type": "integer"}}}}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
            "generationConfig": {"maxOutputTokens": 50, "temperature": 0.8, "thinkingConfig": {"thinkingBudget": 0}},
        });
        let config = Config { thinking_budget: Some(0), ..Config::default() };
        assert_eq!(body(&config, &Echoes::default(), &prompt), expected);
    }

    #[test]
    fn calls_go_back_with_their_signatures() {
        let signatures = Echoes::default();
        signatures.keep("a", "c2lnbmVk");
        let result = |id: &str, output: &str| Message::Result { call: id.into(), output: output.into() };
        let messages = vec![
            Message::User("Look".into()),
            call("a"),
            call("b"),
            result("a", r#"{"seen":true}"#),
            result("b", "3"),
            call("c"),
            result("c", "nothing"),
        ];
        let sent = body(&Config::default(), &signatures, &Prompt { messages, ..Prompt::default() });
        let made = |id: &str| json!({"id": id, "name": "look", "args": {"at": 1}});
        let expected = json!([
            {"role": "user", "parts": [{"text": "Look"}]},
            {"role": "model", "parts": [
                {"functionCall": made("a"), "thoughtSignature": "c2lnbmVk"},
                {"functionCall": made("b")},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "a", "name": "look", "response": {"seen": true}}},
                {"functionResponse": {"id": "b", "name": "look", "response": {"result": 3}}},
            ]},
            {"role": "model", "parts": [
                {"functionCall": made("c"), "thoughtSignature": "skip_thought_signature_validator"},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "c", "name": "look", "response": {"result": "nothing"}}},
            ]},
        ]);
        assert_eq!(sent["contents"], expected);
    }

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        let sent = body(&Config::default(), &Echoes::default(), &Prompt::default());
        assert_eq!(sent, json!({"contents": [{"role": "user", "parts": [{"text": "(The conversation begins.)"}]}]}));
    }
}
