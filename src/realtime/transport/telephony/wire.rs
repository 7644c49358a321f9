//! What the JSON of vendors has in common: base64, numbers written as text, keys of a telephone, and the messages that
//! Twilio and Telnyx write alike.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

use super::dialect::{Fault, Word};

/// Most bytes of sound in one text message: two seconds of the widest format.
const MOST: usize = 48_000 * 2 * 2;

/// Most parameters of a start, and the longest value of one, in bytes.
const MOST_PARAMETERS: usize = 64;
const LONGEST_PARAMETER: usize = 4_096;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A whole number, which some vendors write as a string.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Number<'a> {
    Plain(u64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl Number<'_> {
    pub(super) fn value(&self) -> Option<u64> {
        match self {
            Self::Plain(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// 20 ms of a stream, as Twilio and Telnyx write them.
#[derive(Deserialize)]
pub(super) struct Media<'a> {
    #[serde(borrow)]
    track: Option<Cow<'a, str>>,
    #[serde(borrow)]
    chunk: Option<Number<'a>>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
}

/// A mark that was reached, as both write it.
#[derive(Deserialize)]
pub(super) struct Mark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// A key that was pressed, as both write it.
#[derive(Deserialize)]
pub(super) struct Dtmf<'a> {
    #[serde(borrow)]
    digit: Cow<'a, str>,
}

impl Media<'_> {
    /// Decodes what the caller said into `sound`.
    pub(super) fn word(&self, sound: &mut Vec<u8>) -> Result<Word, Fault> {
        // A stream of both tracks has our own voice in it too.
        if self.track.as_deref().is_some_and(|track| track != "inbound") {
            return Ok(Word::Nothing);
        }
        decode(&self.payload, sound)?;
        Ok(Word::Sound { place: self.chunk.as_ref().and_then(Number::value) })
    }
}

impl Mark<'_> {
    /// Nothing, if it is none of ours.
    pub(super) fn word(&self) -> Word {
        self.name.parse().map_or(Word::Nothing, Word::Mark)
    }
}

impl Dtmf<'_> {
    /// Nothing, if no telephone has it.
    pub(super) fn word(&self) -> Word {
        key(&self.digit).map_or(Word::Nothing, Word::Key)
    }
}

/// Reads a message of the dialect.
pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::Garbled)
}

/// Decodes sound into `out`, replacing what was there.
pub(super) fn decode(text: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.clear();
    if text.len() / 4 * 3 > MOST {
        return Err(Fault::TooLong);
    }
    BASE64.decode_vec(text, out).map_err(|_| Fault::Base64)
}

/// Encodes sound.
pub(super) fn encode(sound: &[u8]) -> String {
    BASE64.encode(sound)
}

/// A text as a JSON string, quotes included.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The key of a telephone that `text` names: a digit, `*`, `#`, or A to D.
pub(super) fn key(text: &str) -> Option<char> {
    let mut characters = text.chars();
    let key = characters.next()?.to_ascii_uppercase();
    (characters.next().is_none() && matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')).then_some(key)
}

/// The parameters of a start that are texts or numbers, within bounds.
pub(super) fn parameters(given: BTreeMap<String, serde_json::Value>) -> Result<Vec<(String, String)>, Fault> {
    let texts = given.into_iter().filter_map(|(name, value)| match value {
        serde_json::Value::String(text) => Some((name, text)),
        serde_json::Value::Number(number) => Some((name, number.to_string())),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    });
    let parameters: Vec<_> = texts.collect();
    let fits = parameters.iter().all(|(_, value)| value.len() <= LONGEST_PARAMETER);
    if fits && parameters.len() <= MOST_PARAMETERS { Ok(parameters) } else { Err(Fault::TooLong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding_and_nothing_else_is() {
        let mut out = vec![9];
        assert_eq!(decode("/////w==", &mut out), Ok(()));
        assert_eq!(out, [255; 4]);
        assert_eq!(decode("/////w", &mut out), Ok(()));
        assert_eq!(out, [255; 4]);
        for wrong in ["///=w", "?", "AAAAA", "AA AA"] {
            assert_eq!(decode(wrong, &mut out), Err(Fault::Base64), "{wrong}");
        }
        assert_eq!(decode(&"A".repeat(MOST * 4 / 3 + 4), &mut out), Err(Fault::TooLong));
    }

    #[test]
    fn a_key_is_one_that_telephones_have() {
        let pressed: Vec<_> = ["1", "*", "#", "a", "D", "", "12", "x", "é"].into_iter().map(key).collect();
        assert_eq!(pressed, [Some('1'), Some('*'), Some('#'), Some('A'), Some('D'), None, None, None, None]);
    }

    #[test]
    fn numbers_come_as_numbers_and_as_text() {
        let read = |text| parse::<Number<'_>>(text).ok().and_then(|number| number.value());
        assert_eq!((read("3"), read("\"3\""), read("\"x\""), read("-1")), (Some(3), Some(3), None, None));
    }
}
