//! The settings a session starts with, from its URL and a session object.

use super::{conversation, raw, transcription};
use crate::realtime::{
    protocol::{
        Query,
        settings::{Defaults, initial},
    },
    session::settings::Kind,
};

fn url(query: &str) -> Query {
    Query::parse(query).unwrap()
}

#[test]
fn a_conversation_without_a_model_is_refused() {
    let error = initial(&url(""), None, &Defaults::default()).unwrap_err();
    assert_eq!((error.code, error.param.as_deref()), (Some("missing_model"), Some("model")));
}

#[test]
fn the_session_object_goes_before_the_url() {
    let session = raw(r#"{"type":"realtime","model":"n","instructions":"i"}"#);
    let settings = initial(&url("model=m"), Some(&session), &Defaults::default()).unwrap();
    assert_eq!((settings.model.as_str(), settings.instructions.as_str()), ("n", "i"));
    assert!(initial(&url(""), Some(&session), &Defaults::default()).is_ok());
    let session = raw(r#"{"type":"transcription"}"#);
    assert_eq!(initial(&url("model=m"), Some(&session), &Defaults::default()).unwrap().kind, Kind::Transcription);
}

#[test]
fn a_session_object_of_null_is_none() {
    assert_eq!(initial(&url("model=m"), Some(&raw("null")), &Defaults::default()).unwrap(), conversation());
}

#[test]
fn a_bad_session_object_is_refused_with_its_path() {
    let session = raw(r#"{"audio":{"output":{"speed":9}}}"#);
    let error = initial(&url("model=m"), Some(&session), &Defaults::default()).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("session.audio.output.speed"));
}

#[test]
fn the_operators_defaults_yield_to_the_client() {
    let defaults = Defaults { instructions: "Be kind.".into(), voice: "hibari".into() };
    let settings = initial(&url("model=m"), None, &defaults).unwrap();
    assert_eq!((settings.instructions.as_str(), settings.output.voice.as_str()), ("Be kind.", "hibari"));
    let settings = initial(&url("model=m"), Some(&raw(r#"{"instructions":""}"#)), &defaults).unwrap();
    assert_eq!(settings.instructions, "");
}

#[test]
fn a_transcription_session_wants_transcripts_from_the_start() {
    assert!(transcription().input.transcription.is_some());
    let named = initial(&url("intent=transcription&model=whisper-1"), None, &Defaults::default()).unwrap();
    assert_eq!(named.input.transcription.unwrap().model.as_deref(), Some("whisper-1"));
}
