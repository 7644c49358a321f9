//! JSON Schemas (2020-12, the dialect of OpenAPI 3.1) of what types do not tell.

use serde_json::{Value, json};

/// Any JSON object.
pub(in crate::rest) fn object() -> Value {
    json!({"type": "object"})
}

/// Any text.
pub(in crate::rest) fn text() -> Value {
    json!({"type": "string"})
}

/// Any text but none.
pub(in crate::rest) fn name() -> Value {
    json!({"type": "string", "minLength": 1})
}

/// Bytes, of which the media type tells all.
pub(in crate::rest) fn bytes() -> Value {
    json!({})
}

/// One of these words.
pub(in crate::rest) fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// The id of something that is kept.
pub(in crate::rest) fn id() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// Without the defaults that say nothing: where null is told apart from nothing, it is no default.
pub(super) fn tidy(schema: &mut schemars::Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}
