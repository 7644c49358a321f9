//! Passing over JSON that may be hostile: nothing recurses into what is not read, and objects and lists are bounded, so
//! that a message costs memory in proportion to its length and no stack.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Most members of an object and elements of a list that is read. Tools, context items and content parts stay far below.
pub(super) const WIDEST: usize = 4096;

/// Values with their names (empty in lists), up to [`WIDEST`].
pub(super) struct Bounded<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'a> Bounded<'a> {
    fn push<E: Error>(&mut self, name: String, raw: &'a RawValue) -> Result<(), E> {
        if self.0.len() == WIDEST {
            return Err(E::custom("too many"));
        }
        self.0.push((name, raw));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Bounded<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Bounded<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, raw)) = map.next_entry()? {
            self.push(name, raw)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element()? {
            self.push(String::new(), raw)?;
        }
        Ok(())
    }
}

/// Deepest nesting of a value that is carried. Readers give up at 128, and it is shown inside an event.
const DEEPEST: u8 = 100;

/// Reads a value to its end, keeping nothing: strings and names are valid, numbers fit, nesting stays within [`DEEPEST`].
#[derive(Clone, Copy)]
pub(super) struct Readable(u8);

impl Readable {
    /// Whether any reader will manage this value.
    pub(super) fn is(raw: &str) -> bool {
        Self(DEEPEST).deserialize(&mut serde_json::Deserializer::from_str(raw)).is_ok()
    }

    /// What stands inside.
    fn inside<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Readable {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while list.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while map.next_entry_seed(inside, inside)?.is_some() {}
        Ok(())
    }
}
