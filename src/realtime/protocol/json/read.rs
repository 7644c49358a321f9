//! Reading JSON objects member by member. A member that is null counts as absent unless asked for by [`Fields::change`].

use std::{fmt::Display, ops::RangeInclusive};

use providers::Json;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use super::scan::{Bounded, Readable, WIDEST};
use crate::realtime::{protocol::error, session::output::ClientError};

/// An object's members.
pub(crate) struct Fields<'a> {
    path: String,
    members: Vec<(String, &'a RawValue)>,
}

/// What an update does to a value that can be cleared.
pub(crate) enum Change<'a> {
    /// Not mentioned.
    Keep,
    /// Null.
    Clear,
    /// Given.
    Set(Field<'a>),
}

/// One value and the path that leads to it.
pub(crate) struct Field<'a> {
    path: String,
    raw: &'a str,
}

impl<'a> Fields<'a> {
    /// The member, unless absent or null.
    pub(crate) fn given(&self, name: &str) -> Option<Field<'a>> {
        match self.change(name) {
            Change::Set(field) => Some(field),
            Change::Keep | Change::Clear => None,
        }
    }

    /// The member, or an error that names it.
    pub(crate) fn required(&self, name: &str) -> Result<Field<'a>, ClientError> {
        self.given(name).ok_or_else(|| self.missing(name))
    }

    /// The member where null means something.
    pub(crate) fn change(&self, name: &str) -> Change<'a> {
        // The last of several members of one name counts, as in most parsers.
        let Some((_, raw)) = self.members.iter().rev().find(|(member, _)| member == name) else { return Change::Keep };
        match raw.get() {
            "null" => Change::Clear,
            raw => Change::Set(Field { path: self.path_of(name), raw }),
        }
    }

    /// A string member, unless absent or null.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ClientError> {
        self.given(name).map(|field| field.text()).transpose()
    }

    /// The members that are not null, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Field<'a>)> {
        self.members
            .iter()
            .filter(|(_, raw)| raw.get() != "null")
            .map(|(name, raw)| (name.as_str(), Field { path: self.path_of(name), raw: raw.get() }))
    }

    /// The error for a member that should be there.
    pub(crate) fn missing(&self, name: &str) -> ClientError {
        error::missing(&self.path_of(name))
    }

    /// Where the member of this name stands.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

impl<'a> Field<'a> {
    /// The JSON text of a whole value that stands at `path`; empty for the event itself.
    pub(crate) fn root(path: &str, raw: &'a str) -> Self {
        Self { path: path.to_owned(), raw: raw.trim() }
    }

    /// Its path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The value as it stands.
    pub(crate) fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether it is a string.
    pub(crate) fn is_text(&self) -> bool {
        self.raw.starts_with('"')
    }

    pub(crate) fn text(&self) -> Result<String, ClientError> {
        if !self.is_text() {
            return Err(self.wrong("a string"));
        }
        serde_json::from_str(self.raw).map_err(|_| self.invalid("The string is not valid Unicode."))
    }

    /// A string of at most so many characters.
    pub(crate) fn text_within(&self, longest: usize) -> Result<String, ClientError> {
        let text = self.text()?;
        match text.chars().nth(longest) {
            None => Ok(text),
            Some(_) => {
                Err(self.invalid(format!("String too long. Expected a string with at most {longest} characters.")))
            }
        }
    }

    pub(crate) fn truth(&self) -> Result<bool, ClientError> {
        match self.raw {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.wrong("a boolean")),
        }
    }

    /// A whole number; `5.0` is one.
    pub(crate) fn integer(&self, range: RangeInclusive<u32>) -> Result<u32, ClientError> {
        let number = self.finite("an integer")?;
        if number.fract() != 0.0 {
            return Err(error::invalid_type(&self.path, "an integer", "a decimal number"));
        }
        if number < f64::from(*range.start()) || number > f64::from(*range.end()) {
            return Err(self.outside(range.start(), range.end()));
        }
        Ok(number as u32)
    }

    pub(crate) fn number(&self, range: RangeInclusive<f32>) -> Result<f32, ClientError> {
        let number = self.finite("a number")? as f32;
        if range.contains(&number) { Ok(number) } else { Err(self.outside(range.start(), range.end())) }
    }

    /// One of several named values.
    pub(crate) fn choice<T: Copy>(&self, known: &[(&str, T)]) -> Result<T, ClientError> {
        let text = self.text()?;
        match known.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Ok(*value),
            None => Err(error::unsupported(&self.path, &text, known.iter().map(|(name, _)| *name))),
        }
    }

    pub(crate) fn object(&self) -> Result<Fields<'a>, ClientError> {
        if !self.raw.starts_with('{') {
            return Err(self.wrong("an object"));
        }
        let mut members = Bounded(Vec::new());
        let outcome = (&mut members).deserialize(&mut serde_json::Deserializer::from_str(self.raw));
        outcome.map_err(|_| self.invalid(format!("Expected an object with at most {WIDEST} readable members.")))?;
        Ok(Fields { path: self.path.clone(), members: members.0 })
    }

    pub(crate) fn list(&self) -> Result<Vec<Self>, ClientError> {
        if !self.raw.starts_with('[') {
            return Err(self.wrong("an array"));
        }
        let mut elements = Bounded(Vec::new());
        let outcome = (&mut elements).deserialize(&mut serde_json::Deserializer::from_str(self.raw));
        outcome.map_err(|_| self.invalid(format!("Expected an array with at most {WIDEST} elements.")))?;
        let field = |(at, (_, raw)): (usize, (String, &'a RawValue))| Self {
            path: format!("{}[{at}]", self.path),
            raw: raw.get(),
        };
        Ok(elements.0.into_iter().enumerate().map(field).collect())
    }

    /// The value to be carried unread, once it is certain that any reader will manage it.
    pub(crate) fn json(&self) -> Result<Json, ClientError> {
        if Readable::is(self.raw) {
            return Ok(Json::from_checked(self.raw));
        }
        Err(self.invalid("The value is nested too deeply or holds an unreadable string or number."))
    }

    /// As [`Self::json`], for an object.
    pub(crate) fn json_object(&self) -> Result<Json, ClientError> {
        if self.raw.starts_with('{') { self.json() } else { Err(self.wrong("an object")) }
    }

    /// The error for a value that cannot be.
    pub(crate) fn invalid(&self, message: impl Into<String>) -> ClientError {
        error::invalid_value(&self.path, message)
    }

    /// The error for a value of another type.
    pub(crate) fn wrong(&self, expected: &str) -> ClientError {
        let got = match self.raw.as_bytes().first() {
            Some(b'"') => "a string",
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') | None => "null",
            Some(_) => "a number",
        };
        error::invalid_type(&self.path, expected, got)
    }

    fn finite(&self, expected: &str) -> Result<f64, ClientError> {
        if !self.raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Err(self.wrong(expected));
        }
        serde_json::from_str(self.raw).map_err(|_| self.invalid("The number is out of range."))
    }

    fn outside(&self, low: impl Display, high: impl Display) -> ClientError {
        self.invalid(format!("Expected a value from {low} to {high}, but got {} instead.", error::excerpt(self.raw)))
    }
}
