//! Section 3 of the protocol: what an update changes, clears, keeps and refuses.

use std::time::Duration;

use providers::{Json, llm::ToolChoice};

use super::{conversation, merge, merged, shown, transcription};
use crate::realtime::session::settings::{
    Eagerness, Endpointing, Format, Modality, NoiseReduction, Settings, TurnDetection,
};

fn detection(settings: &Settings) -> &TurnDetection {
    settings.input.turn_detection.as_ref().unwrap()
}

fn refused(session: &str) -> (&'static str, String) {
    let error = merge(&conversation(), session).unwrap_err();
    (error.code.unwrap(), error.param.unwrap())
}

fn vad(members: &str) -> String {
    format!(r#"{{"audio":{{"input":{{"turn_detection":{{{members}}}}}}}}}"#)
}

#[test]
fn only_what_is_named_changes() {
    let before = conversation();
    let after = merged(r#"{"audio":{"output":{"speed":1.5}}}"#);
    let mut expected = before.clone();
    expected.output.speed = 1.5;
    assert_eq!(after, expected);
    assert_eq!(merged("{}"), before);
}

#[test]
fn turn_detection_merges_within_its_type() {
    let first = merged(&vad(r#""type":"server_vad","threshold":0.9,"idle_timeout_ms":7000"#));
    let second = merge(&first, &vad(r#""type":"server_vad","silence_duration_ms":200"#)).unwrap();
    let third = merge(&second, &vad(r#""create_response":false"#)).unwrap();
    assert_eq!(
        detection(&third),
        &TurnDetection {
            policy: Endpointing::Silence {
                threshold: 0.9,
                prefix_padding: Duration::from_millis(300),
                silence: Duration::from_millis(200),
                idle_timeout: Some(Duration::from_secs(7)),
            },
            create_response: false,
            interrupt_response: true,
        }
    );
}

#[test]
fn another_type_of_turn_detection_starts_from_its_defaults() {
    let tuned = merged(&vad(r#""type":"server_vad","threshold":0.9,"create_response":false"#));
    let semantic = merge(&tuned, &vad(r#""type":"semantic_vad""#)).unwrap();
    assert_eq!(detection(&semantic).policy, Endpointing::Semantic { eagerness: Eagerness::Auto });
    assert!(detection(&semantic).create_response);
    let back = merge(&semantic, &vad(r#""type":"server_vad""#)).unwrap();
    assert_eq!(back, conversation());
}

#[test]
fn null_clears_what_can_be_cleared() {
    let full = merged(
        r#"{"audio":{"input":{"noise_reduction":{"type":"far_field"},"transcription":{"model":"whisper-1"}}},
        "tracing":"auto","prompt":{"id":"p"}}"#,
    );
    assert_eq!(full.input.noise_reduction, Some(NoiseReduction::FarField));
    let cleared = merge(
        &full,
        r#"{"audio":{"input":{"noise_reduction":null,"transcription":null,"turn_detection":null}},
        "tracing":null,"prompt":null}"#,
    )
    .unwrap();
    let mut expected = conversation();
    expected.input.turn_detection = None;
    assert_eq!(cleared, expected);
}

#[test]
fn any_other_null_means_not_mentioned() {
    let full =
        merged(r#"{"instructions":"i","truncation":"disabled","max_output_tokens":9,"output_modalities":["text"]}"#);
    let nulls = r#"{"type":null,"model":null,"instructions":null,"truncation":null,"max_output_tokens":null,"include":null,
        "output_modalities":null,"tools":null,"tool_choice":null,"reasoning":null,
        "audio":{"input":{"format":null},"output":null}}"#;
    assert_eq!(merge(&full, nulls).unwrap(), full);
    assert_eq!(merge(&full, r#"{"audio":null}"#).unwrap(), full);
}

#[test]
fn empty_values_clear() {
    let full = merged(r#"{"instructions":"i","tools":[{"name":"f"}]}"#);
    assert_eq!(merge(&full, r#"{"instructions":"","tools":[]}"#).unwrap(), conversation());
}

#[test]
fn the_type_is_fixed_and_the_model_repeated_in_vain() {
    assert_eq!(refused(r#"{"type":"transcription"}"#), ("invalid_value", "session.type".into()));
    assert_eq!(merged(r#"{"type":"realtime","model":"another"}"#), conversation());
}

#[test]
fn members_nobody_knows_are_accepted() {
    assert_eq!(merged(r#"{"wings":2,"audio":{"input":{"smell":{}}}}"#), conversation());
}

#[test]
fn formats_and_voices_have_several_forms() {
    let settings = merged(
        r#"{"audio":{"input":{"format":{"type":"audio/pcmu"}},
        "output":{"format":{"type":"audio/pcm","rate":24000},"voice":{"id":"v"}}}}"#,
    );
    assert_eq!((settings.input.format, settings.output.format), (Format::Mulaw, Format::Pcm));
    assert_eq!(settings.output.voice, "v");
    assert_eq!(merged(r#"{"audio":{"output":{"voice":"sage"}}}"#).output.voice, "sage");
}

#[test]
fn tools_of_other_kinds_are_read_back_without_their_secrets() {
    let settings = merged(
        r#"{"tools":[{"type":"mcp","server_label":"s","authorization":"Bearer x","headers":{"a":"b"}},
        {"type":"function","name":"f","parameters":{"type":"object"}}],
        "tool_choice":{"type":"mcp","server_label":"s","name":"n"}}"#,
    );
    assert_eq!(settings.tools[0].parameters, Json::from_checked(r#"{"type":"object"}"#));
    assert_eq!(settings.tool_choice, ToolChoice::Auto);
    let shown = shown(&settings);
    assert_eq!(shown["tools"][1], serde_json::json!({"type":"mcp","server_label":"s"}));
    assert_eq!(shown["tool_choice"]["server_label"], "s");
    let named = merge(&settings, r#"{"tool_choice":{"type":"function","name":"f"}}"#).unwrap();
    assert_eq!(named.tool_choice, ToolChoice::Function("f".into()));
    assert!(named.echoed.is_empty());
}

#[test]
fn limits_of_tokens_are_numbers_or_inf() {
    assert_eq!(merged(r#"{"max_output_tokens":4096}"#).max_output_tokens, Some(4096));
    assert_eq!(merged(r#"{"max_output_tokens":"inf"}"#).max_output_tokens, None);
}

#[test]
fn transcription_merges_and_echoes() {
    let first = merged(r#"{"audio":{"input":{"transcription":{"model":"whisper-1","language":"de","delay":"low"}}}}"#);
    let second = merge(&first, r#"{"audio":{"input":{"transcription":{"prompt":"Zig","language":null}}}}"#).unwrap();
    let shown = &shown(&second)["audio"]["input"]["transcription"];
    let expected = serde_json::json!({"model":"whisper-1","language":"de","prompt":"Zig","delay":"low"});
    assert_eq!(shown, &expected);
}

#[test]
fn a_refused_update_names_the_path() {
    let wrong = "invalid_type";
    let range = "invalid_value";
    for (session, code, path) in [
        (vad(r#""threshold":1.5"#), range, "session.audio.input.turn_detection.threshold"),
        (vad(r#""threshold":"high""#), wrong, "session.audio.input.turn_detection.threshold"),
        (vad(r#""type":"loud_vad""#), range, "session.audio.input.turn_detection.type"),
        (vad(r#""prefix_padding_ms":-1"#), range, "session.audio.input.turn_detection.prefix_padding_ms"),
        (vad(r#""silence_duration_ms":0.5"#), wrong, "session.audio.input.turn_detection.silence_duration_ms"),
        (vad(r#""idle_timeout_ms":4999"#), range, "session.audio.input.turn_detection.idle_timeout_ms"),
        (vad(r#""idle_timeout_ms":30001"#), range, "session.audio.input.turn_detection.idle_timeout_ms"),
        (vad(r#""type":"semantic_vad","eagerness":"keen""#), range, "session.audio.input.turn_detection.eagerness"),
        (vad(r#""create_response":"yes""#), wrong, "session.audio.input.turn_detection.create_response"),
        (r#"{"output_modalities":["audio","text"]}"#.into(), range, "session.output_modalities"),
        (r#"{"output_modalities":["video"]}"#.into(), range, "session.output_modalities[0]"),
        (r#"{"instructions":1}"#.into(), wrong, "session.instructions"),
        (r#"{"max_output_tokens":4097}"#.into(), range, "session.max_output_tokens"),
        (r#"{"max_output_tokens":"many"}"#.into(), range, "session.max_output_tokens"),
        (r#"{"audio":{"output":{"speed":0.2}}}"#.into(), range, "session.audio.output.speed"),
        (r#"{"audio":{"output":{"voice":{}}}}"#.into(), "missing_required_parameter", "session.audio.output.voice.id"),
        (r#"{"audio":{"output":{"format":"pcm16"}}}"#.into(), wrong, "session.audio.output.format"),
        (
            r#"{"audio":{"input":{"format":{"type":"audio/pcm","rate":16000}}}}"#.into(),
            range,
            "session.audio.input.format.rate",
        ),
        (
            r#"{"audio":{"input":{"noise_reduction":{"type":"outdoors"}}}}"#.into(),
            range,
            "session.audio.input.noise_reduction.type",
        ),
        (r#"{"tools":[{"type":"function","name":"f"},{"type":"web"}]}"#.into(), range, "session.tools[1].type"),
        (
            r#"{"tools":[{"type":"function","name":"f","parameters":"{}"}]}"#.into(),
            wrong,
            "session.tools[0].parameters",
        ),
        (r#"{"tool_choice":"always"}"#.into(), range, "session.tool_choice"),
        (
            r#"{"truncation":{"type":"retention_ratio","retention_ratio":2}}"#.into(),
            range,
            "session.truncation.retention_ratio",
        ),
        (r#"{"include":["everything"]}"#.into(), range, "session.include[0]"),
        (r#"{"reasoning":{"effort":"heroic"}}"#.into(), range, "session.reasoning.effort"),
        (r#"{"prompt":{}}"#.into(), "missing_required_parameter", "session.prompt.id"),
        (r#"{"tracing":"manual"}"#.into(), range, "session.tracing"),
        (r#"{"parallel_tool_calls":1}"#.into(), wrong, "session.parallel_tool_calls"),
    ] {
        assert_eq!(refused(&session), (code, path.into()), "{session}");
    }
}

#[test]
fn turn_detection_that_is_off_needs_a_type_to_come_back() {
    let off = merged(r#"{"audio":{"input":{"turn_detection":null}}}"#);
    let error = merge(&off, &vad(r#""threshold":0.4"#)).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("session.audio.input.turn_detection.type"));
    assert_eq!(merge(&off, &vad(r#""type":"server_vad""#)).unwrap(), conversation());
}

#[test]
fn a_transcription_session_has_no_replies_to_configure() {
    let settings = merge(
        &transcription(),
        r#"{"type":"transcription","instructions":"x","output_modalities":["text"],"tools":[{"name":"f"}],
        "include":["item.input_audio_transcription.logprobs"],
        "audio":{"input":{"turn_detection":{"type":"server_vad","create_response":true,"idle_timeout_ms":6000}},
        "output":{"voice":"sage"}}}"#,
    )
    .unwrap();
    let mut expected = transcription();
    expected.echoed = settings.echoed.clone();
    assert_eq!(settings, expected);
    assert!(!detection(&settings).create_response);
    let shown = shown(&settings);
    let members: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["audio", "expires_at", "id", "include", "object", "type"]);
    assert_eq!(shown["audio"].as_object().unwrap().len(), 1);
}

#[test]
fn streaming_transcription_models_take_no_turn_detection() {
    let streaming = r#"{"audio":{"input":{"transcription":{"model":"gpt-realtime-whisper"}}}}"#;
    let settings = merge(&transcription(), streaming).unwrap();
    assert_eq!(settings.input.turn_detection, None);
    let error = merge(&settings, &vad(r#""type":"server_vad""#)).unwrap_err();
    assert_eq!(error.param.as_deref(), Some("session.audio.input.turn_detection"));
    assert!(merge(&settings, r#"{"audio":{"input":{"turn_detection":null}}}"#).is_ok());
    assert_eq!(merged(streaming).input.turn_detection, conversation().input.turn_detection);
}

#[test]
fn modality_is_speech_or_text() {
    assert_eq!(merged(r#"{"output_modalities":["text"]}"#).modality, Modality::Text);
}

#[test]
fn the_first_updates_of_real_clients_are_taken() {
    // @openai/agents-realtime 0.20.0, with a function and server_vad.
    let agents_js = merged(
        r#"{"type":"realtime","instructions":"Be brief.","model":"m","output_modalities":["audio"],"audio":{"input":
        {"format":{"type":"audio/pcm","rate":24000},"noise_reduction":null,"transcription":{"model":"gpt-4o-mini-transcribe"},
        "turn_detection":{"type":"server_vad","interrupt_response":true,"prefix_padding_ms":200,"silence_duration_ms":300,
        "threshold":0.4}},"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin","speed":1}},"tools":[{"type":
        "function","name":"f","description":"d","parameters":{"type":"object","properties":{},"required":[],
        "additionalProperties":false}}]}"#,
    );
    assert_eq!((agents_js.tools.len(), agents_js.output.voice.as_str()), (1, "marin"));
    // openai-agents 0.24.0, every member it leaves unset written as null.
    let agents_py = merged(
        r#"{"type":"realtime","audio":{"input":{"format":{"rate":24000,"type":"audio/pcm"},"noise_reduction":null,
        "transcription":{"delay":null,"keywords":null,"language":null,"languages":null,"model":"whisper-1","prompt":null},
        "turn_detection":{"type":"semantic_vad","create_response":null,"eagerness":null,"interrupt_response":true}},
        "output":{"format":{"rate":24000,"type":"audio/pcm"},"speed":null,"voice":"ash"}},"include":null,
        "instructions":"Be brief.","max_output_tokens":null,"model":"m","output_modalities":["audio"],
        "parallel_tool_calls":null,"prompt":null,"reasoning":null,"tool_choice":null,"tools":[],"tracing":null,
        "truncation":null}"#,
    );
    assert_eq!(detection(&agents_py).policy, Endpointing::Semantic { eagerness: Eagerness::Auto });
    assert_eq!((agents_py.output.voice.as_str(), agents_py.output.speed), ("ash", 1.0));
}
