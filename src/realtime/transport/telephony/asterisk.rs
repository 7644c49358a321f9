//! Asterisk's `chan_websocket`.
//!
//! From <https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket>: binary messages are the channel's own sound, both
//! ways; text is events and commands, as JSON (`f(json)`, since 20.18, 22.8 and 23.2) or as one plain line. It is spoken to
//! as it speaks. Asterisk closes the socket when the call ends. It frames and times what it is sent by itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    dialect::{Fault, Format, Start, Word},
    wire,
};

#[derive(Deserialize)]
struct Message {
    event: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    format: String,
    #[serde(default)]
    digit: String,
    #[serde(default)]
    correlation_id: Option<String>,
    #[serde(default)]
    channel_variables: BTreeMap<String, Value>,
}

pub(super) fn read(text: &str) -> Result<Word, Fault> {
    let plain = !text.trim_start().starts_with('{');
    let message = if plain { line(text)? } else { wire::parse(text)? };
    match message.event.as_str() {
        "MEDIA_START" => Ok(Word::Start(Box::new(Start {
            stream: if plain { PLAIN } else { JSON }.to_owned(),
            call: message.channel,
            format: format(&message.format).ok_or(Fault::Format)?,
            parameters: wire::parameters(message.channel_variables)?,
        }))),
        "DTMF_END" => Ok(wire::key(&message.digit).map_or(Word::Nothing, Word::Key)),
        "MEDIA_MARK_PROCESSED" => {
            let mark = message.correlation_id.and_then(|id| id.parse().ok());
            Ok(mark.map_or(Word::Nothing, Word::Mark))
        }
        // `MEDIA_XOFF` comes at 18 s of backlog, of which we never make half a second.
        _ => Ok(Word::Nothing),
    }
}

/// `MEDIA_START connection_id:… channel:WebSocket/c format:ulaw optimal_frame_size:160`
fn line(text: &str) -> Result<Message, Fault> {
    let mut words = text.split_ascii_whitespace();
    let event = words.next().filter(|word| word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    let event = event.ok_or(Fault::Garbled)?.to_owned();
    let mut members: BTreeMap<&str, &str> = words.filter_map(|word| word.split_once(':')).collect();
    let mut member = |name| members.remove(name).unwrap_or_default().to_owned();
    let (channel, format, digit) = (member("channel"), member("format"), member("digit"));
    let correlation_id = Some(member("correlation_id"));
    Ok(Message { event, channel, format, digit, correlation_id, channel_variables: BTreeMap::new() })
}

/// Asterisk's names of formats. Signed linear is little-endian here, as machines that run Asterisk are.
fn format(name: &str) -> Option<Format> {
    match name {
        "ulaw" => Some(Format::ULAW),
        "alaw" => Some(Format::ALAW),
        "slin" => Format::pcm(8_000),
        "slin16" => Format::pcm(16_000),
        "slin24" => Format::pcm(24_000),
        "slin48" => Format::pcm(48_000),
        _ => None,
    }
}

/// How its control messages are written, kept as the stream's name.
const PLAIN: &str = "plain";
const JSON: &str = "json";

pub(super) fn mark(stream: &str, mark: u64) -> String {
    if stream == PLAIN {
        return format!("MARK_MEDIA {mark}");
    }
    format!(r#"{{"command":"MARK_MEDIA","correlation_id":"{mark}"}}"#)
}

pub(super) fn clear(stream: &str) -> String {
    if stream == PLAIN { "FLUSH_MEDIA" } else { r#"{"command":"FLUSH_MEDIA"}"# }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON_START: &str = r#"{"event":"MEDIA_START","connection_id":"e226e283-c90a-4ea9-9e37-389000b9ef47",
        "channel":"WebSocket/connectionid","channel_id":"pbx1-123456789.999","format":"ulaw","optimal_frame_size":160,
        "ptime":20,"channel_variables":{"SOME_CHANNEL_VARIABLE":"some value"}}"#;
    const PLAIN_START: &str = "MEDIA_START connection_id:e226e283-c90a-4ea9-9e37-389000b9ef47 \
        channel:WebSocket/connectionid channel_id:pbx1-123456789.999 format:slin16 optimal_frame_size:640 ptime:20";

    fn start(text: &str) -> Box<Start> {
        let Ok(Word::Start(start)) = read(text) else { panic!("no start: {text}") };
        start
    }

    #[test]
    fn both_ways_of_control_are_understood_and_answered_in_kind() {
        let json = start(JSON_START);
        assert_eq!((json.call.as_str(), json.format), ("WebSocket/connectionid", Format::ULAW));
        assert_eq!(json.parameter("SOME_CHANNEL_VARIABLE"), Some("some value"));
        assert_eq!(clear(&json.stream), r#"{"command":"FLUSH_MEDIA"}"#);
        assert_eq!(mark(&json.stream, 3), r#"{"command":"MARK_MEDIA","correlation_id":"3"}"#);
        let plain = start(PLAIN_START);
        assert_eq!(Some(plain.format), Format::pcm(16_000));
        assert_eq!((clear(&plain.stream).as_str(), mark(&plain.stream, 3).as_str()), ("FLUSH_MEDIA", "MARK_MEDIA 3"));
    }

    #[test]
    fn the_documented_events_are_understood() {
        for text in [r#"{"event":"DTMF_END","channel_id":"1.2","digit":"5"}"#, "DTMF_END channel_id:1.2 digit:5"] {
            assert_eq!(read(text), Ok(Word::Key('5')));
        }
        for text in [
            r#"{"event":"MEDIA_MARK_PROCESSED","channel_id":"1.2","correlation_id":"8"}"#,
            "MEDIA_MARK_PROCESSED correlation_id:8",
        ] {
            assert_eq!(read(text), Ok(Word::Mark(8)));
        }
        for text in ["MEDIA_XOFF", r#"{"event":"MEDIA_XON","channel_id":"1.2"}"#, "MEDIA_MARK_PROCESSED"] {
            assert_eq!(read(text), Ok(Word::Nothing));
        }
    }

    #[test]
    fn formats_that_are_not_served_and_nonsense_are_refused() {
        for wrong in ["opus", "g722", "slin12", ""] {
            assert_eq!(read(&JSON_START.replace("\"ulaw\"", &format!("\"{wrong}\""))), Err(Fault::Format), "{wrong}");
        }
        for wrong in ["", "  ", "hello", "{", "MEDIA-START"] {
            assert_eq!(read(wrong), Err(Fault::Garbled), "{wrong}");
        }
    }
}
