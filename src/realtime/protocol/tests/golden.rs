//! Every server event, written and compared with `tests/golden`, which the clients' own schemas are held against in
//! `tests/clients`. `UPDATE_GOLDEN=1` writes the files anew.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use providers::{Json, llm::Usage};

use super::{conversation, merged, transcription};
use crate::realtime::{
    protocol::{Dialect, Encoder},
    session::{
        ids::{CallId, ItemId, ResponseId},
        item::{Body, Item, ItemStatus, Part, Role},
        output::{CancelReason, ClientError, Event, IncompleteReason, PartRef, ResponseStatus, ResponseView},
        settings::{Format, Modality},
    },
};

#[test]
fn every_server_event_is_written_as_its_golden_file_says() {
    compare("tests/golden", Encoder::new("sess_1", 1_700_003_600));
}

/// The same events in the beta, in files of the same names; those it does not tell have none. `golden_beta.py` holds them
/// against the types of the last SDK that had them.
#[test]
fn every_server_event_of_the_beta_is_written_as_its_golden_file_says() {
    compare("tests/golden/beta", Encoder::new("sess_1", 1_700_003_600).in_dialect(Dialect::Beta));
}

fn compare(folder: &str, mut encoder: Encoder) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut texts = Vec::new();
    for (name, event) in events() {
        let mut name = Some(name);
        encoder.tell(&event, |text| texts.push((name.take().unwrap_or("conversation.created"), text)));
    }
    let mut text = String::new();
    encoder.audio_delta(&part(Modality::Audio), &[0, 1, 2, 3], &mut text);
    texts.push(("response.output_audio.delta", text));
    for (name, text) in texts {
        let file = folder.join(format!("{name}.json"));
        if update {
            fs::write(&file, format!("{text}\n")).unwrap();
        }
        let golden = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(text, golden.trim_end(), "{name}");
    }
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    [sessions(), buffer(), items(), transcripts(), replies(), ends()].into_iter().flatten().collect()
}

fn sessions() -> Vec<(&'static str, Event)> {
    let full = merged(
        r#"{"type":"realtime","output_modalities":["text"],"instructions":"Be \"brief\".","max_output_tokens":512,
        "audio":{"input":{"format":{"type":"audio/pcmu"},"noise_reduction":{"type":"near_field"},
            "transcription":{"model":"whisper-1","language":"en","delay":"low","keywords":["Zig"]},
            "turn_detection":{"type":"semantic_vad","eagerness":"low","interrupt_response":false}},
            "output":{"format":{"type":"audio/pcma"},"voice":{"id":"voice_1"},"speed":1.25}},
        "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}}},
            {"type":"mcp","server_label":"s","server_url":"https://example.org","authorization":"secret"}],
        "tool_choice":{"type":"function","name":"f"},"tracing":{"workflow_name":"w"},"truncation":"disabled",
        "prompt":{"id":"pmpt_1","version":"2"},"include":["item.input_audio_transcription.logprobs"],
        "reasoning":{"effort":"low"},"parallel_tool_calls":true}"#,
    );
    let timed = r#"{"audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":6000}}}}"#;
    vec![
        ("session.created", Event::SessionCreated(Arc::new(conversation()))),
        ("session.created.transcription", Event::SessionCreated(Arc::new(transcription()))),
        ("session.updated", Event::SessionUpdated(Arc::new(full))),
        ("session.updated.server_vad", Event::SessionUpdated(Arc::new(merged(timed)))),
    ]
}

fn buffer() -> Vec<(&'static str, Event)> {
    let (start, end) = (Duration::from_micros(812_600), Duration::from_millis(2_040));
    vec![
        ("input_audio_buffer.speech_started", Event::SpeechStarted { item: id("item_1"), start }),
        ("input_audio_buffer.speech_stopped", Event::SpeechStopped { item: id("item_1"), end }),
        ("input_audio_buffer.committed", Event::Committed { item: id("item_1"), previous: None }),
        ("input_audio_buffer.committed.after", Event::Committed { item: id("item_2"), previous: Some(id("item_1")) }),
        ("input_audio_buffer.cleared", Event::Cleared),
        ("input_audio_buffer.timeout_triggered", Event::IdleTimeout { item: id("item_1"), start, end }),
    ]
}

fn items() -> Vec<(&'static str, Event)> {
    let image = Json::from_checked(r#"{"type":"input_image","image_url":"data:image/png;base64,AAAA"}"#);
    let typed = message(Role::User, vec![Part::InputText("Look:".into()), Part::InputImage(image)]);
    let output = body(Body::Output { call: CallId::new("call_1"), output: "{\"ok\":true}".into() });
    let members = r#"{"type":"mcp_call","server_label":"s","name":"n","arguments":"{}","output":null}"#;
    vec![
        ("conversation.item.added", Event::ItemAdded { item: spoken(None), previous: None }),
        ("conversation.item.done", Event::ItemDone { item: spoken(None), previous: Some(id("item_0")) }),
        ("conversation.item.added.input_image", Event::ItemAdded { item: typed, previous: Some(id("item_0")) }),
        ("conversation.item.added.system", {
            let item = message(Role::System, vec![Part::InputText("Be brief.".into())]);
            Event::ItemAdded { item, previous: Some(id("item_0")) }
        }),
        ("conversation.item.added.function_call_output", Event::ItemAdded { item: output, previous: None }),
        ("conversation.item.added.mcp_call", {
            let item = body(Body::Opaque(Json::from_checked(members)));
            Event::ItemAdded { item, previous: None }
        }),
        ("conversation.item.retrieved", Event::ItemRetrieved(spoken(Some("Hello.")))),
        ("conversation.item.truncated", {
            let audio_end = Duration::from_micros(812_500);
            Event::ItemTruncated { item: id("item_1"), content_index: 0, audio_end }
        }),
        ("conversation.item.deleted", Event::ItemDeleted(id("item_1"))),
    ]
}

fn transcripts() -> Vec<(&'static str, Event)> {
    let (item, duration) = (id("item_1"), Duration::from_millis(1_260));
    vec![
        ("conversation.item.input_audio_transcription.delta", {
            Event::TranscriptionDelta { item: item.clone(), delta: "Hel\u{1}lo\n".into() }
        }),
        ("conversation.item.input_audio_transcription.completed", {
            Event::TranscriptionCompleted {
                item: item.clone(),
                transcript: "Hello \\ «grüß» \"dich\"".into(),
                duration,
            }
        }),
        ("conversation.item.input_audio_transcription.failed", {
            Event::TranscriptionFailed { item, message: "The speech could not be transcribed.".into() }
        }),
    ]
}

fn replies() -> Vec<(&'static str, Event)> {
    let response = ResponseId::new("resp_1");
    let (item, call, output_index) = (id("item_2"), CallId::new("call_1"), 0);
    let (audio, text) = (part(Modality::Audio), part(Modality::Text));
    let empty = Item { status: ItemStatus::InProgress, ..message(Role::Assistant, Vec::new()) };
    let called = body(Body::Call { call: call.clone(), name: "f".into(), arguments: "{\"a\":1}".into() });
    let begun = Body::Call { call: call.clone(), name: "f".into(), arguments: String::new() };
    let begun = Item { status: ItemStatus::InProgress, ..body(begun) };
    vec![
        ("response.created", Event::ResponseCreated(view(ResponseStatus::InProgress, None))),
        ("response.output_item.added", {
            Event::OutputItemAdded { response: response.clone(), output_index, item: empty }
        }),
        ("response.output_item.done", {
            Event::OutputItemDone { response: response.clone(), output_index, item: said() }
        }),
        ("response.output_item.added.function_call", {
            Event::OutputItemAdded { response: response.clone(), output_index, item: begun }
        }),
        ("response.output_item.done.function_call", {
            Event::OutputItemDone { response: response.clone(), output_index, item: called }
        }),
        ("response.content_part.added", Event::PartAdded(audio.clone())),
        ("response.content_part.added.text", Event::PartAdded(text.clone())),
        ("response.content_part.done", Event::PartDone { part: audio.clone(), text: "Hi.".into() }),
        ("response.content_part.done.text", Event::PartDone { part: text.clone(), text: "Hi.".into() }),
        ("response.output_audio_transcript.delta", Event::TextDelta { part: audio.clone(), delta: "Hi".into() }),
        ("response.output_audio_transcript.done", Event::TextDone { part: audio.clone(), text: "Hi.".into() }),
        ("response.output_text.delta", Event::TextDelta { part: text.clone(), delta: "Hi".into() }),
        ("response.output_text.done", Event::TextDone { part: text, text: "Hi.".into() }),
        ("response.output_audio.done", Event::AudioDone(audio)),
        ("response.function_call_arguments.delta", {
            let (response, item, call) = (response.clone(), item.clone(), call.clone());
            Event::ArgumentsDelta { response, item, output_index, call, delta: "{\"a\"".into() }
        }),
        ("response.function_call_arguments.done", {
            Event::ArgumentsDone { response, item, output_index, call, name: "f".into(), arguments: "{\"a\":1}".into() }
        }),
    ]
}

fn ends() -> Vec<(&'static str, Event)> {
    let spent = Some(Usage { input_tokens: 100, cached_tokens: 64, output_tokens: 20 });
    let failed = ResponseStatus::Failed { code: "rate_limit_exceeded", message: "Try again in 3 s.".into() };
    let beside = ResponseView {
        out_of_band: true,
        modality: Modality::Text,
        max_output_tokens: Some(64),
        format: Format::Mulaw,
        ..(*view(ResponseStatus::Completed, spent)).clone()
    };
    let cancelled = |reason| Event::ResponseDone(view(ResponseStatus::Cancelled(reason), None));
    let incomplete = |reason| Event::ResponseDone(view(ResponseStatus::Incomplete(reason), spent));
    vec![
        ("response.done", Event::ResponseDone(view(ResponseStatus::Completed, spent))),
        ("response.done.out_of_band", Event::ResponseDone(Arc::new(beside))),
        ("response.done.turn_detected", cancelled(CancelReason::TurnDetected)),
        ("response.done.client_cancelled", cancelled(CancelReason::ClientCancelled)),
        ("response.done.max_output_tokens", incomplete(IncompleteReason::MaxOutputTokens)),
        ("response.done.content_filter", incomplete(IncompleteReason::ContentFilter)),
        ("response.done.failed", Event::ResponseDone(view(failed, None))),
        ("output_audio_buffer.started", Event::PlaybackStarted(ResponseId::new("resp_1"))),
        ("output_audio_buffer.stopped", Event::PlaybackStopped(ResponseId::new("resp_1"))),
        ("output_audio_buffer.cleared", Event::PlaybackCleared(ResponseId::new("resp_1"))),
        ("error", Event::Error(crate::realtime::protocol::error::binary_frame())),
        ("error.named", {
            Event::Error(ClientError {
                kind: "invalid_request_error",
                code: Some("invalid_value"),
                message: "No.".into(),
                param: Some("session.audio.output.speed".into()),
                event_id: Some("event_of_client".into()),
            })
        }),
        ("response.done.broken_off", {
            let (code, message) = ("provider_unavailable", "The language model is unavailable.".into());
            Event::ResponseDone(view(ResponseStatus::BrokenOff { code, message }, None))
        }),
        ("input_audio_buffer.dtmf_event_received", Event::KeyPressed { key: '9', at: 1_763_605_109 }),
    ]
}

fn view(status: ResponseStatus, usage: Option<Usage>) -> Arc<ResponseView> {
    let running = status == ResponseStatus::InProgress;
    Arc::new(ResponseView {
        id: ResponseId::new("resp_1"),
        status,
        output: if running { Vec::new() } else { vec![said()] },
        out_of_band: false,
        modality: Modality::Audio,
        max_output_tokens: None,
        format: Format::Pcm,
        voice: "alloy".into(),
        metadata: Some(Json::from_checked(r#"{"client_event_id":"e1"}"#)),
        usage,
    })
}

fn part(modality: Modality) -> PartRef {
    PartRef { response: ResponseId::new("resp_1"), item: id("item_2"), output_index: 0, content_index: 0, modality }
}

fn said() -> Item {
    let speech = Part::OutputAudio { transcript: "Hi.".into(), length: Duration::from_millis(700) };
    message(Role::Assistant, vec![speech, Part::OutputText("Hi.".into())])
}

fn spoken(transcript: Option<&str>) -> Item {
    message(Role::User, vec![Part::InputAudio { transcript: transcript.map(str::to_owned), clip: None }])
}

fn message(role: Role, parts: Vec<Part>) -> Item {
    body(Body::Message { role, parts })
}

fn body(body: Body) -> Item {
    Item { id: id("item_1"), status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() }
}

fn id(text: &str) -> ItemId {
    ItemId::new(text)
}
