//! A text message becomes a client event.
//!
//! Appends come fifty times a second: they are read in one pass over the borrowed text and decoded into the caller's
//! buffer, allocating nothing once that is warm. Everything else may take its time.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    client::{self, Kind},
    dialect::Dialect,
    error,
    json::Field,
    payload,
};
use crate::realtime::session::{input::Command, output::ClientError, settings::Settings};

/// What a client sent.
#[derive(PartialEq, Debug)]
pub enum ClientEvent<'a> {
    /// `input_audio_buffer.append`. The bytes are in the session's input format; a sample may be split between appends.
    Append {
        /// The sound.
        audio: &'a [u8],
        /// Echoed in an error that answers this append.
        event_id: Option<Cow<'a, str>>,
    },
    /// Anything else.
    Command(Command),
}

/// Reads one text message in this dialect. `settings` are those in force, `scratch` is reused from call to call.
///
/// # Errors
/// `invalid_json`, `invalid_event`, `invalid_type`, `invalid_value`, `missing_required_parameter`, carrying the event's id
/// wherever that could be read. Nothing has changed then; the session goes on.
pub fn decode<'a>(
    text: &'a str,
    dialect: Dialect,
    settings: &Settings,
    scratch: &'a mut Vec<u8>,
) -> Result<ClientEvent<'a>, ClientError> {
    let mut envelope = Envelope::default();
    let outcome = envelope.read(text);
    let event_id = envelope.event_id();
    let echo = |event_id: &Option<Cow<'_, str>>| event_id.as_deref().map(Arc::from);
    let answer = |error: ClientError, event_id| ClientError { event_id: echo(event_id), ..error };
    let kind = outcome.and_then(|()| envelope.kind(dialect)).map_err(|error| answer(error, &event_id))?;
    let outcome = match kind {
        Kind::Append => envelope.audio(scratch).map(|()| None),
        Kind::Ask(ask) => {
            Field::root("", text).object().and_then(|event| client::request(ask, &event, dialect, settings)).map(Some)
        }
    };
    match outcome {
        Ok(None) => Ok(ClientEvent::Append { audio: scratch, event_id }),
        Ok(Some(request)) => Ok(ClientEvent::Command(Command { event_id: echo(&event_id), request })),
        Err(error) => Err(answer(error, &event_id)),
    }
}

/// The members that every event may have, and the one that appends have; the rest is skipped, however deep.
#[derive(Default)]
struct Envelope<'a> {
    kind: Option<&'a RawValue>,
    event_id: Option<&'a RawValue>,
    audio: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads all it can; what was found before an error stays found.
    fn read(&mut self, text: &'a str) -> Result<(), ClientError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let outcome = self.deserialize(&mut reader).and_then(|()| reader.end());
        outcome.map_err(|error| {
            if error.is_data() {
                error::invalid_event("The message is not a JSON object.")
            } else {
                error::invalid_json()
            }
        })
    }

    /// The client's name for the event; one that is no string, or a monstrous one, is not echoed.
    fn event_id(&self) -> Option<Cow<'a, str>> {
        let raw = self.event_id.filter(|raw| raw.get().len() <= LONGEST_EVENT_ID)?;
        plain(raw).map(Cow::Borrowed).or_else(|| serde_json::from_str(raw.get()).ok().map(Cow::Owned))
    }

    fn kind(&self, dialect: Dialect) -> Result<Kind, ClientError> {
        let raw = self.kind.filter(|raw| raw.get() != "null");
        let Some(raw) = raw else { return Err(error::invalid_event("The event has no 'type'.")) };
        let all = Kind::all(dialect);
        match plain(raw).and_then(|name| all.iter().find(|(known, _)| *known == name)) {
            Some((_, kind)) => Ok(*kind),
            None => Field::root("type", raw.get()).choice(all),
        }
    }

    fn audio(&self, scratch: &mut Vec<u8>) -> Result<(), ClientError> {
        match self.audio.map(RawValue::get) {
            None | Some("null") => Err(error::missing("audio")),
            Some(text) if text.starts_with('"') => payload::read(text, "audio", scratch),
            Some(other) => Err(Field::root("audio", other).wrong("a base64 string")),
        }
    }
}

/// Longest id a client may give an event for it to be echoed, in bytes as written.
const LONGEST_EVENT_ID: usize = 1024;

/// The text of a JSON string that holds no escapes.
fn plain(raw: &RawValue) -> Option<&str> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then_some(inside)
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Member {
    Type,
    EventId,
    Audio,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for &mut Envelope<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Envelope<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(member) = map.next_key()? {
            match member {
                Member::Type => self.kind = Some(map.next_value()?),
                Member::EventId => self.event_id = Some(map.next_value()?),
                Member::Audio => self.audio = Some(map.next_value()?),
                Member::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
