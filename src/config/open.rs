//! Which keys there are, beyond those that the defaults show: sections whose keys are the operator's own.

use serde::Serialize;
use toml::{Table, Value};

use crate::engines::{Account, Limits, Route};

/// What may stand at a place.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Expected {
    /// A value of this one's type.
    Value(Value),
    /// Keys.
    Section,
    /// Whatever its reader understands.
    Anything,
}

impl Expected {
    pub(super) const fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Section | Self::Anything => None,
        }
    }

    fn of(value: &Value) -> Self {
        if value.is_table() { Self::Section } else { Self::Value(value.clone()) }
    }
}

/// What is below a key of the operator's own.
enum Below {
    /// One word.
    Text,
    /// Keys of their own again, one word each.
    Texts,
    /// These keys.
    Keys(Table),
}

/// The sections whose keys are the operator's own.
fn below(section: &str) -> Option<Below> {
    let keys = |table: Result<Table, _>| Below::Keys(table.unwrap_or_default());
    match section {
        "names" => Some(Below::Text),
        "voices" => Some(Below::Texts),
        "routes" => Some(keys(table(&Route::default()))),
        "limits" => Some(keys(table(&Limits::default()))),
        "compatible" => Some(keys(table(&Account::default()))),
        _ => None,
    }
}

fn table(value: &impl Serialize) -> Result<Table, toml::ser::Error> {
    Table::try_from(value)
}

/// What may stand at this path; `None` where nothing may.
pub(super) fn expected(schema: &Table, path: &[String]) -> Option<Expected> {
    let (section, rest) = path.split_first()?;
    match (below(section), rest) {
        (Some(_), []) => Some(Expected::Section),
        (Some(Below::Text), [_]) | (Some(Below::Texts), [_, _]) => Some(text()),
        (Some(Below::Text), _) => None,
        (Some(Below::Texts), rest) => (rest.len() == 1).then_some(Expected::Section),
        (Some(Below::Keys(_)), [_]) => Some(Expected::Section),
        (Some(Below::Keys(keys)), [_, rest @ ..]) => within(&keys, rest),
        (None, _) => within(schema, path),
    }
}

/// As far as the defaults go, and into what an account and the session of calls leave open.
fn within(table: &Table, path: &[String]) -> Option<Expected> {
    let (key, rest) = path.split_first()?;
    match (table.get(key)?, rest) {
        (value, []) => Some(Expected::of(value)),
        (Value::Table(_), _) if key == "settings" || key == "session" => Some(Expected::Anything),
        (Value::Table(_), [_]) if key == "models" && table.contains_key("settings") => Some(text()),
        (Value::Table(inner), rest) => within(inner, rest),
        _ => None,
    }
}

/// What there is instead.
pub(super) fn unknown(schema: &Table, path: &[String]) -> String {
    let list = |table: &Table| table.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let joined: Vec<_> = path.iter().map(String::as_str).collect();
    if joined == ["openai", "model"] {
        return "is gone: [openai] is OpenAI itself; a server of your own is [compatible.NAME], and its models are named in \
                chains: NAME/MODEL"
            .to_owned();
    }
    match path.first().and_then(|section| Some((section, schema.get(section)?))) {
        Some((section, Value::Table(inner))) => match below(section) {
            Some(Below::Keys(keys)) => format!("no such key; allowed here: {}", list(&keys)),
            Some(Below::Text | Below::Texts) => "is too deep: names are set to words here".to_owned(),
            None => format!("no such key; allowed here: {}", list(inner)),
        },
        _ => format!("no such section; allowed: {}", list(schema)),
    }
}

fn text() -> Expected {
    Expected::Value(Value::String(String::new()))
}
