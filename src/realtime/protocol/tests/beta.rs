//! The beta says in its words what general availability says in others, and refuses by its own paths.

use serde_json::{Value, json};

use super::{conversation, merge, raw, transcription, walk};
use crate::realtime::{
    protocol::{ClientEvent, Dialect, Query, beta, decode, settings},
    session::{
        input::Request,
        output::ClientError,
        settings::{Kind, Settings},
    },
};

fn read(text: &str, settings: &Settings) -> Result<Request, ClientError> {
    match decode(text, Dialect::Beta, settings, &mut Vec::new())? {
        ClientEvent::Command(command) => Ok(command.request),
        ClientEvent::Append { .. } => panic!("an append: {text}"),
    }
}

fn updated(current: &Settings, kind: &str, session: &str) -> Result<Settings, ClientError> {
    let request = read(&format!(r#"{{"type":"{kind}","event_id":"mine","session":{session}}}"#), current)?;
    let Request::Update(settings) = request else { panic!("{request:?}") };
    Ok(*settings)
}

fn fault(text: &str) -> (&'static str, Option<String>) {
    let error = read(text, &conversation()).unwrap_err();
    (error.code.unwrap(), error.param)
}

const FULL: &str = r#"{"modalities":["audio","text"],"instructions":"i","voice":"echo","speed":1.25,
    "input_audio_format":"g711_ulaw","output_audio_format":"g711_alaw","temperature":0.7,
    "input_audio_transcription":{"model":"whisper-1","language":"en","prompt":"p"},
    "input_audio_noise_reduction":{"type":"far_field"},"max_response_output_tokens":7,"tracing":"auto",
    "turn_detection":{"type":"server_vad","threshold":0.35,"prefix_padding_ms":200,"silence_duration_ms":400,
        "create_response":false,"interrupt_response":false},
    "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}],
    "tool_choice":{"type":"function","name":"f"},"client_secret":null,"id":"sess_1"}"#;

#[test]
fn a_flat_session_means_what_the_nested_one_means() {
    let nested = r#"{"type":"realtime","output_modalities":["audio"],"instructions":"i","max_output_tokens":7,
        "audio":{"input":{"format":{"type":"audio/pcmu"},"noise_reduction":{"type":"far_field"},
                "transcription":{"model":"whisper-1","language":"en","prompt":"p"},
                "turn_detection":{"type":"server_vad","threshold":0.35,"prefix_padding_ms":200,
                    "silence_duration_ms":400,"create_response":false,"interrupt_response":false}},
            "output":{"format":{"type":"audio/pcma"},"voice":"echo","speed":1.25}},"temperature":0.7,"tracing":"auto",
        "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}],
        "tool_choice":{"type":"function","name":"f"}}"#;
    let full = updated(&conversation(), "session.update", FULL).unwrap();
    assert_eq!(full, merge(&conversation(), nested).unwrap());
    let cleared = r#"{"turn_detection":null,"input_audio_transcription":null,"input_audio_noise_reduction":null,
        "modalities":["text"],"max_response_output_tokens":"inf","tracing":null,"voice":null}"#;
    let nested = r#"{"output_modalities":["text"],"max_output_tokens":"inf","tracing":null,
        "audio":{"input":{"turn_detection":null,"transcription":null,"noise_reduction":null}}}"#;
    let silent = updated(&full, "session.update", cleared).unwrap();
    assert_eq!(silent, merge(&full, nested).unwrap());
    let none = cleared.replacen("null", r#"{"type":"none"}"#, 1);
    assert_eq!(updated(&full, "session.update", &none).unwrap(), silent);
}

#[test]
fn what_is_shown_of_a_session_makes_the_same_session() {
    let full = updated(&conversation(), "session.update", FULL).unwrap();
    let shown = beta::session::to_json(&full, "sess_1", 0, None);
    assert_eq!(updated(&conversation(), "session.update", &shown).unwrap(), full);
    let heard = updated(&transcription(), "transcription_session.update", FULL).unwrap();
    let shown = beta::session::to_json(&heard, "sess_1", 0, None);
    assert_eq!(updated(&transcription(), "transcription_session.update", &shown).unwrap(), heard);
}

#[test]
fn a_session_that_rest_made_starts_as_it_was_asked_for() {
    let defaults = settings::Defaults::default();
    for (kind, base) in [(Kind::Conversation, conversation()), (Kind::Transcription, transcription())] {
        let model = base.model.clone();
        let made = beta::session::initial(kind, &model, &raw(FULL), &defaults).unwrap();
        assert_eq!(made, updated(&base, "session.update", FULL).unwrap());
        // The secret keeps it in the shape of general availability.
        let kept = settings::to_json(&made, "sess_1", 0);
        let query = match kind {
            Kind::Conversation => Query::Conversation { model: Some("another".into()) },
            Kind::Transcription => Query::Transcription { model: None },
        };
        assert_eq!(settings::initial(&query, Some(&raw(&kept)), &defaults).unwrap(), made);
    }
    let refused = beta::session::initial(Kind::Conversation, "m", &raw(r#"{"speed":9}"#), &defaults).unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("speed"));
    let choice = raw(r#"{"tool_choice":{"type":"function","name":"g"}}"#);
    let refused = beta::session::initial(Kind::Conversation, "m", &choice, &defaults).unwrap_err();
    assert_eq!(refused.param.as_deref(), Some("tool_choice"));
}

#[test]
fn a_response_means_what_that_of_general_availability_means() {
    let flat = r#"{"modalities":["text"],"voice":"echo","output_audio_format":"g711_ulaw","temperature":0.7,
        "max_response_output_tokens":5,"instructions":"i","conversation":"none","metadata":{"a":"b"},
        "tools":[{"name":"f"}],"tool_choice":{"type":"function","function":{"name":"f"}},
        "input":[{"type":"message","role":"assistant","content":[{"type":"text","text":"t"}]}]}"#;
    let nested = r#"{"output_modalities":["text"],"audio":{"output":{"voice":"echo","format":{"type":"audio/pcmu"}}},
        "temperature":0.7,"max_output_tokens":5,"instructions":"i","conversation":"none","metadata":{"a":"b"},
        "tools":[{"name":"f"}],"tool_choice":{"type":"function","name":"f"},
        "input":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]}]}"#;
    let event = |response: &str| format!(r#"{{"type":"response.create","response":{response}}}"#);
    assert_eq!(read(&event(flat), &conversation()).unwrap(), super::asked(&event(nested)));
    let named_otherwise = read(&event(r#"{"max_output_tokens":5}"#), &conversation()).unwrap();
    assert_eq!(named_otherwise, super::asked(&event(r#"{"max_output_tokens":5}"#)));
}

#[test]
fn a_transcription_session_is_updated_by_its_own_event() {
    let session = r#"{"input_audio_transcription":{"model":"whisper-1"},"turn_detection":null}"#;
    let after = updated(&transcription(), "transcription_session.update", session).unwrap();
    assert_eq!(after.input.turn_detection, None);
    assert_eq!(updated(&transcription(), "session.update", session).unwrap(), after);
    let refused = updated(&conversation(), "transcription_session.update", session).unwrap_err();
    assert_eq!((refused.param.as_deref(), refused.event_id.as_deref()), (Some("type"), Some("mine")));
    let unknown = super::fault(r#"{"type":"transcription_session.update","session":{}}"#);
    assert_eq!(unknown, ("invalid_value", Some("type".into())), "general availability has no such event");
}

#[test]
fn refusals_name_the_fields_of_the_beta() {
    let update = |session: &str| fault(&format!(r#"{{"type":"session.update","session":{session}}}"#));
    let named = |code, param: &str| (code, Some(param.to_owned()));
    let detection = r#"{"turn_detection":{"type":"server_vad","threshold":2}}"#;
    assert_eq!(update(detection), named("invalid_value", "session.turn_detection.threshold"));
    assert_eq!(update(r#"{"input_audio_format":"mp3"}"#), named("invalid_value", "session.input_audio_format"));
    let object = r#"{"output_audio_format":{"type":"audio/pcm"}}"#;
    assert_eq!(update(object), named("invalid_type", "session.output_audio_format"));
    for modalities in ["[]", r#"["audio","audio"]"#, r#"["text","audio","text"]"#] {
        let session = format!(r#"{{"modalities":{modalities}}}"#);
        assert_eq!(update(&session), named("invalid_value", "session.modalities"));
    }
    assert_eq!(update(r#"{"modalities":["video"]}"#), named("invalid_value", "session.modalities[0]"));
    assert_eq!(update(r#"{"temperature":1.3}"#), named("invalid_value", "session.temperature"));
    let tokens = r#"{"max_response_output_tokens":0}"#;
    assert_eq!(update(tokens), named("invalid_value", "session.max_response_output_tokens"));
    assert_eq!(
        update(r#"{"tool_choice":{"type":"function","name":"g"}}"#),
        named("invalid_value", "session.tool_choice")
    );
    let voice = r#"{"type":"response.create","response":{"voice":7}}"#;
    assert_eq!(fault(voice), named("invalid_type", "response.voice"));
}

#[test]
fn any_wrong_value_anywhere_is_refused_by_its_path_or_taken() {
    let session: Value = serde_json::from_str(FULL).unwrap();
    let part = json!({"type": "text", "text": "t"});
    let message = json!({"type": "message", "role": "assistant", "content": [part]});
    let response = json!({
        "modalities": ["audio", "text"], "voice": "v", "output_audio_format": "pcm16", "temperature": 0.8, "tools": [],
        "tool_choice": "auto", "max_response_output_tokens": 5, "input": [message], "metadata": {"a": "b"},
    });
    let events = [
        json!({"type": "session.update", "session": session}),
        json!({"type": "response.create", "response": response}),
        json!({"type": "conversation.item.create", "item": message}),
    ];
    let settings = merge(&conversation(), r#"{"tools":[{"name":"f"}]}"#).unwrap();
    let read = |text: &str| decode(text, Dialect::Beta, &settings, &mut Vec::new()).map(drop);
    let refusals = walk::wrong_values(&events, read);
    assert!(refusals > 400, "only {refusals} refusals");
}
