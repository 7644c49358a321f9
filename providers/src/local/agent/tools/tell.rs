//! A function's result in words: JSON flattened to something one can say.

use serde_json::Value;

/// A sentence about what the function answered.
pub(in super::super) fn tell(function: &str, output: &str) -> String {
    let output = output.trim();
    let value = serde_json::from_str(output).unwrap_or_else(|_| Value::String(output.to_owned()));
    if let Value::Object(members) = &value
        && let Some(error) = ["error", "errors", "error_message"].iter().find_map(|key| members.get(*key))
        && !matches!(error, Value::Null | Value::Bool(false))
    {
        return ended(format!("{} failed: {}", named(function), spoken(error, 0)));
    }
    let words = spoken(&value, 0);
    if words.is_empty() {
        return format!("{} is done.", named(function));
    }
    // A result that is a sentence already needs no introduction.
    let sentence = matches!(&value, Value::String(text) if text.split_whitespace().count() > 2);
    ended(if sentence { short(&words) } else { format!("{} says: {}", named(function), short(&words)) })
}

/// "get_weather" as "The weather": what it is about, in words.
fn named(function: &str) -> String {
    let mut words = String::new();
    for letter in function.chars() {
        if letter.is_uppercase() && !words.ends_with(' ') {
            words.push(' ');
        }
        words.extend(if letter.is_alphanumeric() { letter.to_lowercase().next() } else { Some(' ') });
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let about = match words[..] {
        ["get" | "fetch" | "find" | "lookup" | "query", _, ..] => &words[1..],
        _ => &words[..],
    };
    if about.is_empty() { "The function".to_owned() } else { format!("The {}", about.join(" ")) }
}

fn spoken(value: &Value, depth: usize) -> String {
    if depth > DEEPEST {
        return "more".to_owned();
    }
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string().replace('-', "minus "),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Array(items) => {
            listed(items.iter().take(MOST).map(|item| spoken(item, depth + 1)).collect(), items.len())
        }
        Value::Object(members) => {
            let told = members.iter().filter(|(_, value)| !value.is_null());
            let parts = told.take(MOST).map(|(key, value)| match value {
                Value::Object(_) | Value::Array(_) => format!("{}: {}", label(key), spoken(value, depth + 1)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                    format!("{} {}", label(key), spoken(value, depth + 1))
                }
            });
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

fn listed(mut items: Vec<String>, total: usize) -> String {
    if total > items.len() {
        items.push(format!("{} more", total - items.len()));
    }
    match items.pop() {
        None => "nothing".to_owned(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}

fn label(key: &str) -> String {
    key.replace(['_', '-'], " ")
}

fn short(words: &str) -> String {
    if words.chars().count() <= LONGEST {
        return words.to_owned();
    }
    let cut: String = words.chars().take(LONGEST).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    format!("{}, and so on", cut.trim_end_matches(|c: char| c.is_ascii_punctuation()))
}

fn ended(text: String) -> String {
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

const DEEPEST: usize = 4;
/// Members and items told of one object or list.
const MOST: usize = 8;
/// About half a minute of speech, in characters.
const LONGEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_become_sentences() {
        for (function, output, expected) in [
            (
                "get_weather",
                r#"{"temperature":21,"conditions":"sunny"}"#,
                "The weather says: conditions sunny, temperature 21.",
            ),
            ("get_weather", r#"{"temperature":-4.5}"#, "The weather says: temperature minus 4.5."),
            ("get_weather", "It is sunny in Paris", "It is sunny in Paris."),
            ("add", "5", "The add says: 5."),
            ("list_rooms", r#"["hall","attic","den"]"#, "The list rooms says: hall, attic and den."),
            ("turnOnLights", r#"{"ok":true}"#, "The turn on lights says: ok yes."),
            ("transfer", "", "The transfer is done."),
            ("get_weather", r#"{"error":"no such city"}"#, "The weather failed: no such city."),
            ("x", r#"{"place":{"name":"Rome"}}"#, "The x says: place: name Rome."),
        ] {
            assert_eq!(tell(function, output), expected);
        }
    }

    #[test]
    fn long_results_are_cut() {
        let told = tell("read", &"words and ".repeat(1_000));
        assert!(told.len() < 450 && told.ends_with("and so on."), "{told}");
        let deep = "[".repeat(60) + &"]".repeat(60);
        assert!(tell("read", &deep).contains("more"));
    }
}
