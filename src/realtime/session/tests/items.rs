//! Items the client makes, reads and takes away.

use std::sync::Arc;

use audio::{Clip, SampleRate};
use providers::llm::Message;

use super::{
    super::{
        ids::ItemId,
        input::{ContextItem, Place, Request, ResponseRequest},
        item::{Body, Item, ItemStatus, Part, Role},
        output::{Event, Output, Record},
    },
    scene::{Scene, text},
};

fn create(scene: &mut Scene, id: &str, place: Place) {
    let body = Body::Message { role: Role::User, parts: vec![Part::InputText(id.into())] };
    let item =
        Item { id: ItemId::new(id), status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() };
    scene.asks_for(Request::Create { item, place });
}

#[test]
fn items_go_where_the_client_wants_them_and_tell_what_is_before() {
    let mut scene = Scene::new();
    create(&mut scene, "b", Place::End);
    create(&mut scene, "a", Place::Front);
    create(&mut scene, "c", Place::After(ItemId::new("b")));
    create(&mut scene, "b2", Place::After(ItemId::new("b")));
    let order: Vec<_> = scene.session.conversation().items().map(|item| item.id.as_str()).collect();
    assert_eq!(order, ["a", "b", "b2", "c"]);
    let before: Vec<_> = scene
        .events()
        .filter_map(|event| match event {
            Event::ItemDone { previous, .. } => Some(previous.as_ref().map(ItemId::as_str)),
            _ => None,
        })
        .collect();
    assert_eq!(before, [None, None, Some("b"), Some("b")]);
}

#[test]
fn an_id_is_used_once_and_a_place_must_be_there() {
    let mut scene = Scene::new();
    create(&mut scene, "a", Place::End);
    create(&mut scene, "a", Place::End);
    assert_eq!(scene.error().code, Some("item_create_duplicate_item_id"));
    create(&mut scene, "b", Place::After(ItemId::new("nowhere")));
    assert_eq!(scene.error().param.as_deref(), Some("previous_item_id"));
    assert_eq!(scene.count("item.added"), 1);
}

#[test]
fn the_id_of_a_turn_under_way_is_taken() {
    let mut scene = Scene::new();
    scene.speaks(200);
    let promised = scene.events().find_map(|event| match event {
        Event::SpeechStarted { item, .. } => Some(item.to_string()),
        _ => None,
    });
    create(&mut scene, &promised.expect("speech started"), Place::End);
    assert_eq!(scene.error().code, Some("item_create_duplicate_item_id"));
}

#[test]
fn items_are_read_and_taken_away() {
    let mut scene = Scene::new();
    create(&mut scene, "a", Place::End);
    scene.asks_for(Request::Retrieve(ItemId::new("a")));
    assert_eq!(scene.count("item.retrieved"), 1);
    scene.asks_for(Request::Delete(ItemId::new("a")));
    assert!(
        scene
            .outputs()
            .any(|output| matches!(output, Output::Record(record) if matches!(**record, Record::Deleted(_))))
    );
    scene.asks_for(Request::Retrieve(ItemId::new("a")));
    assert_eq!(scene.error().code, Some("item_retrieve_invalid_item_id"));
    scene.asks_for(Request::Delete(ItemId::new("a")));
    assert_eq!(scene.error().code, Some("item_delete_invalid_item_id"));
}

#[test]
fn sound_inside_an_item_is_transcribed_before_the_model_is_asked() {
    let mut scene = Scene::new();
    let clip = Arc::new(Clip::new(SampleRate::HZ_24000, vec![0; 24_000]));
    let parts = vec![Part::InputAudio { transcript: None, clip: Some(clip) }];
    scene.creates(Body::Message { role: Role::User, parts });
    scene.responds(Default::default());
    assert_eq!((scene.count("clip"), scene.count("infer")), (1, 0));
    scene.understood("hello from a file");
    assert_eq!(scene.prompt().messages, [Message::User("hello from a file".into())]);
    let item = scene.session.conversation().last().expect("an item");
    assert_eq!(text(scene.history(&item)), "hello from a file");
}

#[test]
fn sound_in_a_responses_own_context_is_transcribed_too() {
    let mut scene = Scene::new();
    let clip = Arc::new(Clip::new(SampleRate::HZ_24000, vec![0; 24_000]));
    let parts = vec![Part::InputAudio { transcript: None, clip: Some(clip) }];
    let body = Body::Message { role: Role::User, parts };
    let item =
        Item { id: ItemId::new(""), status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() };
    let input = Some(vec![ContextItem::Item(item)]);
    scene.responds(ResponseRequest { out_of_band: true, input, ..ResponseRequest::default() });
    assert_eq!(scene.count("infer"), 0);
    scene.understood("hello from a file");
    assert_eq!(scene.prompt().messages, [Message::User("hello from a file".into())]);
    assert_eq!(scene.count("transcription.completed") + scene.count("item.added"), 0);
}

#[test]
fn a_full_conversation_refuses_items_but_not_speech() {
    let mut scene = Scene::new();
    for at in 0..10_001 {
        let mut out = Vec::new();
        let body = Body::Message { role: Role::User, parts: vec![Part::InputText("x".into())] };
        let item = Item {
            id: ItemId::new(format!("i{at}")),
            status: ItemStatus::Completed,
            body,
            citations: Vec::new(),
            acts: Vec::new(),
        };
        let request = Request::Create { item, place: Place::End };
        let command = super::super::input::Command { event_id: None, request };
        scene.session.handle(scene.now, super::super::Input::Command(command), &mut out);
        let refused = matches!(&out[0], Output::Notify(event) if matches!(**event, Event::Error(_)));
        assert_eq!(refused, at == 10_000);
    }
    assert_eq!(scene.session.conversation().items().count(), 10_000);
}
