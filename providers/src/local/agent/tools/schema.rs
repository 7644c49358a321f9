//! The part of JSON Schema that functions are described with: types, enums, required members, local references.

use serde_json::{Map, Value};

/// A schema and the document its references point into.
#[derive(Clone, Copy)]
pub(super) struct Schema<'a> {
    root: &'a Value,
    node: &'a Value,
}

/// What a value must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
    Null,
}

impl<'a> Schema<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Self { root, node: root }.resolved()
    }

    pub(super) fn at(self, node: &'a Value) -> Self {
        Self { node, ..self }.resolved()
    }

    /// Follows `$ref`s within the document and picks the first alternative that is not null. Bounded: a document may
    /// point at itself.
    fn resolved(mut self) -> Self {
        for _ in 0..DEEPEST {
            let target = self.node.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
            let next = target.and_then(|path| self.root.pointer(path)).or_else(|| {
                let list = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| self.node.get(key)?.as_array())?;
                list.iter().find(|choice| choice.get("type").and_then(Value::as_str) != Some("null"))
            });
            match next {
                Some(next) => self.node = next,
                None => break,
            }
        }
        self
    }

    /// The type: as said, or as its other members give away.
    pub(super) fn kind(self) -> Kind {
        let named = match self.node.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            Some(Value::String(kind)) => Some(kind.as_str()),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => None,
        };
        match named {
            Some("number") => Kind::Number,
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Boolean,
            Some("array") => Kind::Array,
            Some("object") => Kind::Object,
            Some("null") => Kind::Null,
            None if self.node.get("properties").is_some() => Kind::Object,
            None if self.node.get("items").is_some() => Kind::Array,
            Some(_) | None => Kind::Text,
        }
    }

    pub(super) fn member(self, key: &str) -> Option<&'a Value> {
        self.node.get(key)
    }

    /// The values it may take, if they are listed.
    pub(super) fn choices(self) -> Option<Vec<&'a Value>> {
        if let Some(only) = self.node.get("const") {
            return Some(vec![only]);
        }
        let list = self.node.get("enum")?.as_array().filter(|list| !list.is_empty())?;
        Some(list.iter().collect())
    }

    pub(super) fn properties(self) -> Option<&'a Map<String, Value>> {
        self.node.get("properties")?.as_object()
    }

    /// The words of every value listed for a member, lower case.
    pub(super) fn listed(self) -> Vec<String> {
        let properties = self.properties().into_iter().flatten();
        let choices = properties.filter_map(|(_, node)| self.at(node).choices()).flatten();
        choices.filter_map(Value::as_str).filter(|text| !text.is_empty()).map(spoken).collect()
    }

    pub(super) fn requires(self, name: &str) -> bool {
        let required = self.node.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    }

    pub(super) fn bound(self, key: &str) -> Option<f64> {
        self.node.get(key)?.as_f64()
    }

    pub(super) fn text(self, key: &str) -> &'a str {
        self.node.get(key).and_then(Value::as_str).unwrap_or("")
    }
}

/// "living_room" as it is said.
pub(super) fn spoken(name: &str) -> String {
    name.to_lowercase().replace(['_', '-'], " ")
}

/// How deep references and nested objects are followed.
pub(super) const DEEPEST: usize = 8;
