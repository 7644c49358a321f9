//! Ours, for devices and gateways of one's own: `docs/telephony.md` describes it to them.
//!
//! The first message is `{"type":"start","format":{"type":"audio/pcm","rate":16000}}`; binary messages are sound, both ways;
//! text is the Realtime protocol's events, both ways, beside the few messages of the line itself: `dtmf`, `mark`, `clear`,
//! `stop`.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use super::{
    dialect::{Fault, Format, Start, Word},
    wire,
};

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Begin<'a> {
    #[serde(borrow)]
    format: FormatName<'a>,
    #[serde(borrow)]
    call: Option<Cow<'a, str>>,
    #[serde(default)]
    parameters: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct FormatName<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    rate: Option<u32>,
}

#[derive(Deserialize)]
struct Mark {
    mark: u64,
}

#[derive(Deserialize)]
struct Dtmf<'a> {
    #[serde(borrow)]
    digit: Cow<'a, str>,
}

pub(super) fn read(text: &str) -> Result<Word, Fault> {
    let Kind { kind } = wire::parse(text)?;
    match kind.as_ref() {
        "start" => {
            let begin: Begin<'_> = wire::parse(text)?;
            Ok(Word::Start(Box::new(Start {
                stream: String::new(),
                call: begin.call.unwrap_or_default().into_owned(),
                format: format(&begin.format).ok_or(Fault::Format)?,
                parameters: wire::parameters(begin.parameters)?,
            })))
        }
        "mark" => wire::parse(text).map(|Mark { mark }| Word::Mark(mark)),
        "dtmf" => {
            let Dtmf { digit } = wire::parse(text)?;
            wire::key(&digit).map(Word::Key).ok_or(Fault::Garbled)
        }
        "stop" => Ok(Word::Stop),
        _ => Ok(Word::Event),
    }
}

/// The Realtime protocol's names, with a rate for PCM: 24 kHz where none is told, as there.
fn format(told: &FormatName<'_>) -> Option<Format> {
    match (told.kind.as_ref(), told.rate) {
        ("audio/pcm", rate) => Format::pcm(rate.unwrap_or(24_000)),
        ("audio/pcmu", None | Some(8_000)) => Some(Format::ULAW),
        ("audio/pcma", None | Some(8_000)) => Some(Format::ALAW),
        // Whatever its rate: each side decodes at the one it needs.
        ("audio/opus", _) => Some(Format::Opus),
        _ => None,
    }
}

pub(super) fn mark(mark: u64) -> String {
    format!(r#"{{"type":"mark","mark":{mark}}}"#)
}

pub(super) fn clear() -> String {
    r#"{"type":"clear"}"#.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_of(format: &str) -> Result<Format, Fault> {
        let word = read(&format!(r#"{{"type":"start","format":{format}}}"#))?;
        let Word::Start(start) = word else { panic!("{word:?}") };
        Ok(start.format)
    }

    #[test]
    fn a_device_says_how_it_writes_sound() {
        assert_eq!(format_of(r#"{"type":"audio/pcm","rate":16000}"#).ok(), Format::pcm(16_000));
        assert_eq!(format_of(r#"{"type":"audio/pcm"}"#).ok(), Format::pcm(24_000));
        assert_eq!(format_of(r#"{"type":"audio/pcmu"}"#), Ok(Format::ULAW));
        assert_eq!(format_of(r#"{"type":"audio/pcma","rate":8000}"#), Ok(Format::ALAW));
        assert_eq!(format_of(r#"{"type":"audio/opus","rate":48000}"#), Ok(Format::Opus));
        for wrong in
            [r#"{"type":"audio/pcm","rate":44100}"#, r#"{"type":"audio/pcmu","rate":16000}"#, r#"{"type":"mp3"}"#]
        {
            assert_eq!(format_of(wrong), Err(Fault::Format), "{wrong}");
        }
        for wrong in [r#"{"rate":8000}"#, r#""audio/pcm""#, r#"{"type":"audio/pcm","rate":-1}"#] {
            assert_eq!(format_of(wrong), Err(Fault::Garbled), "{wrong}");
        }
    }

    #[test]
    fn the_lines_own_messages_are_told_from_events() {
        assert_eq!(read(r#"{"type":"mark","mark":3}"#), Ok(Word::Mark(3)));
        assert_eq!(read(r#"{"type":"dtmf","digit":"*"}"#), Ok(Word::Key('*')));
        assert_eq!(read(r#"{"type":"stop"}"#), Ok(Word::Stop));
        assert_eq!(read(r#"{"type":"session.update","session":{}}"#), Ok(Word::Event));
        for wrong in ["", "[]", r#"{"type":3}"#, r#"{"type":"mark"}"#, r#"{"type":"dtmf","digit":"x"}"#] {
            assert_eq!(read(wrong), Err(Fault::Garbled), "{wrong}");
        }
        assert_eq!((mark(3), clear()), (r#"{"type":"mark","mark":3}"#.into(), r#"{"type":"clear"}"#.into()));
    }
}
