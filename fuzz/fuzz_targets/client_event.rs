//! Any text as a client event: it is decoded or refused, and the refusal can be written.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use voice_relay::realtime::{
    protocol::{ClientEvent, Encoder, Query, decode, settings},
    session::{
        input::{Command, Request},
        output::Event,
    },
};

fuzz_target!(|text: &str| {
    let query = Query::Conversation { model: Some("m".to_owned()) };
    let current = settings::initial(&query, None, &settings::Defaults::default()).expect("the defaults are valid");
    let mut scratch = Vec::new();
    let event = match decode(text, &current, &mut scratch) {
        Ok(ClientEvent::Command(Command { request: Request::Update(settings), .. })) => {
            Event::SessionUpdated(Arc::new(*settings))
        }
        Ok(ClientEvent::Command(Command { request: Request::Create { item, .. }, .. })) => {
            Event::ItemAdded { item, previous: None }
        }
        Ok(_) => return,
        Err(error) => Event::Error(error),
    };
    let mut out = String::new();
    Encoder::new("sess_1", 0).encode(&event, &mut out);
    let written: serde_json::Value = serde_json::from_str(&out).expect("what is written is JSON");
    assert!(written["event_id"].is_string());
});
