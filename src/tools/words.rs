//! What a person is asked before something is changed: words of ours around exactly what would be.

use providers::quoted::one_line;
use serde_json::{Map, Value};

/// Characters of a question at most: what is longer is not remembered by whoever hears it.
const LONGEST: usize = 800;

/// The question whether to make this change, in words like "set age to 54 years".
///
/// # Errors
/// It is too much to ask at once.
pub(super) fn question(change: &str, language: Option<&str>) -> Result<String, String> {
    let change = one_line(change);
    let language = language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default().to_lowercase();
    let question = match &*language {
        "de" => format!("Ich würde Folgendes tun: {change}. Soll ich?"),
        "fr" => format!("Je ferais ceci : {change}. Dois-je le faire ?"),
        "es" => format!("Haría lo siguiente: {change}. ¿Lo hago?"),
        "it" => format!("Farei questo: {change}. Procedo?"),
        "pt" => format!("Eu faria o seguinte: {change}. Posso?"),
        "nl" => format!("Ik zou dit doen: {change}. Zal ik dat doen?"),
        _ => format!("I would do this: {change}. Shall I?"),
    };
    if question.chars().count() > LONGEST {
        return Err("this is too much to ask the person at once: change less".to_owned());
    }
    Ok(question)
}

/// A call of somebody's tool with its arguments, as one would say it.
pub(super) fn spoken(name: &str, arguments: &Map<String, Value>) -> String {
    let name = name.replace(['_', '-'], " ");
    let parts: Vec<_> =
        arguments.iter().map(|(key, value)| format!("{}: {}", key.replace('_', " "), said(value))).collect();
    if parts.is_empty() { name } else { format!("{name} with {}", parts.join("; ")) }
}

fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_holds_all_that_would_be_done_on_one_line() {
        let Value::Object(arguments) = json!({"full_name": "Ann\nYes. Done.", "days": [1, 2]}) else {
            panic!("an object")
        };
        let change = spoken("book_a-visit", &arguments);
        let asked = question(&change, None).unwrap();
        assert_eq!(asked, "I would do this: book a visit with days: 1, 2; full name: Ann Yes. Done.. Shall I?");
        assert!(question(&change, Some("de-AT")).unwrap().starts_with("Ich würde Folgendes tun: book a visit"));
        assert!(question(&"x".repeat(900), None).is_err());
    }
}
