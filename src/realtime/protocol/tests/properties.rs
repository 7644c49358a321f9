//! What holds for any input.

use proptest::{prelude::*, sample::select};

use super::{conversation, decode, merge, shown, transcription};
use crate::realtime::protocol::{ClientEvent, Encoder, settings};
use crate::realtime::session::{output::Event, settings::Settings};

/// JSON of the protocol's own words, so that walks get past the first check.
fn json() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "type",
        "event_id",
        "audio",
        "session",
        "item",
        "response",
        "input",
        "output",
        "content",
        "role",
        "format",
        "turn_detection",
        "transcription",
        "noise_reduction",
        "tools",
        "tool_choice",
        "name",
        "parameters",
        "id",
        "call_id",
        "metadata",
        "voice",
        "speed",
        "threshold",
        "text",
        "item_id",
        "content_index",
        "audio_end_ms",
        "truncation",
        "prompt",
        "tracing",
        "include",
        "eagerness",
        "model",
        "instructions",
    ];
    const LEAVES: &[&str] = &[
        "null",
        "true",
        "0",
        "-1",
        "0.5",
        "5000",
        "1e400",
        "\"\"",
        "\"inf\"",
        "\"message\"",
        "\"user\"",
        "\"\\ud800\"",
        "\"function\"",
        "\"mcp\"",
        "\"server_vad\"",
        "\"semantic_vad\"",
        "\"audio/pcmu\"",
        "\"input_audio\"",
        "\"AAAA\"",
        "\"session.update\"",
        "\"conversation.item.create\"",
        "\"response.create\"",
        "\"input_audio_buffer.append\"",
    ];
    select(LEAVES).prop_map(str::to_owned).prop_recursive(6, 64, 6, |inner| {
        let member = (select(NAMES), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            prop::collection::vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

fn session() -> impl Strategy<Value = Settings> {
    let detection = select(vec![
        "null",
        r#"{"type":"server_vad","threshold":0.35,"idle_timeout_ms":5000,"create_response":false}"#,
        r#"{"type":"semantic_vad","eagerness":"high","interrupt_response":false}"#,
    ]);
    let input = select(vec![
        r#""noise_reduction":{"type":"near_field"}"#,
        r#""transcription":{"model":"m","language":"en","prompt":"p","keywords":["a"]}"#,
        r#""format":{"type":"audio/pcma"}"#,
    ]);
    let rest = select(vec![
        r#""tools":[{"type":"function","name":"f","description":"d"}],"tool_choice":{"type":"function","name":"f"}"#,
        r#""tools":[{"type":"mcp","server_label":"s"}],"tool_choice":{"type":"mcp","server_label":"s"}"#,
        r#""tracing":{"group_id":"g"},"prompt":{"id":"p","version":null},"truncation":"disabled""#,
        r#""output_modalities":["text"],"max_output_tokens":7,"reasoning":{"effort":"low"},"parallel_tool_calls":false"#,
    ]);
    let said = ("[^\\x00]{0,20}", 0.25_f32..=1.5);
    (any::<bool>(), detection, input, rest, said).prop_map(|(kind, detection, input, rest, (said, speed))| {
        let base = if kind { conversation() } else { transcription() };
        let said = serde_json::to_string(&said).unwrap();
        let session = format!(
            r#"{{"audio":{{"input":{{"turn_detection":{detection},{input}}},"output":{{"speed":{speed},"voice":"v"}}}},
            "instructions":{said},{rest}}}"#
        );
        merge(&base, &session).unwrap()
    })
}

proptest! {
    #[test]
    fn no_text_makes_decoding_panic(text in ".{0,200}") {
        let _ = decode(&text, &conversation(), &mut Vec::new());
    }

    #[test]
    fn no_json_makes_decoding_panic_and_what_it_asks_can_be_shown(text in json()) {
        let _ = merge(&conversation(), &text).map(|settings| shown(&settings));
        if let Err(error) = decode(&text, &conversation(), &mut Vec::new()) {
            let mut out = String::new();
            Encoder::new("sess_1", 0).encode(&Event::Error(error), &mut out);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
        }
    }

    #[test]
    fn what_is_shown_of_a_session_makes_the_same_session(settings in session()) {
        let shown = settings::to_json(&settings, "sess_1", 0);
        prop_assert_eq!(&merge(&settings, &shown).unwrap(), &settings);
        let fresh = match settings.kind {
            crate::realtime::session::settings::Kind::Conversation => conversation(),
            crate::realtime::session::settings::Kind::Transcription => transcription(),
        };
        prop_assert_eq!(merge(&fresh, &shown).unwrap(), settings);
    }

    #[test]
    fn appended_audio_arrives_byte_by_byte(audio: Vec<u8>, id in "[a-z]{0,8}") {
        let mut text = String::from(r#"{"type":"input_audio_buffer.append","event_id":""#);
        text.push_str(&id);
        text.push_str(r#"","audio":"#);
        crate::realtime::protocol::payload::write(&audio, &mut text);
        text.push('}');
        let mut scratch = vec![7; 9];
        let event = decode(&text, &conversation(), &mut scratch).unwrap();
        prop_assert_eq!(event, ClientEvent::Append { audio: &audio, event_id: Some(id.into()) });
    }
}
