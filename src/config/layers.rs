//! Defaults, file, environment, flags: laid over each other key by key.
//!
//! The defaults, serialised, are the schema; sections whose keys are the operator's own are in `open`. Each given value is
//! checked against it by itself, so that all mistakes are found in one pass and each is told with the place it came from.

use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value, de::DeTable};

use super::{
    open::{self, Expected},
    problem::Problem,
    source::Source,
};

/// Prefix of environment variables; `__` parts section and key.
pub(super) const PREFIX: &str = "VOICE_RELAY__";

/// One given value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) origin: String,
}

impl Given {
    fn key(&self) -> String {
        self.path.join(".")
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem { origin: self.origin.clone(), key: self.key(), message: message.into() }
    }
}

/// The leaves of a TOML text, each with `name:line`.
pub(super) fn from_toml(name: &str, text: &str) -> Result<Vec<Given>, Problem> {
    let broken = |error: toml::de::Error| Problem {
        origin: match error.span() {
            Some(span) => format!("{name}:{}", line_of(text, span.start)),
            None => name.to_owned(),
        },
        key: String::new(),
        message: error.message().to_owned(),
    };
    let table = DeTable::parse(text).map_err(broken)?;
    let values: Table = toml::from_str(text).map_err(broken)?;
    let mut found = Vec::new();
    for (section, value) in values {
        leaves(text, table.get_ref(), vec![section], value, 1, &mut found);
    }
    found.sort_by_key(|(line, ..)| *line);
    let given = |(line, path, value)| Given { path, value, origin: format!("{name}:{line}") };
    Ok(found.into_iter().map(given).collect())
}

/// Gathers the values below one key of `table`, each with its line; a key that cannot be found is where its section is.
fn leaves(
    text: &str,
    table: &DeTable<'_>,
    path: Vec<String>,
    value: Value,
    line: usize,
    found: &mut Vec<(usize, Vec<String>, Value)>,
) {
    let spot = table.iter().find(|(key, _)| path.last().is_some_and(|last| key.get_ref() == last.as_str()));
    let line = spot.map_or(line, |(key, _)| line_of(text, key.span().start));
    match (value, spot.and_then(|(_, inner)| inner.get_ref().as_table())) {
        (Value::Table(keys), Some(inner)) if !keys.is_empty() => {
            for (key, value) in keys {
                leaves(text, inner, [&path[..], &[key]].concat(), value, line, found);
            }
        }
        (value, _) => found.push((line, path, value)),
    }
}

/// The values in `VOICE_RELAY__SECTION__KEY` variables. Text is read as the key's type asks: `true`, `8`, `0.5`, and lists
/// as `a,b` or in TOML's brackets.
pub(super) fn from_environment(source: &dyn Source, schema: &Table, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut given = Vec::new();
    for (name, text) in source.starting_with(PREFIX) {
        let path: Vec<String> = name[PREFIX.len()..].to_lowercase().split("__").map(str::to_owned).collect();
        let expected = open::expected(schema, &path);
        let value = read_as(expected.as_ref().and_then(Expected::value), text);
        let one = Given { path, value, origin: format!("environment {name}") };
        if one.value.as_str().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
            problems.push(one.problem("must be UTF-8 text"));
        } else {
            given.push(one);
        }
    }
    given
}

/// Lays `given` over the defaults, later ones winning, and reports every value that does not fit.
pub(super) fn overlay<C: Serialize + DeserializeOwned + Default>(given: &[Given]) -> (C, Vec<Problem>) {
    let schema = schema::<C>();
    let mut merged = schema.clone();
    let mut problems = Vec::new();
    for one in given {
        if let Err(problem) = check::<C>(&schema, one) {
            problems.push(problem);
            continue;
        }
        put(&mut merged, &one.path, one.value.clone());
    }
    match merged.try_into() {
        Ok(config) => (config, problems),
        Err(error) => {
            problems.push(Problem { origin: "configuration".into(), key: String::new(), message: error.to_string() });
            (C::default(), problems)
        }
    }
}

/// The defaults as a table: which keys exist and what type each has.
pub(super) fn schema<C: Serialize + Default>() -> Table {
    Table::try_from(C::default()).unwrap_or_default()
}

/// Where the value of `key` came from, for problems found after merging; of a key that nobody gave, where its section did.
pub(super) fn origin_of(given: &[Given], key: &str) -> String {
    let section = key.rsplit_once('.').map_or("", |(section, _)| section);
    let within =
        |one: &&Given, section: &str| one.key().strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    let exact = given.iter().rev().find(|one| one.key() == key);
    let found = exact.or_else(|| given.iter().find(|one| within(one, key)));
    let found = found.or_else(|| given.iter().find(|one| within(one, section)));
    found.map_or_else(|| "default".to_owned(), |one| one.origin.clone())
}

fn check<C: Serialize + DeserializeOwned + Default>(schema: &Table, one: &Given) -> Result<(), Problem> {
    let Some(expected) = open::expected(schema, &one.path) else {
        return Err(one.problem(open::unknown(schema, &one.path)));
    };
    match (&expected, &one.value) {
        (Expected::Anything, _) => {}
        (Expected::Section, Value::Table(empty)) if empty.is_empty() => return Ok(()),
        (Expected::Section, _) => return Err(one.problem("is a section, not a value")),
        (Expected::Value(expected), given) => {
            let number = expected.is_float() && given.is_integer();
            if !number && !expected.same_type(given) {
                let given = if given.is_float() { "a fraction" } else { article(given) };
                return Err(one.problem(format!("must be {}, not {given}", article(expected))));
            }
        }
    }
    let mut alone = schema.clone();
    put(&mut alone, &one.path, one.value.clone());
    match alone.try_into::<C>() {
        Ok(_) => Ok(()),
        Err(error) => Err(one.problem(allowed(expected.value(), error.message().trim()))),
    }
}

/// What is allowed, from the parser's words for what it got.
fn allowed(expected: Option<&Value>, message: &str) -> String {
    match message.split_once(", expected ") {
        Some((got, choices)) if got.starts_with("unknown variant") => {
            format!("must be {}", choices.trim_start_matches("one of "))
        }
        Some(_) if expected.is_some_and(Value::is_integer) => "must be a whole number, 0 or more".into(),
        Some((got, "a string")) if got.starts_with("invalid type") && expected.is_some_and(Value::is_array) => {
            "must be a list of strings".into()
        }
        _ => message.to_owned(),
    }
}

/// Sets what is at the end of the path, making the sections on the way.
fn put(table: &mut Table, path: &[String], value: Value) {
    let [sections @ .., key] = path else { return };
    let mut table = table;
    for section in sections {
        let inner = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else { return };
        table = inner;
    }
    let value = match (table.get(key), value) {
        (Some(Value::Float(_)), Value::Integer(whole)) => Value::Float(whole as f64),
        // A section that is given empty changes nothing.
        (Some(Value::Table(_)), Value::Table(_)) => return,
        (_, value) => value,
    };
    table.insert(key.clone(), value);
}

fn read_as(expected: Option<&Value>, text: String) -> Value {
    let parsed = match expected {
        Some(Value::Boolean(_)) => text.parse().ok().map(Value::Boolean),
        Some(Value::Integer(_)) => text.parse().ok().map(Value::Integer),
        Some(Value::Float(_)) => text.parse().ok().map(Value::Float),
        Some(Value::Array(_)) if text.trim_start().starts_with('[') => {
            toml::from_str::<Table>(&format!("list = {text}")).ok().and_then(|mut table| table.remove("list"))
        }
        Some(Value::Array(_)) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()))
        }
        _ => None,
    };
    parsed.unwrap_or(Value::String(text))
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
