//! Messages that cannot be obeyed: each has its code, its path and the client's event id.

use std::sync::Arc;

use super::{conversation, decode, encoded, fault, merge, refused};
use crate::realtime::session::{output::Event, settings::Settings};

fn named(code: &'static str, param: &str) -> (&'static str, Option<String>) {
    (code, Some(param.to_owned()))
}

#[test]
fn text_that_is_not_json() {
    for text in ["", "{", "hello", "{\"type\":\"session.update\"", "{\"a\":1}}", "\u{0}", "{\"type\":tru}"] {
        assert_eq!(fault(text), ("invalid_json", None), "{text}");
    }
}

#[test]
fn json_that_is_no_event() {
    for text in ["[]", "1", "null", "\"x\"", "{}", "{\"type\":null}", "{\"audio\":\"AAAA\"}"] {
        assert_eq!(fault(text), ("invalid_event", None), "{text}");
    }
}

#[test]
fn a_type_that_is_unknown_or_no_string() {
    assert_eq!(fault(r#"{"type":"session.start"}"#), named("invalid_value", "type"));
    assert_eq!(fault(r#"{"type":5}"#), named("invalid_type", "type"));
}

#[test]
fn the_event_id_is_echoed_wherever_it_can_be_read() {
    for text in [
        r#"{"type":"nothing","event_id":"e1"}"#,
        r#"{"event_id":"e1"}"#,
        r#"{"event_id":"e1","type":"session.update""#,
        r#"{"event_id":"\u0065\u0031","type":"session.update"}"#,
        r#"{"type":"input_audio_buffer.append","audio":"!","event_id":"e1"}"#,
        r#"{"type":"conversation.item.delete","item_id":7,"event_id":"e1"}"#,
    ] {
        assert_eq!(refused(text).event_id.as_deref(), Some("e1"), "{text}");
    }
    assert_eq!(refused(r#"{"type":"nothing","event_id":7}"#).event_id, None);
    let monstrous = format!(r#"{{"type":"nothing","event_id":"{}"}}"#, "e".repeat(5000));
    assert_eq!(refused(&monstrous).event_id, None);
}

#[test]
fn an_append_without_good_base64() {
    let append = |audio: &str| fault(&format!(r#"{{"type":"input_audio_buffer.append"{audio}}}"#));
    assert_eq!(append(""), named("missing_required_parameter", "audio"));
    assert_eq!(append(r#","audio":null"#), named("missing_required_parameter", "audio"));
    assert_eq!(append(r#","audio":7"#), named("invalid_type", "audio"));
    for bad in ["A", "AAAA=A", "AA AA", "AA-_", "AAAA\\n", "grüß", "\\ud800"] {
        assert_eq!(append(&format!(r#","audio":"{bad}""#)), named("invalid_value", "audio"), "{bad}");
    }
}

#[test]
fn an_append_of_an_odd_length_is_no_error() {
    let text = r#"{"type":"input_audio_buffer.append","audio":"AAEC"}"#;
    assert!(decode(text, &conversation(), &mut Vec::new()).is_ok());
    assert!(decode(r#"{"type":"input_audio_buffer.append","audio":""}"#, &conversation(), &mut Vec::new()).is_ok());
}

#[test]
fn members_that_are_missing_or_of_another_type() {
    let missing = "missing_required_parameter";
    assert_eq!(fault(r#"{"type":"session.update"}"#), named(missing, "session"));
    assert_eq!(fault(r#"{"type":"session.update","session":[]}"#), named("invalid_type", "session"));
    assert_eq!(fault(r#"{"type":"conversation.item.retrieve"}"#), named(missing, "item_id"));
    assert_eq!(fault(r#"{"type":"conversation.item.delete","item_id":1}"#), named("invalid_type", "item_id"));
    assert_eq!(fault(r#"{"type":"conversation.item.create"}"#), named(missing, "item"));
    assert_eq!(fault(r#"{"type":"response.create","response":1}"#), named("invalid_type", "response"));
    let truncate =
        |end: &str| fault(&format!(r#"{{"type":"conversation.item.truncate","item_id":"i","content_index":0{end}}}"#));
    assert_eq!(truncate(""), named(missing, "audio_end_ms"));
    assert_eq!(truncate(r#","audio_end_ms":812.5"#), named("invalid_type", "audio_end_ms"));
    assert_eq!(truncate(r#","audio_end_ms":-1"#), named("invalid_value", "audio_end_ms"));
    assert_eq!(truncate(r#","audio_end_ms":1e99"#), named("invalid_value", "audio_end_ms"));
    assert_eq!(truncate(r#","audio_end_ms":1e999"#), named("invalid_value", "audio_end_ms"));
}

#[test]
fn an_item_that_cannot_be() {
    let item = |item: &str| fault(&format!(r#"{{"type":"conversation.item.create","item":{item}}}"#));
    let message =
        |role: &str, content: &str| item(&format!(r#"{{"type":"message","role":"{role}","content":{content}}}"#));
    let missing = "missing_required_parameter";
    assert_eq!(item("{}"), named(missing, "item.type"));
    assert_eq!(item(r#"{"type":"reasoning"}"#), named("invalid_value", "item.type"));
    assert_eq!(item(r#"{"type":"message","content":[]}"#), named(missing, "item.role"));
    assert_eq!(message("tool", "[]"), named("invalid_value", "item.role"));
    assert_eq!(message("user", "\"a\""), named("invalid_type", "item.content"));
    assert_eq!(message("user", r#"[{"type":"output_text"}]"#), named("invalid_value", "item.content[0].type"));
    assert_eq!(
        message("user", r#"[{"type":"input_text","text":"a"},{"type":"input_text"}]"#),
        named(missing, "item.content[1].text")
    );
    assert_eq!(message("user", r#"[{"type":"input_audio"}]"#), named(missing, "item.content[0].audio"));
    assert_eq!(
        message("user", r#"[{"type":"input_audio","audio":"?"}]"#),
        named("invalid_value", "item.content[0].audio")
    );
    let output = |call: &str| item(&format!(r#"{{"type":"function_call_output","call_id":"{call}","output":""}}"#));
    assert_eq!(output(&"c".repeat(33)), named("invalid_value", "item.call_id"));
    assert_eq!(
        item(r#"{"type":"function_call_output","call_id":"c","output":{}}"#),
        named("invalid_type", "item.output")
    );
}

#[test]
fn a_response_that_cannot_be() {
    let response = |body: &str| fault(&format!(r#"{{"type":"response.create","response":{body}}}"#));
    assert_eq!(response(r#"{"conversation":"other"}"#), named("invalid_value", "response.conversation"));
    assert_eq!(response(r#"{"metadata":{"a":1}}"#), named("invalid_type", "response.metadata.a"));
    assert_eq!(response(r#"{"max_output_tokens":0}"#), named("invalid_value", "response.max_output_tokens"));
    assert_eq!(
        response(r#"{"input":[{"type":"item_reference"}]}"#),
        named("missing_required_parameter", "response.input[0].id")
    );
    assert_eq!(
        response(r#"{"tools":[{"type":"function"}]}"#),
        named("missing_required_parameter", "response.tools[0].name")
    );
    let pairs: Vec<String> = (0..17).map(|n| format!("\"k{n}\":\"v\"")).collect();
    assert_eq!(
        response(&format!("{{\"metadata\":{{{}}}}}", pairs.join(","))),
        named("invalid_value", "response.metadata")
    );
}

#[test]
fn nesting_without_end_costs_no_stack() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
    for value in [deep("[", "]"), deep("{\"a\":", "}")] {
        let unknown = format!(r#"{{"type":"input_audio_buffer.commit","x":{value}}}"#);
        assert!(decode(&unknown, &conversation(), &mut Vec::new()).is_ok());
        let parameters = format!(r#"{{"tools":[{{"name":"f","parameters":{value}}}]}}"#);
        let error = merge(&conversation(), &parameters).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("session.tools[0].parameters"));
        assert_eq!(fault(&value).1, None);
    }
}

#[test]
fn what_is_carried_can_be_read_where_it_is_shown() {
    let tool = |value: &str| format!(r#"{{"tools":[{{"name":"f","parameters":{{"a":{value}}}}}]}}"#);
    for (levels, taken) in [(99, true), (100, false)] {
        let nested = tool(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        let merged = merge(&conversation(), &nested);
        assert_eq!(merged.is_ok(), taken, "{levels}");
        if let Ok(settings) = merged {
            let event = encoded(&Event::SessionUpdated(Arc::new(settings)));
            assert!(event["session"]["tools"][0]["parameters"]["a"].is_array());
        }
    }
    for unreadable in [r#""\ud800""#, r#"{"\ud800":1}"#, "1e999"] {
        let error = merge(&conversation(), &tool(unreadable)).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("session.tools[0].parameters"), "{unreadable}");
    }
}

#[test]
fn a_function_that_is_not_there_cannot_be_chosen() {
    let named = |param: &str| Some(param.to_owned());
    let choice = r#""tool_choice":{"type":"function","name":"f"}"#;
    let tools = r#""tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}]"#;

    let error = merge(&conversation(), &format!("{{{choice}}}")).unwrap_err();
    assert_eq!((error.code, error.param), (Some("invalid_value"), named("session.tool_choice")));
    assert_eq!(error.message, "Tool choice 'f' not found in 'tools'.");
    let both = merge(&conversation(), &format!("{{{choice},{tools}}}")).unwrap();
    assert!(merge(&both, r#"{"instructions":"i"}"#).is_ok());
    let error = merge(&both, r#"{"tools":[]}"#).unwrap_err();
    assert_eq!(error.param, named("session.tool_choice"), "the choice that was there is left without its function");
    assert!(merge(&both, r#"{"tools":[],"tool_choice":"auto"}"#).is_ok());

    let respond = |settings: &Settings, body: &str| {
        let text = format!(r#"{{"type":"response.create","event_id":"e","response":{{{body}}}}}"#);
        decode(&text, settings, &mut Vec::new()).map(drop).map_err(|error| (error.param, error.event_id.is_some()))
    };
    let refused = |param: &str| Err((named(param), true));
    assert_eq!(respond(&conversation(), choice), refused("response.tool_choice"));
    assert_eq!(respond(&conversation(), &format!("{choice},{tools}")), Ok(()));
    assert_eq!(respond(&both, choice), Ok(()), "the session's functions can be chosen");
    assert_eq!(respond(&both, r#""tools":[]"#), refused("response.tools"));
    assert_eq!(respond(&both, r#""tools":[],"tool_choice":"none""#), Ok(()));
    assert_eq!(respond(&both, ""), Ok(()));
}

#[test]
fn lists_and_objects_without_end_are_refused() {
    let tools = format!(r#"{{"tools":[{}]}}"#, vec!["{}"; 100_000].join(","));
    assert_eq!(merge(&conversation(), &tools).unwrap_err().param.as_deref(), Some("session.tools"));
    let members: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":1")).collect();
    let session = format!("{{{}}}", members.join(","));
    assert_eq!(merge(&conversation(), &session).unwrap_err().param.as_deref(), Some("session"));
}

#[test]
fn what_a_client_wrote_is_quoted_in_short() {
    let error = refused(&format!(r#"{{"type":"{}"}}"#, "ü".repeat(100_000)));
    assert!(error.message.len() < 1000);
    let error = merge(&conversation(), &format!(r#"{{"max_output_tokens":{}}}"#, "9".repeat(300))).unwrap_err();
    assert!(error.message.len() < 200);
}
