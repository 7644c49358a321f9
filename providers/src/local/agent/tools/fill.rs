//! Arguments from words: every required member present and of its type, optional ones only where the words name them.

use jiff::Zoned;
use serde_json::{Map, Number, Value, json};

use super::{
    schema::{DEEPEST, Kind, Schema, spoken},
    slots::Slots,
};
use crate::{llm::Tool, local::agent::heard::Heard};

/// A filled-in object.
pub(super) struct Filling {
    pub(super) json: Value,
    /// Whether the words had something for every required member; the rest got defaults.
    pub(super) complete: bool,
}

/// Fills a function's parameters from the words.
pub(super) fn arguments(heard: &Heard, tool: &Tool, now: &Zoned) -> Filling {
    let root = serde_json::from_str(tool.parameters.as_str()).unwrap_or(Value::Null);
    let schema = Schema::new(&root);
    let mut form = Form { slots: Slots::new(heard, now), complete: true };
    for phrase in schema.listed() {
        form.slots.take(&phrase);
    }
    let json = form.object(schema, 0);
    Filling { json, complete: form.complete }
}

struct Form<'a> {
    slots: Slots<'a>,
    complete: bool,
}

impl Form<'_> {
    fn object(&mut self, schema: Schema<'_>, depth: usize) -> Value {
        let mut object = Map::new();
        for (name, node) in schema.properties().into_iter().flatten() {
            let member = schema.at(node);
            let required = schema.requires(name);
            if let Some(value) = self.found(name, member, required, depth) {
                object.insert(name.clone(), value);
            } else if required {
                self.complete &= member.member("default").is_some();
                object.insert(name.clone(), self.default(member, depth));
            }
        }
        Value::Object(object)
    }

    /// What the words say for this member.
    fn found(&mut self, name: &str, schema: Schema<'_>, required: bool, depth: usize) -> Option<Value> {
        if let Some(choices) = schema.choices() {
            return self.choice(&choices);
        }
        match schema.kind() {
            Kind::Number => self.number(name, schema, required).map(Value::Number),
            Kind::Integer => {
                let number = self.number(name, schema, required)?.as_f64()?.round();
                Some(json!(number as i64))
            }
            Kind::Boolean => self.slots.yes_or_no(&spoken(name)).map(Value::Bool),
            Kind::Text => self.slots.text(name, schema, required).map(Value::String),
            Kind::Array if required && depth < DEEPEST => self.list(name, schema, depth),
            Kind::Object if required && depth < DEEPEST => Some(self.object(schema, depth + 1)),
            Kind::Array | Kind::Object | Kind::Null => None,
        }
    }

    /// The listed value the words name; the longest, so that "dark blue" beats "blue".
    fn choice(&mut self, choices: &[&Value]) -> Option<Value> {
        let named = choices.iter().filter(|value| match value {
            Value::String(text) => !text.is_empty() && self.slots.names(&spoken(text)),
            Value::Number(number) => self.slots.names(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        });
        named.max_by_key(|value| value.to_string().len()).map(|value| (*value).clone())
    }

    fn number(&mut self, name: &str, schema: Schema<'_>, required: bool) -> Option<Number> {
        let value = self.slots.number(&spoken(name), required)?;
        Number::from_f64(within(value, schema)).map(|number| match number.as_f64() {
            Some(value) if value.fract() == 0.0 && value.abs() < 1e15 => Number::from(value as i64),
            Some(_) | None => number,
        })
    }

    fn list(&mut self, name: &str, schema: Schema<'_>, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        let item = schema.at(schema.member("items")?);
        if item.kind() == Kind::Text && item.choices().is_none() {
            items.extend(self.slots.enumeration(name).into_iter().map(Value::String));
        } else {
            let most = schema.bound("maxItems").map_or(MOST_ITEMS, |most| most as usize).min(MOST_ITEMS);
            while items.len() < most
                && let Some(value) = self.found(name, item, true, depth + 1)
            {
                let repeats = items.contains(&value);
                if repeats || item.kind() == Kind::Object || item.kind() == Kind::Boolean {
                    items.extend((!repeats).then_some(value));
                    break;
                }
                items.push(value);
            }
        }
        (!items.is_empty()).then_some(Value::Array(items))
    }

    /// A value of the right type where the words gave none.
    fn default(&self, schema: Schema<'_>, depth: usize) -> Value {
        if let Some(default) = schema.member("default") {
            return default.clone();
        }
        if let Some(first) = schema.choices().and_then(|choices| choices.first().copied()) {
            return first.clone();
        }
        match schema.kind() {
            Kind::Text => Value::String(self.slots.stand_in(schema.text("format"))),
            Kind::Integer => json!(within(0.0, schema).ceil() as i64),
            Kind::Number => json!(within(0.0, schema)),
            Kind::Boolean => Value::Bool(false),
            Kind::Null => Value::Null,
            Kind::Object if depth < DEEPEST => {
                let members = schema.properties().into_iter().flatten().filter(|(name, _)| schema.requires(name));
                let member = |(name, node): (&String, &Value)| (name.clone(), self.default(schema.at(node), depth + 1));
                Value::Object(members.map(member).collect())
            }
            Kind::Array if depth < DEEPEST => {
                let least = schema.bound("minItems").map_or(0, |least| least as usize).min(MOST_ITEMS);
                let item = schema.member("items").map_or(Value::Null, |node| self.default(schema.at(node), depth + 1));
                Value::Array(vec![item; least])
            }
            Kind::Object => json!({}),
            Kind::Array => json!([]),
        }
    }
}

fn within(value: f64, schema: Schema<'_>) -> f64 {
    let least = schema.bound("minimum").or_else(|| schema.bound("exclusiveMinimum").map(|least| least + 1.0));
    let most = schema.bound("maximum").or_else(|| schema.bound("exclusiveMaximum").map(|most| most - 1.0));
    let value = least.map_or(value, |least| value.max(least));
    most.map_or(value, |most| value.min(most))
}

/// More items than anyone says in one breath.
const MOST_ITEMS: usize = 16;

#[cfg(test)]
mod tests {
    use super::{super::tests::tool, *};
    use crate::local::agent::scene::tests::now;

    fn fill(text: &str, parameters: Value) -> Value {
        arguments(&Heard::new(text), &tool("act", "", &parameters), &now()).json
    }

    fn object(properties: Value, required: &[&str]) -> Value {
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    #[test]
    fn arguments_come_from_the_words() {
        let string = json!({"type": "string"});
        let integer = json!({"type": "integer"});
        let colors = json!({"type": "string", "enum": ["red", "blue", "dark_blue"]});
        for (text, properties, required, expected) in [
            ("What's the weather in New York?", json!({"city": string}), &["city"][..], json!({"city": "New York"})),
            (
                "What's the weather like in Paris tomorrow in celsius?",
                json!({"location": string, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}),
                &["location"],
                json!({"location": "Paris", "unit": "celsius"}),
            ),
            ("Paint it dark blue.", json!({"color": colors}), &["color"], json!({"color": "dark_blue"})),
            ("Set a timer for five minutes.", json!({"minutes": integer}), &["minutes"], json!({"minutes": 5})),
            (
                "Book a table for four people in Rome.",
                json!({"guests": integer, "place": string}),
                &["guests", "place"],
                json!({"guests": 4, "place": "Rome"}),
            ),
            (
                "Add 2 and 3.5",
                json!({"a": {"type": "number"}, "b": {"type": "number"}}),
                &["a", "b"],
                json!({"a": 2, "b": 3.5}),
            ),
            ("Turn the light off.", json!({"on": {"type": "boolean"}}), &["on"], json!({"on": false})),
            ("Turn the light on.", json!({"on": {"type": "boolean"}}), &["on"], json!({"on": true})),
            ("Search for red shoes.", json!({"query": string}), &["query"], json!({"query": "red shoes"})),
            (
                "Remind me tomorrow.",
                json!({"date": {"type": "string", "format": "date"}}),
                &["date"],
                json!({"date": "2026-11-23"}),
            ),
            (
                "Email bob@example.com.",
                json!({"email": {"type": "string", "format": "email"}}),
                &["email"],
                json!({"email": "bob@example.com"}),
            ),
            ("My name is Alice Smith.", json!({"name": string}), &["name"], json!({"name": "Alice Smith"})),
            (
                "Buy milk, eggs and bread.",
                json!({"items": {"type": "array", "items": string}}),
                &["items"],
                json!({"items": ["milk", "eggs", "bread"]}),
            ),
            (
                "Go forward ten meters.",
                json!({"distance": {"type": ["number", "null"]}}),
                &["distance"],
                json!({"distance": 10}),
            ),
        ] {
            assert_eq!(fill(text, object(properties, required)), expected, "{text}");
        }
    }

    #[test]
    fn required_members_are_present_and_typed_whatever_was_said() {
        let parameters = object(
            json!({
                "count": {"type": "integer", "minimum": 1},
                "ratio": {"type": "number"},
                "flag": {"type": "boolean"},
                "mode": {"enum": ["fast", "slow"]},
                "tags": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
                "who": {"$ref": "#/$defs/person"},
                "note": {"anyOf": [{"type": "null"}, {"type": "string"}]},
                "when": {"type": "string", "format": "date-time"},
                "limit": {"type": "integer", "default": 7},
            }),
            &["count", "ratio", "flag", "mode", "tags", "who", "note", "when", "limit"],
        );
        let mut parameters = parameters;
        parameters["$defs"] = json!({"person": object(json!({"age": {"type": "integer"}}), &["age"])});
        let filled = fill("Hello there.", parameters);
        let expected = json!({
            "count": 1, "ratio": 0.0, "flag": false, "mode": "fast", "tags": [0, 0], "who": {"age": 0},
            "note": "Hello there.", "when": "2026-11-22T15:05:00Z", "limit": 7,
        });
        assert_eq!(filled, expected);
    }

    #[test]
    fn optional_members_wait_to_be_named() {
        let properties =
            json!({"query": {"type": "string"}, "limit": {"type": "integer"}, "verbose": {"type": "boolean"}});
        let filled = fill("Look for 3 blind mice.", object(properties.clone(), &["query"]));
        assert_eq!(filled, json!({"query": "3 blind mice"}));
        let filled = fill("Search shoes, limit 5.", object(properties, &["query"]));
        assert_eq!(filled["limit"], json!(5));
    }

    #[test]
    fn odd_schemas_do_no_harm() {
        let circular = json!({"$ref": "#"});
        assert_eq!(fill("hi", circular), json!({}));
        let nested = json!({"properties": {"a": {"$ref": "#"}}, "required": ["a"]});
        assert!(fill("hi", nested).is_object());
        for odd in [
            json!(null),
            json!(true),
            json!([]),
            json!({"type": "object", "properties": 7}),
            json!({"properties": {"a": 5}, "required": ["a", 3]}),
        ] {
            assert!(fill("hi", odd).is_object());
        }
    }
}
