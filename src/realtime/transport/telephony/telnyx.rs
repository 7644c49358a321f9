//! Telnyx media streaming, bidirectional RTP payloads.
//!
//! From <https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket>: JSON text alone, much as
//! Twilio's in snake case. The order of media is not promised: `chunk` has it.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use super::{
    dialect::{Fault, Format, Start, Word},
    wire::{self, Dtmf, Mark, Media, Number},
};

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    stream_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    start: Option<Begin<'a>>,
    #[serde(borrow)]
    media: Option<Media<'a>>,
    #[serde(borrow)]
    mark: Option<Mark<'a>>,
    #[serde(borrow)]
    dtmf: Option<Dtmf<'a>>,
}

#[derive(Deserialize)]
struct Begin<'a> {
    #[serde(borrow)]
    call_control_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    media_format: Option<MediaFormat<'a>>,
    #[serde(default)]
    custom_parameters: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct MediaFormat<'a> {
    #[serde(borrow)]
    encoding: Cow<'a, str>,
    #[serde(borrow)]
    sample_rate: Option<Number<'a>>,
    #[serde(borrow)]
    channels: Option<Number<'a>>,
}

pub(super) fn read(text: &str, sound: &mut Vec<u8>) -> Result<Word, Fault> {
    let message: Message<'_> = wire::parse(text)?;
    match message.event.as_ref() {
        "start" => {
            let begin = message.start.ok_or(Fault::Garbled)?;
            Ok(Word::Start(Box::new(Start {
                stream: message.stream_id.unwrap_or_default().into_owned(),
                call: begin.call_control_id.unwrap_or_default().into_owned(),
                format: format(begin.media_format.as_ref())?,
                parameters: wire::parameters(begin.custom_parameters.unwrap_or_default())?,
            })))
        }
        "media" => message.media.ok_or(Fault::Garbled)?.word(sound),
        "mark" => Ok(message.mark.map_or(Word::Nothing, |mark| mark.word())),
        "dtmf" => Ok(message.dtmf.map_or(Word::Nothing, |dtmf| dtmf.word())),
        "stop" => Ok(Word::Stop),
        // `connected`, `error`, and what Telnyx may yet add.
        _ => Ok(Word::Nothing),
    }
}

/// Both laws of G.711; the call's own codec may be wider, and then the stream is to be asked for with one of these.
fn format(told: Option<&MediaFormat<'_>>) -> Result<Format, Fault> {
    let told = told.ok_or(Fault::Garbled)?;
    let is = |number: &Option<Number<'_>>, wanted| number.as_ref().is_none_or(|n| n.value() == Some(wanted));
    if !is(&told.sample_rate, 8_000) || !is(&told.channels, 1) {
        return Err(Fault::Format);
    }
    match told.encoding.as_ref() {
        "PCMU" => Ok(Format::ULAW),
        "PCMA" => Ok(Format::ALAW),
        _ => Err(Fault::Format),
    }
}

pub(super) fn sound(sound: &[u8]) -> String {
    let payload = wire::encode(sound);
    format!(r#"{{"event":"media","media":{{"payload":"{payload}"}}}}"#)
}

pub(super) fn mark(mark: u64) -> String {
    format!(r#"{{"event":"mark","mark":{{"name":"{mark}"}}}}"#)
}

pub(super) fn clear() -> String {
    r#"{"event":"clear"}"#.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"event":"start","sequence_number":"1","start":{"user_id":"3e6f995f-85f7-4705-9741-53b116d28237",
        "call_control_id":"v2:T02llQxI","call_session_id":"ff55a038","from":"+13122010094","to":"+13122123456",
        "tags":["TAG1"],"client_state":"aGF2ZSBhIG5pY2UgZGF5ID1d","custom_parameters":{"first_name":"Jane"},
        "media_format":{"encoding":"PCMU","sample_rate":8000,"channels":1}},"stream_id":"32DE0DEA-53CB"}"#;
    const MEDIA: &str = r#"{"event":"media","sequence_number":"4","media":{"track":"inbound","chunk":"2","timestamp":"5",
        "payload":"/////w=="},"stream_id":"32DE0DEA-53CB"}"#;

    fn read_alone(text: &str) -> Result<Word, Fault> {
        read(text, &mut Vec::new())
    }

    #[test]
    fn the_documented_messages_are_understood() {
        assert_eq!(read_alone(r#"{"event":"connected","version":"1.0.0"}"#), Ok(Word::Nothing));
        let Ok(Word::Start(start)) = read_alone(START) else { panic!("no start") };
        assert_eq!((start.stream.as_str(), start.call.as_str()), ("32DE0DEA-53CB", "v2:T02llQxI"));
        assert_eq!((start.format, start.parameter("first_name")), (Format::ULAW, Some("Jane")));
        let mut sound = Vec::new();
        assert_eq!(read(MEDIA, &mut sound), Ok(Word::Sound { place: Some(2) }));
        assert_eq!(sound, [255; 4]);
        let dtmf = r#"{"event":"dtmf","stream_id":"32DE","occurred_at":"2021-01-01T00:00:00Z","sequence_number":"5",
            "dtmf":{"digit":"*"}}"#;
        assert_eq!(read_alone(dtmf), Ok(Word::Key('*')));
        let mark = r#"{"event":"mark","sequence_number":"4","stream_id":"32DE","mark":{"name":"3"}}"#;
        assert_eq!(read_alone(mark), Ok(Word::Mark(3)));
        let error =
            r#"{"event":"error","payload":{"code":100003,"title":"malformed_frame","detail":"…"},"stream_id":"3"}"#;
        assert_eq!(read_alone(error), Ok(Word::Nothing));
        let stop =
            r#"{"event":"stop","sequence_number":"5","stop":{"user_id":"3e","call_control_id":"v2"},"stream_id":"3"}"#;
        assert_eq!(read_alone(stop), Ok(Word::Stop));
    }

    #[test]
    fn both_laws_are_served_and_nothing_else_is() {
        let format = |name: &str| match read_alone(&START.replace("PCMU", name)) {
            Ok(Word::Start(start)) => Ok(start.format),
            other => Err(other),
        };
        assert_eq!(format("PCMA"), Ok(Format::ALAW));
        for other in ["G722", "OPUS", "AMR-WB", "L16"] {
            assert_eq!(format(other), Err(Err(Fault::Format)), "{other}");
        }
        assert_eq!(read_alone(&START.replace("8000", "16000")), Err(Fault::Format));
    }

    #[test]
    fn what_telnyx_is_told_is_as_documented() {
        assert_eq!(sound(&[255; 4]), r#"{"event":"media","media":{"payload":"/////w=="}}"#);
        assert_eq!(mark(5), r#"{"event":"mark","mark":{"name":"5"}}"#);
        assert_eq!(clear(), r#"{"event":"clear"}"#);
    }
}
