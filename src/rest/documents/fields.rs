//! What is said of a document: in JSON, or in the fields of a form.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, MapAccess, Visitor},
};
use serde_json::{Map, Value, json};

use super::super::{body, fault::Fault};
use crate::knowledge::source::{Source, Wrong, from_bibtex, from_ris};

/// What a document is made of that came as text, and what may be said of any.
pub(super) struct Params {
    /// The document itself.
    pub(super) text: Option<String>,
    /// Whether everybody may read it.
    pub(super) shared: bool,
    /// What is known of it.
    pub(super) source: Source,
}

/// What may be said beside bibliographic fields.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Beside {
    /// The document itself.
    text: Option<String>,
    /// Everybody may read it. Admins share documents.
    shared: Option<bool>,
    /// One record of BibTeX or RIS: what the other fields do not say is taken from it.
    bibliography: Option<String>,
}

/// An object in which no field is there twice.
pub(in crate::rest) struct Given(Map<String, Value>);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Gathering)
    }
}

struct Gathering;

impl<'de> Visitor<'de> for Gathering {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Given, A::Error> {
        let mut given = Map::new();
        while let Some((name, value)) = fields.next_entry::<String, Value>()? {
            if given.contains_key(&name) {
                return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
            }
            given.insert(name, value);
        }
        Ok(Given(given))
    }
}

/// Names of [`Beside`]'s fields.
const BESIDE: [&str; 3] = ["text", "shared", "bibliography"];

/// The names of a form's fields of text.
pub(super) const FORM: [&str; 13] = [
    "shared",
    "bibliography",
    "title",
    "url",
    "authors",
    "publication_date",
    "journal",
    "volume",
    "issue",
    "pages",
    "doi",
    "pmid",
    "source_type",
];

impl Params {
    /// Of a JSON object.
    pub(super) fn of(Given(given): Given) -> Result<Self, Fault> {
        let (beside, source): (Map<_, _>, Map<_, _>) =
            given.into_iter().partition(|(name, _)| BESIDE.contains(&name.as_str()));
        let Beside { text, shared, bibliography } = read(beside)?;
        let mut source = checked(source)?;
        if let Some(bibliography) = bibliography {
            source = source.or(imported(&bibliography)?);
        }
        Ok(Self { text, shared: shared.unwrap_or(false), source })
    }

    /// Of the fields of a form. An author is a field, the others are there once.
    pub(super) fn of_form(fields: Vec<(String, String)>) -> Result<Self, Fault> {
        let mut given = Map::new();
        for (name, text) in fields {
            let told = match name.as_str() {
                "authors" => {
                    if let Value::Array(authors) = given.entry(name).or_insert_with(|| json!([])) {
                        authors.push(text.into());
                    }
                    continue;
                }
                "shared" => match text.as_str() {
                    "true" => true.into(),
                    "false" => false.into(),
                    _ => return Err(Fault::invalid(name, "`shared` must be `true` or `false`.")),
                },
                _ => Value::from(text),
            };
            if given.contains_key(&name) {
                let message = format!("`{name}` is there twice.");
                return Err(Fault::invalid(name, message));
            }
            given.insert(name, told);
        }
        Self::of(Given(given))
    }
}

/// What of the bibliographic fields changes, as it will be kept.
pub(super) fn patch(Given(given): Given) -> Result<Map<String, Value>, Fault> {
    let source = json!(checked(given.clone())?);
    Ok(given.into_iter().map(|(name, _)| (name.clone(), source[&name].clone())).collect())
}

/// The fields as they are after that.
pub(super) fn patched(before: &str, patch: Map<String, Value>) -> String {
    let before: Source = serde_json::from_str(before).unwrap_or_default();
    let mut fields = json!(before);
    for (name, value) in patch {
        fields[name] = value;
    }
    fields.to_string()
}

/// The one record that a bibliography has.
fn imported(bibliography: &str) -> Result<Source, Fault> {
    let wrong = |message: String| Fault::invalid("bibliography", message);
    let bibtex = bibliography.trim_start().starts_with(['@', '%']);
    let read = if bibtex { from_bibtex(bibliography) } else { from_ris(bibliography) };
    let mut records = read.map_err(|unread| wrong(format!("{unread}.")))?;
    match (records.pop(), records.is_empty()) {
        (Some(record), true) => Ok(record),
        _ => Err(wrong("`bibliography` must hold one record of BibTeX or RIS.".to_owned())),
    }
}

fn checked(mut given: Map<String, Value>) -> Result<Source, Fault> {
    // All others take null for nothing.
    if let Some(authors @ Value::Null) = given.get_mut("authors") {
        *authors = json!([]);
    }
    let source: Source = read(given)?;
    source.checked().map_err(|wrong: Wrong| Fault::invalid(wrong.field, format!("{wrong}.")))
}

/// Reads fields so that whatever does not fit is named.
fn read<T: DeserializeOwned>(given: Map<String, Value>) -> Result<T, Fault> {
    body::parse(Value::Object(given).to_string().as_bytes())
}

impl JsonSchema for Params {
    fn schema_name() -> Cow<'static, str> {
        "NewDocument".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Source::json_schema(generator);
        let beside = Beside::json_schema(generator);
        if let (Some(Value::Object(all)), Some(Value::Object(more))) =
            (schema.get_mut("properties"), beside.get("properties"))
        {
            all.extend(more.clone());
        }
        schema.insert("required".to_owned(), json!(["text", "title"]));
        schema.insert("description".to_owned(), "A text, and what is known of it.".into());
        schema
    }
}

/// The parts of a form, for the API's description.
pub(super) fn form() -> Value {
    let mut parts = json!({"file": {"type": "string", "format": "binary"}});
    for name in FORM {
        parts[name] = match name {
            "authors" => json!({"type": "array", "items": {"type": "string"}}),
            "shared" => json!({"type": "boolean"}),
            _ => json!({"type": "string"}),
        };
    }
    parts
}
