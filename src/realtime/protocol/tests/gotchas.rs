//! Section 18 of the protocol: what breaks clients, as far as it lies in this layer. (5 and 6 are the transports', 3, 7
//! and 9 the session's; 12 stands beside the subprotocols.)

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};

use super::{conversation, decode, encoded, golden, merge, merged, refused, shown};
use crate::realtime::{
    protocol::{ClientEvent, Encoder},
    session::{ids::ItemId, input::Request, output::Event},
};

fn every_event() -> impl Iterator<Item = Value> {
    golden::events().into_iter().map(|(_, event)| encoded(&event))
}

fn nulls(value: &Value) -> Vec<&str> {
    let members = value.as_object().into_iter().flatten();
    members.filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str()).collect()
}

/// Every item in any event.
fn items(event: &Value) -> Vec<&Value> {
    let output = event["response"]["output"].as_array().into_iter().flatten();
    event.get("item").into_iter().chain(output).collect()
}

#[test]
fn gotcha_1_user_audio_has_a_transcript_key_even_when_unknown() {
    let mut seen = 0;
    for event in every_event() {
        for part in items(&event).iter().flat_map(|item| item["content"].as_array().into_iter().flatten()) {
            if part["type"] == "input_audio" {
                assert!(part.as_object().unwrap().contains_key("transcript"), "{event}");
                seen += 1;
            }
        }
    }
    assert!(seen > 1);
}

#[test]
fn gotcha_1_parts_are_named_one_way_and_contents_another() {
    for event in every_event() {
        if let Some(part) = event.get("part") {
            assert!(part["type"] == "audio" || part["type"] == "text", "{event}");
        }
        for item in items(&event).into_iter().filter(|item| item["role"] == "assistant") {
            for part in item["content"].as_array().unwrap() {
                assert!(part["type"].as_str().unwrap().starts_with("output_"), "{event}");
            }
        }
    }
}

#[test]
fn gotcha_1_optional_members_are_absent_rather_than_null() {
    for event in every_event() {
        assert_eq!(nulls(&event["part"]), [""; 0], "{event}");
        for item in items(&event).into_iter().filter(|item| item["type"] != "mcp_call") {
            assert_eq!(nulls(item), [""; 0], "{event}");
        }
        if event["type"] != "error" {
            assert_eq!(nulls(&event["error"]), [""; 0], "{event}");
        }
    }
}

#[test]
fn gotcha_1_foreign_items_lose_their_nulls_but_for_the_output_of_a_call() {
    let text = r#"{"type":"conversation.item.create","item":{"type":"mcp_call","error":null,"call_id":null,"id":"x",
        "server_label":"s","name":"n","arguments":"{}"}}"#;
    let ClientEvent::Command(command) = decode(text, &conversation(), &mut Vec::new()).unwrap() else { panic!() };
    let Request::Create { item, .. } = command.request else { panic!() };
    let event = encoded(&Event::ItemAdded { item, previous: None });
    assert_eq!(event["item"]["server_label"], "s");
    assert_eq!(nulls(&event["item"]), ["output"]);
}

#[test]
fn gotcha_2_the_effective_interrupt_response_is_shown() {
    for (members, expected) in [("", true), (r#","interrupt_response":false"#, false)] {
        let session = format!(r#"{{"audio":{{"input":{{"turn_detection":{{"type":"semantic_vad"{members}}}}}}}}}"#);
        assert_eq!(shown(&merged(&session))["audio"]["input"]["turn_detection"]["interrupt_response"], expected);
    }
}

#[test]
fn gotcha_2_metadata_comes_back_in_created_and_done() {
    for event in every_event().filter(|event| event.get("response").is_some()) {
        assert_eq!(event["response"]["metadata"], json!({"client_event_id": "e1"}));
    }
}

#[test]
fn gotcha_2_an_error_names_the_event_that_caused_it() {
    let error = refused(r#"{"type":"conversation.item.retrieve","event_id":"rci_item_1"}"#);
    let event = encoded(&Event::Error(error));
    assert_eq!(event["error"]["event_id"], "rci_item_1");
    let members: BTreeSet<&str> = event["error"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, BTreeSet::from(["code", "event_id", "message", "param", "type"]));
}

#[test]
fn gotcha_2_the_previous_item_is_told_and_null_only_at_the_front() {
    let first = encoded(&Event::Committed { item: ItemId::new("a"), previous: None });
    assert!(first.as_object().unwrap()["previous_item_id"].is_null());
    let second = encoded(&Event::Committed { item: ItemId::new("b"), previous: Some(ItemId::new("a")) });
    assert_eq!(second["previous_item_id"], "a");
}

#[test]
fn gotcha_2_event_ids_are_unique() {
    let mut encoder = Encoder::new("sess_1", 0);
    let mut ids = BTreeSet::new();
    for (_, event) in golden::events() {
        let mut out = String::new();
        encoder.encode(&event, &mut out);
        let event: Value = serde_json::from_str(&out).unwrap();
        assert!(ids.insert(event["event_id"].as_str().unwrap().to_owned()));
    }
}

#[test]
fn gotcha_8_two_updates_in_a_row_build_on_each_other() {
    let first = merged(r#"{"type":"realtime","instructions":"a"}"#);
    let second = merge(&first, r#"{"type":"realtime","tracing":"auto"}"#).unwrap();
    assert_eq!(
        (shown(&second)["instructions"].as_str(), shown(&second)["tracing"].as_str()),
        (Some("a"), Some("auto"))
    );
}

#[test]
fn gotcha_8_null_means_absent() {
    let text = r#"{"type":"response.create","event_id":null,"response":{"instructions":null,"metadata":{"a":"b"},
        "input":null,"tools":null,"tool_choice":null,"audio":null,"conversation":null,"max_output_tokens":null}}"#;
    let ClientEvent::Command(command) = decode(text, &conversation(), &mut Vec::new()).unwrap() else { panic!() };
    assert_eq!(command.event_id, None);
    let Request::Respond(request) = command.request else { panic!() };
    assert!(request.metadata.is_some() && request.instructions.is_none() && request.input.is_none());
}

#[test]
fn gotcha_9_the_type_is_fixed() {
    assert!(merge(&conversation(), r#"{"type":"transcription"}"#).is_err());
}

#[test]
fn the_whole_session_is_shown() {
    let event = encoded(&Event::SessionCreated(Arc::new(conversation())));
    let expected = json!({
        "type": "realtime", "object": "realtime.session", "id": "sess_1", "expires_at": 1_700_000_000, "model": "m",
        "output_modalities": ["audio"], "instructions": "", "tools": [], "tool_choice": "auto",
        "max_output_tokens": "inf", "truncation": "auto", "tracing": null, "prompt": null, "include": null,
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000}, "noise_reduction": null, "transcription": null,
                "turn_detection": {
                    "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
                    "idle_timeout_ms": null, "create_response": true, "interrupt_response": true,
                },
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1},
        },
    });
    // serde_json tells 1 from 1.0; the wire does not.
    assert_eq!(event["session"].to_string(), expected.to_string());
}
