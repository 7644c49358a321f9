//! Functions: whether the words ask for one, which, with what arguments, and how its result sounds.

mod fill;
mod schema;
mod slots;
mod tell;

use jiff::Zoned;
pub(super) use tell::tell;

use self::schema::Schema;
use super::heard::Heard;
use crate::{
    ErrorKind, ProviderError,
    llm::{Prompt, Tool, ToolChoice},
};

/// A call to make.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    /// A JSON object that fits the function's schema.
    pub(super) arguments: String,
}

/// The call these words and the prompt's choice lead to, if any.
///
/// # Errors
///
/// [`ErrorKind::Rejected`] when the demanded function is not among the prompt's.
pub(super) fn wanted(heard: &Heard, prompt: &Prompt, now: &Zoned) -> Result<Option<Wanted>, ProviderError> {
    let filled = |tool: &Tool| {
        let filling = fill::arguments(heard, tool, now);
        (Wanted { name: tool.name.clone(), arguments: filling.json.to_string() }, filling.complete)
    };
    Ok(match &prompt.tool_choice {
        ToolChoice::None => None,
        ToolChoice::Auto => {
            let clear =
                prompt.tools.iter().filter(|tool| asks_for(heard, tool)).max_by_key(|tool| likeness(heard, tool));
            clear.map(filled).filter(|(_, complete)| *complete).map(|(wanted, _)| wanted)
        }
        ToolChoice::Required => {
            // The likeliest; the first where nothing speaks for any.
            let best = prompt.tools.iter().rev().max_by_key(|tool| likeness(heard, tool));
            best.map(|tool| filled(tool).0)
        }
        ToolChoice::Function(name) => {
            let tool = prompt.tools.iter().find(|tool| tool.name == *name).ok_or_else(|| {
                ProviderError::new(super::NAME, ErrorKind::Rejected, format!("there is no function {name:?} to call"))
            })?;
            Some(filled(tool).0)
        }
    })
}

/// Whether the words clearly ask for this function: all that its name is about occurs in them, or most of what its
/// description is about does.
fn asks_for(heard: &Heard, tool: &Tool) -> bool {
    let name = topics(&split(&tool.name));
    let said = stems(heard);
    if !name.is_empty() && name.iter().all(|topic| said.contains(topic)) {
        return true;
    }
    let description = topics(&first_sentence(&tool.description));
    let hits = description.iter().filter(|topic| said.contains(topic)).count();
    hits >= 2 && hits * 2 > description.len()
}

/// How much of the function's name and description is in the words.
fn likeness(heard: &Heard, tool: &Tool) -> usize {
    let said = stems(heard);
    let hits = |text: &str| topics(text).iter().filter(|topic| said.contains(topic)).count();
    let root = serde_json::from_str(tool.parameters.as_str()).unwrap_or_default();
    let in_enums = Schema::new(&root).listed().iter().filter(|phrase| heard.has(&[phrase])).count();
    3 * hits(&split(&tool.name)) + hits(&tool.description) + 2 * in_enums
}

/// "get_weatherForecast" as words.
fn split(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.push(if letter.is_alphanumeric() { letter } else { ' ' });
    }
    words
}

fn first_sentence(text: &str) -> String {
    Heard::new(text).sentences().first().map(|sentence| sentence.text().to_owned()).unwrap_or_default()
}

/// The words that carry meaning, by their stems.
fn topics(text: &str) -> Vec<String> {
    let mut topics: Vec<String> = Vec::new();
    for word in Heard::new(text).words() {
        let stem = stem(&word.text);
        if word.text.len() > 2 && !EMPTY.contains(&word.text.as_str()) && !topics.contains(&stem) {
            topics.push(stem);
        }
    }
    topics
}

fn stems(heard: &Heard) -> Vec<String> {
    heard.words().iter().map(|word| stem(&word.text)).collect()
}

/// Enough for plurals and verb forms: "lights", "lighting", "forecasted".
fn stem(word: &str) -> String {
    let cut =
        ["ing", "ed", "es", "s"].iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.len() > 2));
    let stem = cut.unwrap_or(word);
    stem.strip_suffix('e').filter(|stem| stem.len() > 2).unwrap_or(stem).to_owned()
}

/// What names and descriptions of functions say whatever they are about.
const EMPTY: [&str; 58] = [
    "get",
    "set",
    "fetch",
    "find",
    "lookup",
    "look",
    "retrieve",
    "make",
    "create",
    "run",
    "call",
    "tool",
    "function",
    "api",
    "query",
    "return",
    "returns",
    "given",
    "the",
    "and",
    "for",
    "from",
    "with",
    "into",
    "about",
    "this",
    "that",
    "user",
    "use",
    "used",
    "provide",
    "provides",
    "specified",
    "current",
    "currently",
    "information",
    "info",
    "data",
    "value",
    "new",
    "any",
    "some",
    "what",
    "when",
    "where",
    "which",
    "who",
    "how",
    "you",
    "your",
    "their",
    "its",
    "please",
    "can",
    "will",
    "should",
    "does",
    "are",
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::scene::tests::now, *};
    use crate::Json;

    pub(super) fn tool(name: &str, description: &str, parameters: &Value) -> Tool {
        Tool {
            name: name.to_owned(),
            description: description.to_owned(),
            parameters: Json::from_checked(parameters.to_string()),
        }
    }

    fn tools() -> Vec<Tool> {
        let place = json!({"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]});
        vec![
            tool("get_weather", "Get the current weather in a location", &place),
            tool("turn_on_lights", "Switch the lights of a room on", &json!({"type": "object", "properties": {}})),
            tool("transfer_call", "Transfers the caller to another department", &json!({})),
        ]
    }

    fn choose(text: &str, tool_choice: ToolChoice) -> Option<Wanted> {
        let prompt = Prompt { tools: tools(), tool_choice, ..Prompt::default() };
        wanted(&Heard::new(text), &prompt, &now()).unwrap()
    }

    #[test]
    fn clear_words_call_a_function() {
        let weather = choose("What's the weather in Paris?", ToolChoice::Auto).unwrap();
        assert_eq!((weather.name.as_str(), weather.arguments.as_str()), ("get_weather", r#"{"location":"Paris"}"#));
        let lights = choose("Turn on the lights, please.", ToolChoice::Auto).unwrap();
        assert_eq!((lights.name.as_str(), lights.arguments.as_str()), ("turn_on_lights", "{}"));
    }

    #[test]
    fn unclear_words_call_nothing() {
        for text in ["What time is it?", "Go forward ten meters.", "Hello.", "I saw the light.", "What's the weather?"]
        {
            assert_eq!(choose(text, ToolChoice::Auto), None, "{text}");
        }
        assert_eq!(choose("What's the weather in Paris?", ToolChoice::None), None);
    }

    #[test]
    fn a_demanded_function_is_called_whatever_was_said() {
        assert_eq!(choose("Hello.", ToolChoice::Required).unwrap().name, "get_weather");
        assert_eq!(choose("Lights, please.", ToolChoice::Required).unwrap().name, "turn_on_lights");
        let named = choose("Hello.", ToolChoice::Function("transfer_call".into())).unwrap();
        assert_eq!((named.name.as_str(), named.arguments.as_str()), ("transfer_call", "{}"));
        let prompt = Prompt { tool_choice: ToolChoice::Function("gone".into()), ..Prompt::default() };
        let error = wanted(&Heard::new("hi"), &prompt, &now()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
    }
}
