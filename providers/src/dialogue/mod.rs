//! What the adapters of language models share: conversations as vendors insist on having them, replies in the order
//! the trait promises, and what a vendor wants back with its calls.

mod draft;
mod echoes;
mod ids;
mod steps;
mod turns;

pub(crate) use draft::Draft;
pub(crate) use echoes::Echoes;
pub(crate) use ids::fitting;
pub(crate) use steps::{Made, Step, steps};
pub(crate) use turns::{BEGIN, Part, Speaker, Turn, alternate};

use serde_json::{Map, Value, json};

use crate::llm::Tool;

/// A function's schema as an object, whatever the client gave.
pub(crate) fn schema(tool: &Tool) -> Map<String, Value> {
    match serde_json::from_str(tool.parameters.as_str()) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | Err(_) => Map::new(),
    }
}

/// A temperature as it was given: 0.8 is not sent as 0.800000011920929.
pub(crate) fn temperature(value: f32) -> Value {
    json!(value.to_string().parse::<f64>().unwrap_or(1.0))
}
