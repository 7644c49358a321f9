//! Twilio Media Streams, bidirectional (`<Connect><Stream>`).
//!
//! From <https://www.twilio.com/docs/voice/media-streams/websocket-messages>: JSON text alone, sound as base64 of µ-law at
//! 8 kHz in messages of 20 ms, positions as strings. After a `clear` Twilio sends back all marks it had not reached.

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
    #[serde(rename = "streamSid", borrow)]
    stream: Option<Cow<'a, str>>,
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
#[serde(rename_all = "camelCase")]
struct Begin<'a> {
    #[serde(borrow)]
    call_sid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    media_format: Option<MediaFormat<'a>>,
    #[serde(default)]
    custom_parameters: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
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
                stream: message.stream.ok_or(Fault::Garbled)?.into_owned(),
                call: begin.call_sid.unwrap_or_default().into_owned(),
                format: format(begin.media_format.as_ref())?,
                parameters: wire::parameters(begin.custom_parameters)?,
            })))
        }
        "media" => message.media.ok_or(Fault::Garbled)?.word(sound),
        "mark" => Ok(message.mark.map_or(Word::Nothing, |mark| mark.word())),
        "dtmf" => Ok(message.dtmf.map_or(Word::Nothing, |dtmf| dtmf.word())),
        "stop" => Ok(Word::Stop),
        // `connected`, and what Twilio may yet add.
        _ => Ok(Word::Nothing),
    }
}

/// Twilio knows one format, and says so.
fn format(told: Option<&MediaFormat<'_>>) -> Result<Format, Fault> {
    let Some(told) = told else { return Ok(Format::ULAW) };
    let is = |number: &Option<Number<'_>>, wanted| number.as_ref().is_none_or(|n| n.value() == Some(wanted));
    if told.encoding == "audio/x-mulaw" && is(&told.sample_rate, 8_000) && is(&told.channels, 1) {
        Ok(Format::ULAW)
    } else {
        Err(Fault::Format)
    }
}

pub(super) fn sound(stream: &str, sound: &[u8]) -> String {
    let (stream, payload) = (wire::quoted(stream), wire::encode(sound));
    format!(r#"{{"event":"media","streamSid":{stream},"media":{{"payload":"{payload}"}}}}"#)
}

pub(super) fn mark(stream: &str, mark: u64) -> String {
    let stream = wire::quoted(stream);
    format!(r#"{{"event":"mark","streamSid":{stream},"mark":{{"name":"{mark}"}}}}"#)
}

pub(super) fn clear(stream: &str) -> String {
    let stream = wire::quoted(stream);
    format!(r#"{{"event":"clear","streamSid":{stream}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The documented messages, with the identifiers of the documentation.
    const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
    const START: &str = r#"{"event":"start","sequenceNumber":"1","start":{"accountSid":"ACXXXX","streamSid":"MZXXXX",
        "callSid":"CAXXXX","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},
        "customParameters":{"FirstName":"Jane","LastName":"Doe","RemoteParty":"Bob"}},"streamSid":"MZXXXX"}"#;
    const MEDIA: &str = r#"{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1","timestamp":"5",
        "payload":"/v7+\/w=="},"streamSid":"MZXXXX"}"#;
    const STOP: &str = r#"{"event":"stop","sequenceNumber":"5","streamSid":"MZXXXX",
        "stop":{"accountSid":"ACXXXX","callSid":"CAXXXX"}}"#;
    const DTMF: &str = r#"{"event":"dtmf","streamSid":"MZXXXX","sequenceNumber":"5",
        "dtmf":{"track":"inbound_track","digit":"1"}}"#;
    const MARK: &str = r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZXXXX","mark":{"name":"7"}}"#;

    fn read_alone(text: &str) -> Result<Word, Fault> {
        read(text, &mut Vec::new())
    }

    #[test]
    fn the_documented_messages_are_understood() {
        assert_eq!(read_alone(CONNECTED), Ok(Word::Nothing));
        let Ok(Word::Start(start)) = read_alone(START) else { panic!("no start") };
        assert_eq!((start.stream.as_str(), start.call.as_str(), start.format), ("MZXXXX", "CAXXXX", Format::ULAW));
        assert_eq!(start.parameter("FirstName"), Some("Jane"));
        let mut sound = vec![1];
        assert_eq!(read(MEDIA, &mut sound), Ok(Word::Sound { place: Some(1) }));
        assert_eq!(sound, [0xfe, 0xfe, 0xfe, 0xff]);
        assert_eq!(read_alone(DTMF), Ok(Word::Key('1')));
        assert_eq!(read_alone(MARK), Ok(Word::Mark(7)));
        assert_eq!(read_alone(STOP), Ok(Word::Stop));
    }

    #[test]
    fn what_twilio_is_told_is_as_documented() {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(
            json(&sound("MZ\"1", &[0xff, 0x7f])),
            serde_json::json!({"event": "media", "streamSid": "MZ\"1", "media": {"payload": "/38="}})
        );
        assert_eq!(
            json(&mark("MZ1", 12)),
            serde_json::json!({"event": "mark", "streamSid": "MZ1", "mark": {"name": "12"}})
        );
        assert_eq!(json(&clear("MZ1")), serde_json::json!({"event": "clear", "streamSid": "MZ1"}));
    }

    #[test]
    fn our_own_voice_and_marks_of_others_are_passed_over() {
        assert_eq!(read_alone(&MEDIA.replace("\"inbound\"", "\"outbound\"")), Ok(Word::Nothing));
        assert_eq!(read_alone(&MARK.replace("\"7\"", "\"their own\"")), Ok(Word::Nothing));
        assert_eq!(read_alone(r#"{"event":"weather"}"#), Ok(Word::Nothing));
    }

    #[test]
    fn a_stream_that_lies_is_told_so() {
        for wrong in ["", "{", "[]", r#"{"event":"media"}"#, r#"{"event":"start","streamSid":"MZ"}"#] {
            assert_eq!(read_alone(wrong), Err(Fault::Garbled), "{wrong}");
        }
        assert_eq!(read_alone(&START.replace("x-mulaw", "x-l16")), Err(Fault::Format));
        assert_eq!(read_alone(&START.replace("8000", "\"16000\"")), Err(Fault::Format));
        assert_eq!(read_alone(&START.replace("\"channels\":1", "\"channels\":2")), Err(Fault::Format));
        assert_eq!(read_alone(&MEDIA.replace("/v7", "~~")), Err(Fault::Base64));
    }
}
