//! Arguments as models write them: read strictly, and what does not fit is told in words that a model can act upon.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The arguments of one of our own tools. None at all are an empty object.
///
/// # Errors
/// What does not fit, by its name.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(object(text)?)).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner().to_string());
        if path == "." { inner } else { format!("{path}: {inner}") }
    })
}

/// The arguments of any tool.
///
/// # Errors
/// They are no JSON object.
pub(super) fn object(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("the arguments must be a JSON object".to_owned()),
        Err(error) => Err(format!("the arguments are no valid JSON: {error}")),
    }
}

/// Whether arguments fit a JSON Schema in what goes wrong most: what is required, what is unknown where nothing else is allowed,
/// and the type and choice of each. The rest is for whoever is called to refuse.
///
/// # Errors
/// What does not fit, by its name.
pub(super) fn fit(members: &Map<String, Value>, schema: &Value) -> Result<(), String> {
    let known = schema["properties"].as_object();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return Err(format!("`{name}` is missing"));
        }
    }
    for (name, value) in members {
        match known.and_then(|known| known.get(name)) {
            Some(schema) => fits(name, value, schema)?,
            None if schema["additionalProperties"] == false => return Err(format!("there is no `{name}`")),
            None => {}
        }
    }
    Ok(())
}

fn fits(name: &str, value: &Value, schema: &Value) -> Result<(), String> {
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|kind| is(value, kind)) {
        return Err(format!("`{name}` must be of type {}", types.join(" or ")));
    }
    match schema["enum"].as_array() {
        Some(choices) if !choices.contains(value) => {
            let choices: Vec<_> = choices.iter().map(Value::to_string).collect();
            Err(format!("`{name}` must be one of {}", choices.join(", ")))
        }
        Some(_) | None => Ok(()),
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told_by_its_name() {
        let schema = json!({
            "properties": {
                "city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["c", "f"]},
                "at": {"type": ["string", "null"]},
            },
            "required": ["city"], "additionalProperties": false,
        });
        for (given, wrong) in [
            (json!({"city": "Oslo", "days": 3.0, "unit": "c", "at": null}), None),
            (json!({}), Some("`city` is missing")),
            (json!({"city": 1}), Some("`city` must be of type string")),
            (json!({"city": "Oslo", "days": 1.5}), Some("`days` must be of type integer")),
            (json!({"city": "Oslo", "unit": "k"}), Some("`unit` must be one of \"c\", \"f\"")),
            (json!({"city": "Oslo", "town": "x"}), Some("there is no `town`")),
        ] {
            let members = object(&given.to_string()).unwrap();
            assert_eq!(fit(&members, &schema).err().as_deref(), wrong, "{given}");
        }
        assert!(object("[1]").is_err() && object("{\"cut").is_err());
        assert_eq!(object(" ").unwrap(), Map::new());
    }
}
