//! Every member of every client event, with every value it cannot have: refused by code, path and the event's own id.

use serde_json::{Value, json};

use super::{conversation, decode, merged, refused};
use crate::realtime::session::{output::ClientError, settings::Settings};

/// An event of every type, each with all the members it may have.
fn events() -> Vec<Value> {
    let tool = json!({"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}});
    let part = json!({"type": "input_text", "text": "t"});
    let sound = json!({"type": "input_audio", "audio": "AAAA", "transcript": "t"});
    let message =
        json!({"id": "i", "type": "message", "role": "user", "status": "completed", "content": [part, sound]});
    let create = |item: Value| json!({"type": "conversation.item.create", "previous_item_id": "p", "item": item});
    let detection = json!({"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
        "idle_timeout_ms": 6000, "create_response": true, "interrupt_response": true});
    let transcription = json!({"model": "m", "language": "en", "prompt": "p"});
    let session = json!({
        "type": "realtime", "model": "m", "output_modalities": ["audio"], "instructions": "i", "tools": [tool],
        "tool_choice": {"type": "function", "name": "f"}, "max_output_tokens": 5, "parallel_tool_calls": true,
        "tracing": {"workflow_name": "w"}, "prompt": {"id": "p"}, "reasoning": {"effort": "low"},
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.5},
        "audio": {
            "input": {"format": {"type": "audio/pcm", "rate": 24000}, "noise_reduction": {"type": "near_field"},
                "transcription": transcription, "turn_detection": detection},
            "output": {"format": {"type": "audio/pcmu"}, "voice": "v", "speed": 1.0},
        },
    });
    let response = json!({
        "instructions": "i", "output_modalities": ["text"], "audio": {"output": {"voice": {"id": "v"}}}, "tools": [tool],
        "tool_choice": "auto", "max_output_tokens": "inf", "metadata": {"a": "b"}, "conversation": "none",
        "input": [message, {"type": "item_reference", "id": "i"}],
    });
    vec![
        json!({"type": "session.update", "session": session}),
        json!({"type": "input_audio_buffer.append", "audio": "AAAA"}),
        json!({"type": "input_audio_buffer.commit"}),
        json!({"type": "input_audio_buffer.clear"}),
        create(message),
        create(json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"})),
        create(json!({"type": "function_call_output", "call_id": "c", "output": "o"})),
        json!({"type": "conversation.item.retrieve", "item_id": "i"}),
        json!({"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 5}),
        json!({"type": "conversation.item.delete", "item_id": "i"}),
        json!({"type": "response.create", "response": response}),
        json!({"type": "response.cancel", "response_id": "r"}),
        json!({"type": "output_audio_buffer.clear"}),
    ]
}

/// Where each value of an event stands: as the wire names it, and as serde_json finds it.
fn places(value: &Value, wire: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    let mut visit = |wire: String, name: &str, value: &Value| {
        let pointer = format!("{pointer}/{name}");
        found.push((wire.clone(), pointer.clone()));
        places(value, &wire, &pointer, found);
    };
    if let Some(members) = value.as_object() {
        for (name, value) in members {
            visit(if wire.is_empty() { name.clone() } else { format!("{wire}.{name}") }, name, value);
        }
    }
    for (at, value) in value.as_array().into_iter().flatten().enumerate() {
        visit(format!("{wire}[{at}]"), &at.to_string(), value);
    }
}

/// Calls `check` with each event, each of its places and the text that has a mark there in place of a value.
fn each_place(events: &[Value], read: impl Fn(&str) -> Result<(), ClientError>, mut check: impl FnMut(&str, &str)) {
    for event in events {
        assert!(read(&event.to_string()).is_ok(), "{event}");
        let mut found = Vec::new();
        places(event, "", "", &mut found);
        for (wire, pointer) in found {
            let mut event = event.clone();
            *event.pointer_mut(&pointer).expect("a place") = json!("@");
            let text = event.to_string();
            check(&wire, &format!(r#"{{"event_id":"mine",{}"#, &text[1..]));
        }
    }
}

fn read(text: &str) -> Result<(), ClientError> {
    decode(text, &settings(), &mut Vec::new()).map(drop)
}

fn settings() -> Settings {
    merged(r#"{"tools":[{"name":"f"}]}"#)
}

/// Whether a refusal that names `param` can be about what stands at `place`: itself, what holds it, or what it holds.
/// The choice of a function is about the list of them as well.
fn concerns(param: &str, place: &str) -> bool {
    param.starts_with(place) || place.starts_with(param) || (param.ends_with("tool_choice") && place.contains("tool"))
}

#[test]
fn any_wrong_value_anywhere_is_refused_by_its_path_or_taken() {
    let refusals = wrong_values(&events(), read);
    assert!(refusals > 1_000, "only {refusals} refusals");
}

/// Puts every wrong value into every place of these events; returns how many were refused.
pub(super) fn wrong_values(events: &[Value], read: impl Fn(&str) -> Result<(), ClientError>) -> usize {
    let long = format!("\"{}\"", "x".repeat(70_000));
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let wide = format!("[{}]", vec!["0"; 5_000].join(","));
    let values =
        ["null", "true", "-1", "0.5", "1e999", "-1e999", "99999999999999999999", "\"\"", "\"\\ud800\"", "[]", "{}"];
    let mut refusals = 0;
    each_place(events, &read, |place, text| {
        for value in values.into_iter().chain([&*long, &*deep, &*wide, r#"{"a":[{"b":null}]}"#]) {
            let Err(error) = read(&text.replace("\"@\"", value)) else { continue };
            let excerpt = &value[..value.len().min(40)];
            assert_eq!(error.event_id.as_deref(), Some("mine"), "{place} = {excerpt}");
            if place == "type" && value == "null" {
                assert_eq!(error.code, Some("invalid_event"));
                continue;
            }
            let known = ["invalid_type", "invalid_value", "missing_required_parameter"];
            assert!(known.contains(&error.code.unwrap()), "{place} = {excerpt}: {error:?}");
            assert!(concerns(error.param.as_deref().unwrap(), place), "{place} = {excerpt}: {error:?}");
            assert!(error.message.len() < 1_000, "{place} = {excerpt}: {} bytes", error.message.len());
            refusals += 1;
        }
    });
    refusals
}

#[test]
fn what_is_no_json_anywhere_is_refused_as_such() {
    each_place(&events(), read, |place, text| {
        for value in ["NaN", "Infinity", "01", "'x'", "undefined", "\"\n\"", "{\"a\"}", "[1,]"] {
            let error = refused(&text.replace("\"@\"", value));
            assert_eq!(
                (error.code, error.event_id.as_deref()),
                (Some("invalid_json"), Some("mine")),
                "{place} = {value}"
            );
        }
    });
}

#[test]
fn a_member_that_must_be_there_is_missed_by_its_path() {
    let mut missed = 0;
    for event in events() {
        let mut found = Vec::new();
        places(&event, "", "", &mut found);
        for (wire, pointer) in found.into_iter().filter(|(wire, _)| wire != "type" && !wire.ends_with(']')) {
            let mut event = event.clone();
            let (parent, name) = pointer.rsplit_once('/').expect("a place");
            event.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(name);
            if let Err(error) = read(&event.to_string()) {
                let param = error.param.as_deref().unwrap();
                assert!(param == wire || concerns(param, &wire), "without {wire}: {error:?}");
                missed += 1;
            }
        }
    }
    assert!(missed > 20, "only {missed} were missed");
}

#[test]
fn of_members_of_one_name_the_last_counts() {
    let text =
        r#"{"event_id":"a","type":"nothing","item_id":7,"item_id":8,"type":"conversation.item.delete","event_id":"b"}"#;
    let error = refused(text);
    assert_eq!((error.param.as_deref(), error.event_id.as_deref()), (Some("item_id"), Some("b")));
    assert!(read(&text.replace('8', "\"i\"")).is_ok());
    assert_eq!(merged(r#"{"instructions":"a","instructions":"b"}"#).instructions, "b");
    assert_eq!(merged(r#"{"instructions":"a","instructions":null}"#), conversation());
}
