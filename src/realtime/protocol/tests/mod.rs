//! Tests of the protocol as a whole.

mod beta;
mod commands;
mod faults;
mod golden;
mod gotchas;
mod merging;
mod properties;
mod starting;
mod walk;

use serde_json::{Value, value::RawValue};

use super::{ClientEvent, Dialect, Encoder, Query, settings};
use crate::realtime::session::{
    input::Request,
    output::{ClientError, Event},
    settings::Settings,
};

fn conversation() -> Settings {
    settings::initial(&Query::Conversation { model: Some("m".into()) }, None, &settings::Defaults::default()).unwrap()
}

fn transcription() -> Settings {
    settings::initial(&Query::Transcription { model: None }, None, &settings::Defaults::default()).unwrap()
}

fn decode<'a>(text: &'a str, settings: &Settings, scratch: &'a mut Vec<u8>) -> Result<ClientEvent<'a>, ClientError> {
    super::decode(text, Dialect::Ga, settings, scratch)
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn merge(current: &Settings, session: &str) -> Result<Settings, ClientError> {
    settings::merge(current, &raw(session))
}

fn merged(session: &str) -> Settings {
    merge(&conversation(), session).unwrap()
}

fn shown(settings: &Settings) -> Value {
    serde_json::from_str(&settings::to_json(settings, "sess_1", 1_700_000_000)).unwrap()
}

fn asked(text: &str) -> Request {
    match decode(text, &conversation(), &mut Vec::new()).unwrap() {
        ClientEvent::Command(command) => command.request,
        ClientEvent::Append { .. } => panic!("an append: {text}"),
    }
}

fn refused(text: &str) -> ClientError {
    decode(text, &conversation(), &mut Vec::new()).unwrap_err()
}

/// The code and the path of the refusal.
fn fault(text: &str) -> (&'static str, Option<String>) {
    let error = refused(text);
    (error.code.unwrap(), error.param)
}

fn encoded(event: &Event) -> Value {
    let mut out = String::new();
    Encoder::new("sess_1", 1_700_000_000).encode(event, &mut out);
    serde_json::from_str(&out).unwrap()
}
