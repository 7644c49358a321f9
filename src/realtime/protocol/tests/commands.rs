//! Each client event becomes the request it stands for.

use std::{borrow::Cow, time::Duration};

use audio::{Clip, SampleRate};
use providers::{Json, llm::ToolChoice};

use super::{asked, conversation, decode, merged};
use crate::realtime::{
    protocol::ClientEvent,
    session::{
        ids::{CallId, ItemId, ResponseId},
        input::{ContextItem, Place, Request, ResponseRequest},
        item::{Body, ItemStatus, Part, Role},
        settings::{Format, Modality},
    },
};

fn created(item: &str) -> (Body, ItemStatus, Place) {
    let request = asked(&format!(r#"{{"type":"conversation.item.create","item":{item}}}"#));
    let Request::Create { item, place } = request else { panic!("{request:?}") };
    (item.body, item.status, place)
}

fn response(body: &str) -> ResponseRequest {
    let request = asked(&format!(r#"{{"type":"response.create","response":{body}}}"#));
    let Request::Respond(request) = request else { panic!("{request:?}") };
    *request
}

#[test]
fn an_append_is_decoded_into_the_callers_buffer_in_any_order_of_members() {
    let mut scratch = Vec::new();
    let text = r#"{ "audio" : "AAEC", "x":[{}], "event_id":"e1" ,"type":"input_audio_buffer.append"}"#;
    let event = decode(text, &conversation(), &mut scratch).unwrap();
    assert_eq!(event, ClientEvent::Append { audio: &[0, 1, 2], event_id: Some(Cow::Borrowed("e1")) });
}

#[test]
fn buffer_commands_need_no_members() {
    assert_eq!(asked(r#"{"type":"input_audio_buffer.commit"}"#), Request::Commit);
    assert_eq!(asked(r#"{"type":"input_audio_buffer.clear"}"#), Request::Clear);
    assert_eq!(asked(r#"{"type":"output_audio_buffer.clear"}"#), Request::ClearOutput);
}

#[test]
fn a_command_carries_the_clients_event_id() {
    let text = r#"{"type":"input_audio_buffer.commit","event_id":"a\u0062c"}"#;
    let ClientEvent::Command(command) = decode(text, &conversation(), &mut Vec::new()).unwrap() else { panic!() };
    assert_eq!(command.event_id.as_deref(), Some("abc"));
}

#[test]
fn items_are_named_truncated_and_deleted_by_id() {
    let item = ItemId::new("item_1");
    let retrieve = r#"{"type":"conversation.item.retrieve","item_id":"item_1"}"#;
    assert_eq!(asked(retrieve), Request::Retrieve(item.clone()));
    let delete = r#"{"type":"conversation.item.delete","item_id":"item_1"}"#;
    assert_eq!(asked(delete), Request::Delete(item.clone()));
    let truncate =
        r#"{"type":"conversation.item.truncate","item_id":"item_1","content_index":0,"audio_end_ms":1500.0}"#;
    let audio_end = Duration::from_millis(1500);
    assert_eq!(asked(truncate), Request::Truncate { item, content_index: 0, audio_end });
}

#[test]
fn a_users_message_holds_text_sound_and_pictures() {
    let (body, status, place) = created(
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},
        {"type":"input_audio","audio":"AQACAA=="},{"type":"input_audio","transcript":"b"},
        {"type":"input_image","image_url":"data:,","detail":null}]}"#,
    );
    let clip = Clip::new(SampleRate::HZ_24000, vec![1, 2]);
    let parts = vec![
        Part::InputText("a".into()),
        Part::InputAudio { transcript: None, clip: Some(clip.into()) },
        Part::InputAudio { transcript: Some("b".into()), clip: None },
        Part::InputImage(Json::from_checked(r#"{"type":"input_image","image_url":"data:,"}"#)),
    ];
    assert_eq!(body, Body::Message { role: Role::User, parts });
    assert_eq!((status, place), (ItemStatus::Completed, Place::End));
}

#[test]
fn sound_inside_an_item_has_the_sessions_input_format() {
    let settings = merged(r#"{"audio":{"input":{"format":{"type":"audio/pcmu"}}}}"#);
    let text = r#"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[
        {"type":"input_audio","audio":"/38="}]}}"#;
    let ClientEvent::Command(command) = decode(text, &settings, &mut Vec::new()).unwrap() else { panic!() };
    let Request::Create { item, .. } = command.request else { panic!() };
    let Body::Message { parts, .. } = item.body else { panic!() };
    let clip = Clip::new(SampleRate::HZ_8000, vec![0, 0]);
    assert_eq!(parts, [Part::InputAudio { transcript: None, clip: Some(clip.into()) }]);
}

#[test]
fn an_assistants_message_is_replayed_under_new_and_old_names() {
    for (text, audio) in [("output_text", "output_audio"), ("text", "audio")] {
        let (body, status, _) = created(&format!(
            r#"{{"type":"message","role":"assistant","status":"incomplete","content":[
            {{"type":"{text}","text":"a"}},{{"type":"{audio}","transcript":"b"}}]}}"#
        ));
        let speech = Part::OutputAudio { transcript: "b".into(), length: Duration::ZERO };
        assert_eq!(body, Body::Message { role: Role::Assistant, parts: vec![Part::OutputText("a".into()), speech] });
        assert_eq!(status, ItemStatus::Incomplete);
    }
}

#[test]
fn calls_and_their_outputs_are_replayed() {
    let call = CallId::new("call_1");
    let (body, ..) = created(r#"{"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}"#);
    assert_eq!(body, Body::Call { call: call.clone(), name: "f".into(), arguments: "{}".into() });
    let (body, ..) = created(r#"{"type":"function_call_output","call_id":"call_1","output":"ok"}"#);
    assert_eq!(body, Body::Output { call, output: "ok".into() });
}

#[test]
fn items_of_foreign_kinds_are_kept_as_they_came() {
    let (body, ..) = created(r#"{"type":"mcp_list_tools","id":"x","server_label":"s","tools":[],"status":null}"#);
    let members = r#"{"type":"mcp_list_tools","server_label":"s","tools":[]}"#;
    assert_eq!(body, Body::Opaque(Json::from_checked(members)));
}

#[test]
fn an_item_goes_to_the_end_the_front_or_after_another() {
    let place = |previous: &str| {
        let item = r#"{"type":"function_call_output","call_id":"c","output":"","id":"mine"}"#;
        let request = asked(&format!(r#"{{"type":"conversation.item.create","item":{item}{previous}}}"#));
        let Request::Create { item, place } = request else { panic!("{request:?}") };
        assert_eq!(item.id.as_str(), "mine");
        place
    };
    assert_eq!(place(""), Place::End);
    assert_eq!(place(r#","previous_item_id":null"#), Place::End);
    assert_eq!(place(r#","previous_item_id":"root""#), Place::Front);
    assert_eq!(place(r#","previous_item_id":"item_1""#), Place::After(ItemId::new("item_1")));
}

#[test]
fn a_response_overrides_the_session() {
    let request = response(
        r#"{"instructions":"i","output_modalities":["text"],"max_output_tokens":"inf","tool_choice":"required",
        "audio":{"output":{"format":{"type":"audio/pcma"},"voice":"echo"}},"temperature":0.7,"tools":[],
        "metadata":{"client_event_id":"e"},"conversation":"none",
        "input":[{"type":"item_reference","id":"item_1"}]}"#,
    );
    assert_eq!(
        request,
        ResponseRequest {
            instructions: Some("i".into()),
            modality: Some(Modality::Text),
            format: Some(Format::Alaw),
            voice: Some("echo".into()),
            tools: Some(Vec::new()),
            tool_choice: Some(ToolChoice::Required),
            max_output_tokens: Some(None),
            temperature: Some(0.7),
            metadata: Some(Json::from_checked(r#"{"client_event_id":"e"}"#)),
            out_of_band: true,
            input: Some(vec![ContextItem::Reference(ItemId::new("item_1"))]),
        }
    );
    assert_eq!(response(r#"{"input":[]}"#).input, Some(Vec::new()));
}

#[test]
fn a_cancel_names_its_response_or_means_the_active_one() {
    assert_eq!(asked(r#"{"type":"response.cancel"}"#), Request::Cancel(None));
    let named = r#"{"type":"response.cancel","response_id":"resp_1"}"#;
    assert_eq!(asked(named), Request::Cancel(Some(ResponseId::new("resp_1"))));
}
