//! JSON Schemas cut to the part Gemini understands: it refuses a request for one keyword it does not know.
//!
//! Kept are the fields of <https://ai.google.dev/api/caching#Schema>; references are put in their places, unions of a
//! type with null become `nullable`, single values choices of one. What cannot be said is left open: a model that is told
//! too little still calls, one whose request is refused does not.

use serde_json::{Map, Value, json};

/// A function's parameters, or [`None`] if it has none.
pub(super) fn parameters(schema: Map<String, Value>) -> Option<Value> {
    let root = Value::Object(schema);
    let mut cleaned = Cleaner { root: &root, depth: 0 }.clean(&root);
    cleaned.get("properties").and_then(Value::as_object).filter(|properties| !properties.is_empty())?;
    // A function's parameters are an object, whether the client says so or not.
    cleaned["type"] = json!("object");
    Some(cleaned)
}

struct Cleaner<'a> {
    root: &'a Value,
    depth: usize,
}

impl Cleaner<'_> {
    fn clean(&self, schema: &Value) -> Value {
        let inner = Self { root: self.root, depth: self.depth + 1 };
        let Some(fields) = self.resolve(schema).as_object().filter(|_| self.depth < DEEPEST) else { return json!({}) };
        let mut out = Map::new();
        for (name, value) in fields {
            match name.as_str() {
                "type" => name_type(value, &mut out),
                "properties" => {
                    let cleaned = value.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), inner.clean(v)));
                    out.insert(name.clone(), Value::Object(cleaned.collect()));
                }
                "items" => _ = out.insert(name.clone(), inner.clean(value)),
                "anyOf" | "oneOf" => inner.alternatives(value, &mut out),
                "allOf" => inner.merge(value, &mut out),
                "enum" => _ = out.insert(name.clone(), value.clone()),
                "const" => _ = out.insert("enum".to_owned(), json!([value])),
                kept if KEPT.contains(&kept) => _ = out.insert(name.clone(), value.clone()),
                _ => {}
            }
        }
        consistent(out)
    }

    /// What a reference within the schema points at.
    fn resolve<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let pointed = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
        pointed.and_then(|path| self.root.pointer(path)).unwrap_or(schema)
    }

    fn alternatives(&self, value: &Value, out: &mut Map<String, Value>) {
        let is_null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        let all: Vec<_> = value.as_array().into_iter().flatten().collect();
        let some: Vec<_> = all.iter().copied().filter(|schema| !is_null(schema)).collect();
        if some.len() < all.len() {
            out.insert("nullable".to_owned(), json!(true));
        }
        match some[..] {
            [] => {}
            [only] => out.extend(self.clean(only).as_object().cloned().unwrap_or_default()),
            _ => _ = out.insert("anyOf".to_owned(), some.into_iter().map(|schema| self.clean(schema)).collect()),
        }
    }

    /// All of these at once: their properties together.
    fn merge(&self, value: &Value, out: &mut Map<String, Value>) {
        for part in value.as_array().into_iter().flatten() {
            for (name, value) in self.clean(part).as_object().cloned().unwrap_or_default() {
                match (out.get_mut(&name), value) {
                    (Some(Value::Object(mine)), Value::Object(its)) => mine.extend(its),
                    (Some(Value::Array(mine)), Value::Array(its)) => mine.extend(its),
                    (Some(_), _) => {}
                    (None, value) => _ = out.insert(name, value),
                }
            }
        }
    }
}

/// One type, and whether it may be null; of several others the first.
fn name_type(value: &Value, out: &mut Map<String, Value>) {
    let names: Vec<_> = match value {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::String(name) => vec![name.as_str()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if let Some(name) = names.iter().find(|name| **name != "null") {
        out.insert("type".to_owned(), json!(name));
        if names.contains(&"null") {
            out.insert("nullable".to_owned(), json!(true));
        }
    }
}

/// What the vendor further insists on: choices are of strings, formats of a known kind, required properties exist.
fn consistent(mut out: Map<String, Value>) -> Value {
    if let Some(Value::Array(choices)) = out.get_mut("enum") {
        choices.retain(|choice| choice.as_str().is_some_and(|choice| !choice.is_empty()));
        if choices.is_empty() {
            out.remove("enum");
        } else {
            out.insert("type".to_owned(), json!("string"));
        }
    }
    let kind = out.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let formats: &[&str] = match kind.as_str() {
        "string" => &["date-time", "enum"],
        "number" => &["float", "double"],
        "integer" => &["int32", "int64"],
        _ => &[],
    };
    if out.get("format").is_some_and(|format| !format.as_str().is_some_and(|format| formats.contains(&format))) {
        out.remove("format");
    }
    if kind == "array" && !out.contains_key("items") {
        out.insert("items".to_owned(), json!({"type": "string"}));
    }
    let known: Vec<String> =
        out.get("properties").and_then(Value::as_object).map(|all| all.keys().cloned().collect()).unwrap_or_default();
    if let Some(Value::Array(required)) = out.get_mut("required") {
        required.retain(|name| name.as_str().is_some_and(|name| known.iter().any(|known| known == name)));
        if required.is_empty() {
            out.remove("required");
        }
    }
    Value::Object(out)
}

/// Deeper schemas, and those that contain themselves, are cut off here.
const DEEPEST: usize = 12;
/// Taken over as they are.
const KEPT: [&str; 14] = [
    "description",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "nullable",
    "pattern",
    "required",
    "title",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(schema: Value) -> Value {
        let Value::Object(properties) = json!({"x": schema}) else { unreachable!() };
        let Value::Object(root) = json!({"type": "object", "properties": properties}) else { unreachable!() };
        parameters(root).unwrap()["properties"]["x"].clone()
    }

    #[test]
    fn what_the_vendor_does_not_know_is_said_otherwise_or_not_at_all() {
        for (given, expected) in [
            (json!({"type": ["string", "null"]}), json!({"type": "string", "nullable": true})),
            (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!({"type": "string", "nullable": true})),
            (
                json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
                json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            ),
            (json!({"const": "a"}), json!({"type": "string", "enum": ["a"]})),
            (json!({"type": "integer", "enum": [1, 2]}), json!({"type": "integer"})),
            (json!({"type": "string", "format": "email"}), json!({"type": "string"})),
            (json!({"type": "string", "format": "date-time"}), json!({"type": "string", "format": "date-time"})),
            (
                json!({"type": "number", "exclusiveMinimum": 0, "default": 1, "$comment": "x"}),
                json!({"type": "number"}),
            ),
            (json!({"type": "array"}), json!({"type": "array", "items": {"type": "string"}})),
            (
                json!({"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "gone"]},
                    {"properties": {"b": {"type": "boolean"}}, "required": ["b"]}], "additionalProperties": false}),
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}},
                    "required": ["a", "b"]}),
            ),
            (json!(true), json!({})),
        ] {
            assert_eq!(cleaned(given.clone()), expected, "{given}");
        }
    }

    #[test]
    fn references_stand_in_their_places_and_circles_end() {
        let Value::Object(root) = json!({
            "$defs": {"city": {"type": "string"}, "tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}},
            "properties": {"city": {"$ref": "#/$defs/city"}, "tree": {"$ref": "#/$defs/tree"}},
        }) else {
            unreachable!()
        };
        let cleaned = parameters(root).unwrap();
        assert_eq!((&cleaned["properties"]["city"], &cleaned["type"]), (&json!({"type": "string"}), &json!("object")));
        assert!(!cleaned.to_string().contains("$"));
        assert!(cleaned.to_string().len() < 2_000);
    }

    #[test]
    fn functions_without_parameters_have_no_schema() {
        for schema in [json!({}), json!({"type": "object", "properties": {}}), json!({"type": "string"})] {
            let Value::Object(schema) = schema else { unreachable!() };
            assert_eq!(parameters(schema), None);
        }
    }
}
