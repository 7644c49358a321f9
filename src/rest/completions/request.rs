//! What is asked for, and what of it cannot be had here.

use std::collections::BTreeSet;

use providers::{
    Json,
    llm::{Prompt, Tool, ToolChoice},
    tool::Withheld,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::{
    lines::{Conversation, Line, unsupported},
    stop::Stops,
};
use crate::rest::fault::Fault;

/// The hosted service's request: every field that it knows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::rest) struct Params {
    model: String,
    messages: Vec<Line>,
    tools: Option<Vec<ToolParam>>,
    tool_choice: Option<Value>,
    parallel_tool_calls: Option<bool>,
    temperature: Option<f32>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    stop: Option<Stop>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,

    // What clients send along for the hosted service's own books: it changes no answer.
    #[serde(rename = "user")]
    _user: Option<IgnoredAny>,
    #[serde(rename = "safety_identifier")]
    _safety_identifier: Option<IgnoredAny>,
    #[serde(rename = "prompt_cache_key")]
    _prompt_cache_key: Option<IgnoredAny>,
    #[serde(rename = "prompt_cache_retention")]
    _prompt_cache_retention: Option<IgnoredAny>,
    #[serde(rename = "metadata")]
    _metadata: Option<IgnoredAny>,

    // What no prompt of ours carries: only the value that means nothing is taken.
    audio: Option<Value>,
    frequency_penalty: Option<Value>,
    function_call: Option<Value>,
    functions: Option<Value>,
    logit_bias: Option<Value>,
    logprobs: Option<Value>,
    modalities: Option<Value>,
    n: Option<Value>,
    prediction: Option<Value>,
    presence_penalty: Option<Value>,
    reasoning_effort: Option<Value>,
    response_format: Option<Value>,
    seed: Option<Value>,
    service_tier: Option<Value>,
    store: Option<Value>,
    top_logprobs: Option<Value>,
    top_p: Option<Value>,
    verbosity: Option<Value>,
    web_search_options: Option<Value>,
}

/// A function that may be called.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolParam {
    #[serde(rename = "type")]
    kind: String,
    function: Option<FunctionParam>,
    /// Of kinds that are not functions.
    custom: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionParam {
    name: String,
    description: Option<String>,
    parameters: Option<serde_json::Map<String, Value>>,
    /// Whether arguments are to fit the schema for certain; models here do their best.
    strict: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamOptions {
    include_usage: Option<bool>,
    /// Padding against guesses by size: none is made, with either value.
    #[serde(rename = "include_obfuscation")]
    _include_obfuscation: Option<bool>,
}

/// How the answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Delivery {
    /// As one JSON object.
    Whole,
    /// While it is made.
    Stream {
        /// With what it cost at the end.
        usage: bool,
    },
}

/// A request that can be served.
pub(super) struct Asked {
    /// As the client calls it.
    pub(super) model: String,
    pub(super) prompt: Prompt,
    pub(super) delivery: Delivery,
    pub(super) stops: Stops,
    /// Whether one call is all there may be.
    pub(super) single: bool,
    /// What had no effect, for the header that tells it.
    pub(super) ignored: Option<&'static str>,
}

impl Params {
    /// What of it is to be done.
    ///
    /// # Errors
    /// What cannot be, by its name.
    pub(super) fn read(self) -> Result<Asked, Fault> {
        self.check()?;
        let delivery = self.delivery()?;
        let (tools, strict) = tools(self.tools.unwrap_or_default())?;
        let tool_choice = choice(self.tool_choice, &tools)?;
        let max_output_tokens = limit(self.max_completion_tokens, self.max_tokens)?;
        let stops = Stops::at(stops(self.stop)?);
        let Conversation { instructions, messages, named } = Conversation::read(self.messages)?;
        let prompt = Prompt {
            model: Some(self.model.clone()),
            instructions,
            aside: None,
            passages: None,
            messages,
            withheld: Withheld::default(),
            proposed: None,
            tools,
            tool_choice,
            max_output_tokens,
            temperature: self.temperature,
            language: None,
        };
        let ignored = match (named, strict) {
            (true, true) => Some("messages.name, tools.function.strict"),
            (true, false) => Some("messages.name"),
            (false, true) => Some("tools.function.strict"),
            (false, false) => None,
        };
        let single = self.parallel_tool_calls == Some(false);
        Ok(Asked { model: self.model, prompt, delivery, stops, single, ignored })
    }

    /// Refuses what would be dropped.
    fn check(&self) -> Result<(), Fault> {
        let none = || json!(null);
        let fields = [
            ("audio", &self.audio, none()),
            ("frequency_penalty", &self.frequency_penalty, json!(0)),
            ("function_call", &self.function_call, none()),
            ("functions", &self.functions, none()),
            ("logit_bias", &self.logit_bias, json!({})),
            ("logprobs", &self.logprobs, json!(false)),
            ("modalities", &self.modalities, json!(["text"])),
            ("n", &self.n, json!(1)),
            ("prediction", &self.prediction, none()),
            ("presence_penalty", &self.presence_penalty, json!(0)),
            ("reasoning_effort", &self.reasoning_effort, none()),
            ("response_format", &self.response_format, json!({"type": "text"})),
            ("seed", &self.seed, none()),
            ("service_tier", &self.service_tier, json!("auto")),
            ("store", &self.store, json!(false)),
            ("top_logprobs", &self.top_logprobs, json!(0)),
            ("top_p", &self.top_p, json!(1)),
            ("verbosity", &self.verbosity, json!("medium")),
            ("web_search_options", &self.web_search_options, none()),
        ];
        for (name, value, neutral) in fields {
            let default = name == "service_tier" && value.as_ref() == Some(&json!("default"));
            if value.as_ref().is_some_and(|value| !same(value, &neutral)) && !default {
                let only = if neutral.is_null() { String::new() } else { format!(", or send {neutral}") };
                let message = format!("`{name}` cannot be done here: leave it out{only}.");
                return Err(Fault::invalid(name, message).coded("unsupported_parameter"));
            }
        }
        if self.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
            return Err(Fault::invalid("temperature", "`temperature` must be between 0 and 2."));
        }
        Ok(())
    }

    fn delivery(&self) -> Result<Delivery, Fault> {
        let stream = self.stream == Some(true);
        match &self.stream_options {
            Some(_) if !stream => Err(Fault::invalid("stream_options", "`stream_options` takes `stream`.")),
            Some(options) => Ok(Delivery::Stream { usage: options.include_usage == Some(true) }),
            None if stream => Ok(Delivery::Stream { usage: false }),
            None => Ok(Delivery::Whole),
        }
    }
}

/// 1 and 1.0 are the same.
fn same(one: &Value, other: &Value) -> bool {
    one == other || one.is_number() && one.as_f64() == other.as_f64()
}

/// The functions, and whether any was to be called strictly by its schema.
fn tools(params: Vec<ToolParam>) -> Result<(Vec<Tool>, bool), Fault> {
    let (mut tools, mut names, mut strict) = (Vec::new(), BTreeSet::new(), false);
    for (param, at) in params.into_iter().zip(0..) {
        if param.kind != "function" || param.custom.is_some() {
            return Err(unsupported(format!("tools[{at}].type")));
        }
        let path = format!("tools[{at}].function");
        let missing = || Fault::invalid(path.clone(), "`function` is missing.").coded("missing_required_parameter");
        let function = param.function.ok_or_else(missing)?;
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if function.name.is_empty() || function.name.len() > NAME || !function.name.chars().all(fits) {
            let message = "A function's name has 1 to 64 letters, digits, `_` and `-`.";
            return Err(Fault::invalid(format!("{path}.name"), message));
        }
        if !names.insert(function.name.clone()) {
            return Err(Fault::invalid(format!("{path}.name"), "Another function has this name."));
        }
        strict |= function.strict == Some(true);
        let schema = function.parameters.map_or_else(|| json!({"type": "object", "properties": {}}), Value::Object);
        tools.push(Tool {
            name: function.name,
            description: function.description.unwrap_or_default(),
            parameters: Json::from_checked(schema.to_string()),
        });
    }
    Ok((tools, strict))
}

fn choice(choice: Option<Value>, tools: &[Tool]) -> Result<ToolChoice, Fault> {
    let Some(choice) = choice else { return Ok(ToolChoice::Auto) };
    let choice = match (choice.as_str(), choice["type"].as_str(), choice["function"]["name"].as_str()) {
        (Some("auto"), ..) => ToolChoice::Auto,
        (Some("none"), ..) => ToolChoice::None,
        (Some("required"), ..) => ToolChoice::Required,
        (None, Some("function"), Some(name)) => ToolChoice::Function(name.to_owned()),
        (None, Some("allowed_tools" | "custom"), _) => return Err(unsupported("tool_choice.type".to_owned())),
        _ => {
            let message = "`tool_choice` must be `auto`, `none`, `required`, or a function by its name.";
            return Err(Fault::invalid("tool_choice", message));
        }
    };
    let there = match &choice {
        ToolChoice::Auto | ToolChoice::None => true,
        ToolChoice::Required => !tools.is_empty(),
        ToolChoice::Function(name) => tools.iter().any(|tool| tool.name == *name),
    };
    let missing = || Fault::invalid("tool_choice", "`tools` does not hold what `tool_choice` demands.");
    if there { Ok(choice) } else { Err(missing()) }
}

/// Most tokens, by the name of today or that of old.
fn limit(today: Option<u32>, old: Option<u32>) -> Result<Option<u32>, Fault> {
    if let (Some(today), Some(old)) = (today, old)
        && today != old
    {
        return Err(Fault::invalid("max_tokens", "`max_tokens` and `max_completion_tokens` differ: send one of them."));
    }
    let name = if today.is_some() { "max_completion_tokens" } else { "max_tokens" };
    match today.or(old) {
        Some(0) => Err(Fault::invalid(name, format!("`{name}` must be at least 1."))),
        limit => Ok(limit),
    }
}

fn stops(stop: Option<Stop>) -> Result<Vec<String>, Fault> {
    let sequences = match stop {
        None => return Ok(Vec::new()),
        Some(Stop::One(sequence)) => vec![sequence],
        Some(Stop::Several(sequences)) => sequences,
    };
    let fits = |sequence: &String| (1..=STOP).contains(&sequence.len());
    if sequences.len() > STOPS || !sequences.iter().all(fits) {
        return Err(Fault::invalid("stop", "`stop` holds up to 4 texts of 1 to 256 bytes."));
    }
    Ok(sequences)
}

/// Longest name of a function, as in the hosted service.
const NAME: usize = 64;
/// Most stop sequences, as in the hosted service.
const STOPS: usize = 4;
/// Longest stop sequence, in bytes: what may begin one is held back.
const STOP: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: Value) -> Result<Asked, Fault> {
        let mut body = json!({"model": "voice-relay", "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Params>(body).unwrap().read()
    }

    #[test]
    fn what_sdks_send_along_and_what_means_nothing_is_taken() {
        let asked = read(json!({
            "n": 1, "top_p": 1.0, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "logprobs": false,
            "store": false, "user": "u", "metadata": {"a": "b"}, "response_format": {"type": "text"}, "seed": null,
            "modalities": ["text"], "service_tier": "default", "safety_identifier": "s", "prompt_cache_key": "k",
            "stream": false, "stop": null, "temperature": 0.5, "max_completion_tokens": 9, "tools": [],
            "tool_choice": "auto", "parallel_tool_calls": true,
        }));
        let asked = asked.unwrap();
        assert_eq!((asked.delivery, asked.single, asked.ignored), (Delivery::Whole, false, None));
        assert_eq!((asked.prompt.temperature, asked.prompt.max_output_tokens), (Some(0.5), Some(9)));
    }

    #[test]
    fn tools_and_what_of_them_had_no_effect() {
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let function =
            json!({"name": "get_weather", "description": "Weather", "parameters": parameters, "strict": true});
        let asked = read(json!({
            "tools": [{"type": "function", "function": function}, {"type": "function", "function": {"name": "bare"}}],
            "tool_choice": {"type": "function", "function": {"name": "bare"}}, "parallel_tool_calls": false,
            "stream": true, "stream_options": {"include_usage": true},
        }));
        let Asked { prompt, delivery, single, ignored, .. } = asked.unwrap();
        assert_eq!((delivery, single), (Delivery::Stream { usage: true }, true));
        assert_eq!(ignored, Some("tools.function.strict"));
        assert_eq!(prompt.tool_choice, ToolChoice::Function("bare".into()));
        let schema: Value = serde_json::from_str(prompt.tools[0].parameters.as_str()).unwrap();
        assert_eq!((prompt.tools[0].name.as_str(), schema), ("get_weather", parameters));
    }

    #[test]
    fn what_cannot_be_had_is_refused_by_its_name() {
        let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
        for (body, name) in [
            (json!({"n": 2}), "n"),
            (json!({"top_p": 0.5}), "top_p"),
            (json!({"seed": 7}), "seed"),
            (json!({"store": true}), "store"),
            (json!({"logprobs": true}), "logprobs"),
            (json!({"logit_bias": {"50256": -100}}), "logit_bias"),
            (json!({"response_format": {"type": "json_object"}}), "response_format"),
            (json!({"reasoning_effort": "high"}), "reasoning_effort"),
            (json!({"modalities": ["text", "audio"]}), "modalities"),
            (json!({"functions": []}), "functions"),
            (json!({"service_tier": "priority"}), "service_tier"),
            (json!({"temperature": 2.1}), "temperature"),
            (json!({"max_tokens": 0}), "max_tokens"),
            (json!({"max_tokens": 1, "max_completion_tokens": 2}), "max_tokens"),
            (json!({"stop": ["a", "b", "c", "d", "e"]}), "stop"),
            (json!({"stop": ""}), "stop"),
            (json!({"stream_options": {}}), "stream_options"),
            (json!({"tools": [{"type": "custom", "custom": {}}]}), "tools[0].type"),
            (json!({"tools": [{"type": "function"}]}), "tools[0].function"),
            (json!({"tools": [tool("a"), tool("a")]}), "tools[1].function.name"),
            (json!({"tools": [tool("a b")]}), "tools[0].function.name"),
            (json!({"tool_choice": "required"}), "tool_choice"),
            (
                json!({"tool_choice": {"type": "function", "function": {"name": "b"}}, "tools": [tool("a")]}),
                "tool_choice",
            ),
            (json!({"tool_choice": {"type": "allowed_tools"}}), "tool_choice.type"),
            (json!({"tool_choice": "maybe"}), "tool_choice"),
        ] {
            let fault = read(body.clone()).err().unwrap_or_else(|| panic!("{body} was taken"));
            assert_eq!(fault.event()["error"]["param"], name, "{body}");
        }
    }
}
