//! Vonage Voice API WebSockets.
//!
//! From <https://developer.vonage.com/en/voice/voice-api/guides/websockets>: binary messages are signed 16-bit samples, 20 ms
//! each, both ways; JSON text is events and commands. The first message says the format and carries, as members of its
//! own, what the NCCO's `headers` had. There is no stop: Vonage closes the socket.

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
    #[serde(rename = "content-type")]
    content_type: Option<String>,
    digit: Option<String>,
    payload: Option<Value>,
    #[serde(flatten)]
    headers: BTreeMap<String, Value>,
}

pub(super) fn read(text: &str) -> Result<Word, Fault> {
    let message: Message = wire::parse(text)?;
    match message.event.as_str() {
        "websocket:connected" => {
            let format = message.content_type.as_deref().and_then(format).ok_or(Fault::Format)?;
            let parameters = wire::parameters(message.headers)?;
            let call = parameters.iter().find(|(name, _)| name == "call").map(|(_, value)| value.clone());
            let (stream, call) = (String::new(), call.unwrap_or_default());
            Ok(Word::Start(Box::new(Start { stream, call, format, parameters })))
        }
        "websocket:dtmf" => Ok(message.digit.as_deref().and_then(wire::key).map_or(Word::Nothing, Word::Key)),
        "websocket:notify" => {
            let mark = message.payload.as_ref().and_then(|payload| payload.get("mark")).and_then(Value::as_u64);
            Ok(mark.map_or(Word::Nothing, Word::Mark))
        }
        // `websocket:cleared`, and what Vonage may yet add.
        _ => Ok(Word::Nothing),
    }
}

/// `audio/l16;rate=16000`
fn format(content_type: &str) -> Option<Format> {
    let (kind, rate) = content_type.split_once(';')?;
    let rate = rate.trim().strip_prefix("rate=")?.parse().ok()?;
    if kind.trim().eq_ignore_ascii_case("audio/l16") { Format::pcm(rate) } else { None }
}

pub(super) fn mark(mark: u64) -> String {
    format!(r#"{{"action":"notify","payload":{{"mark":{mark}}}}}"#)
}

pub(super) fn clear() -> String {
    r#"{"action":"clear"}"#.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: &str = r#"{"event":"websocket:connected","content-type":"audio/l16;rate=16000",
        "prop1":"value1","call":"63f61863","depth":2}"#;

    #[test]
    fn the_documented_messages_are_understood() {
        let Ok(Word::Start(start)) = read(CONNECTED) else { panic!("no start") };
        assert_eq!(Some(start.format), Format::pcm(16_000));
        assert_eq!(
            (start.call.as_str(), start.parameter("prop1"), start.parameter("depth")),
            ("63f61863", Some("value1"), Some("2"))
        );
        assert_eq!(read(r#"{"event":"websocket:dtmf","digit":"5","duration":260}"#), Ok(Word::Key('5')));
        assert_eq!(read(r#"{"event":"websocket:cleared"}"#), Ok(Word::Nothing));
        assert_eq!(read(r#"{"event":"websocket:notify","payload":{"mark":4}}"#), Ok(Word::Mark(4)));
        assert_eq!(read(r#"{"event":"websocket:notify","payload":{"customKey":"theirs"}}"#), Ok(Word::Nothing));
    }

    #[test]
    fn the_rate_is_the_one_the_ncco_asked_for_and_other_formats_are_refused() {
        let told = |kind: &str| match read(&CONNECTED.replace("audio/l16;rate=16000", kind)) {
            Ok(Word::Start(start)) => Some(start.format),
            _ => None,
        };
        assert_eq!(told("audio/l16;rate=8000"), Format::pcm(8_000));
        assert_eq!(told("audio/l16; rate=24000"), Format::pcm(24_000));
        for wrong in ["audio/l16", "audio/l16;rate=x", "audio/l16;rate=44100", "audio/opus;rate=16000", ""] {
            assert_eq!(told(wrong), None, "{wrong}");
        }
        assert_eq!(read(r#"{"event":"websocket:connected"}"#), Err(Fault::Format));
        assert_eq!(read("hello"), Err(Fault::Garbled));
    }

    #[test]
    fn what_vonage_is_told_is_as_documented() {
        assert_eq!(mark(9), r#"{"action":"notify","payload":{"mark":9}}"#);
        assert_eq!(clear(), r#"{"action":"clear"}"#);
    }
}
