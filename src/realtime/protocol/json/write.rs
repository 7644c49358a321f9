//! Writing JSON straight into the outgoing text.

use std::{fmt::Write, time::Duration};

use providers::Json;

use crate::realtime::protocol::millis::Millis;

/// An object being written. Members appear in the order they are given; dropping it closes the brace.
pub(crate) struct Object<'a> {
    out: &'a mut String,
    begun: bool,
}

impl<'a> Object<'a> {
    /// Opens an object at the end of `out`.
    pub(crate) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, begun: false }
    }

    /// Writes a member's name and hands over the place of its value.
    pub(crate) fn value(&mut self, name: &str) -> &mut String {
        if self.begun {
            self.out.push(',');
        }
        self.begun = true;
        push_text(name, self.out);
        self.out.push(':');
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        push_text(value, self.value(name));
    }

    /// A string, or null where there is none.
    pub(crate) fn text_or_null(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.null(name),
        }
    }

    pub(crate) fn integer(&mut self, name: &str, value: u64) {
        self.display(name, value);
    }

    /// A string that ends in a number.
    pub(crate) fn numbered(&mut self, name: &str, stem: &str, number: u64) {
        self.display(name, format_args!("\"{stem}{number}\""));
    }

    /// A position or length in whole milliseconds.
    pub(crate) fn millis(&mut self, name: &str, value: Duration) {
        self.integer(name, Millis::from(value).0);
    }

    /// A finite number; `f32` so that 0.3 is written as 0.3.
    pub(crate) fn decimal(&mut self, name: &str, value: f32) {
        self.display(name, value);
    }

    pub(crate) fn truth(&mut self, name: &str, value: bool) {
        self.display(name, value);
    }

    pub(crate) fn null(&mut self, name: &str) {
        self.value(name).push_str("null");
    }

    /// A value that was carried unread.
    pub(crate) fn json(&mut self, name: &str, value: &Json) {
        self.value(name).push_str(value.as_str());
    }

    /// The members of an object that was carried unread.
    pub(crate) fn members_of(&mut self, carried: &Json) {
        let inside = carried.as_str().trim().trim_start_matches('{').trim();
        let inside = inside.strip_suffix('}').unwrap_or(inside).trim();
        if inside.is_empty() {
            return;
        }
        if self.begun {
            self.out.push(',');
        }
        self.begun = true;
        self.out.push_str(inside);
    }

    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Object<'_>)) {
        write(&mut Object::open(self.value(name)));
    }

    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        elements: impl IntoIterator<Item = T>,
        mut write: impl FnMut(T, &mut String),
    ) {
        let out = self.value(name);
        out.push('[');
        for (at, element) in elements.into_iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write(element, out);
        }
        out.push(']');
    }

    fn display(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = write!(self.value(name), "{value}");
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push('}');
    }
}

/// Appends a JSON string.
pub(crate) fn push_text(text: &str, out: &mut String) {
    out.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[written..at]);
        written = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_reads_back_as_itself(text: String) {
            let mut out = String::new();
            push_text(&text, &mut out);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn members_of_a_carried_object_join_those_written() {
        let mut out = String::new();
        {
            let mut object = Object::open(&mut out);
            object.members_of(&Json::from_checked("{}"));
            object.text("id", "a");
            object.members_of(&Json::from_checked(" { \"b\" : {} } "));
        }
        assert_eq!(out, r#"{"id":"a","b" : {}}"#);
    }

    #[test]
    fn decimals_are_written_as_they_were_given() {
        let mut out = String::new();
        Object::open(&mut out).decimal("threshold", 0.3);
        assert_eq!(out, r#"{"threshold":0.3}"#);
    }
}
