//! The client's own word on how much was played.

use std::time::Duration;

use providers::{llm::Message, tts::Speech};

use super::{
    super::{
        Input,
        ids::ItemId,
        input::{Request, Spoken},
        item::{Body, Part, Role},
        output::Event,
    },
    scene::{Scene, millis, text},
};

fn truncate(scene: &mut Scene, item: &ItemId, ms: u64) {
    scene.asks_for(Request::Truncate { item: item.clone(), content_index: 0, audio_end: millis(ms) });
}

#[test]
fn a_truncation_keeps_the_words_heard_until_then() {
    let mut scene = Scene::mid_reply();
    scene.run_for(Duration::from_secs(4));
    let item = scene.said();
    truncate(&mut scene, &item, 1900);
    assert_eq!(text(scene.history(&item)), "It is fine today. The sun will");
    truncate(&mut scene, &item, 1000);
    assert_eq!(text(scene.history(&item)), "It is fine today.");
    truncate(&mut scene, &item, 0);
    assert_eq!(text(scene.history(&item)), "");
    scene.asks("go on");
    assert_eq!(scene.prompt().messages.len(), 2, "what nobody heard is not in the prompt");
}

#[test]
fn word_times_cut_to_the_word() {
    let mut scene = Scene::new();
    scene.asks("what is the weather");
    scene.says("It is fine today. ");
    let response = scene.response();
    for (range, end) in [(0..2, 100), (3..5, 200), (6..10, 900), (11..16, 1000)] {
        let word = Speech::Word { clause: 0, range, start: Duration::ZERO, end: millis(end) };
        scene.feed(Input::Spoken { response: response.clone(), event: Spoken::Mark(word) });
    }
    scene.replies("", 1000);
    let item = scene.said();
    truncate(&mut scene, &item, 899);
    assert_eq!(text(scene.history(&item)), "It is");
}

#[test]
fn the_clients_word_refines_the_estimate_of_an_interruption_both_ways() {
    for (ms, words) in [(1000, "It is fine today."), (2500, "It is fine today. The sun will shine until")] {
        let mut scene = Scene::mid_reply();
        scene.run_for(millis(1500));
        scene.speaks(160);
        let item = scene.said();
        assert_eq!(text(scene.history(&item)), "It is fine today. The sun will");
        truncate(&mut scene, &item, ms);
        assert_eq!(text(scene.history(&item)), words);
    }
}

#[test]
fn more_than_there_is_cannot_be_played() {
    let mut scene = Scene::mid_reply();
    scene.run_for(Duration::from_secs(4));
    let item = scene.said();
    truncate(&mut scene, &item, 9000);
    assert_eq!(scene.error().message, "Audio content of 3000ms is already shorter than 9000ms");
    assert_eq!((scene.error().code, scene.error().param.as_deref()), (Some("invalid_value"), Some("audio_end_ms")));
    truncate(&mut scene, &item, 3100);
    let kept = scene.events().rev().find_map(|event| match event {
        Event::ItemTruncated { audio_end, .. } => Some(*audio_end),
        _ => None,
    });
    assert_eq!(kept, Some(millis(3000)), "rounding is forgiven");
    truncate(&mut scene, &item, 1000);
    truncate(&mut scene, &item, 2000);
    assert_eq!(scene.error().message, "Audio content of 1000ms is already shorter than 2000ms");
}

#[test]
fn a_truncation_before_the_cancel_holds_for_what_is_still_spoken() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(1500));
    scene.run_for(millis(1400));
    let item = scene.said();
    truncate(&mut scene, &item, 1000);
    scene.asks_for(Request::Cancel(None));
    assert_eq!(text(scene.history(&item)), "It is fine today.");
}

#[test]
fn only_the_assistants_speech_can_be_truncated() {
    let mut scene = Scene::new();
    truncate(&mut scene, &ItemId::new("nowhere"), 0);
    assert_eq!(scene.error().code, Some("item_truncate_invalid_item_id"));
    scene.types("hello");
    let item = scene.session.conversation().last().expect("an item");
    truncate(&mut scene, &item, 0);
    assert_eq!(scene.error().code, Some("unsupported_content_type"));
    scene.creates(Body::Message { role: Role::Assistant, parts: vec![Part::OutputText("hi".into())] });
    let item = scene.session.conversation().last().expect("an item");
    truncate(&mut scene, &item, 0);
    assert_eq!(scene.error().message, "Only model output audio messages can be truncated");
}

#[test]
fn after_a_truncation_nothing_more_is_heard_of_the_reply() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = Duration::from_secs(10));
    scene.run_for(millis(1000));
    let item = scene.said();
    truncate(&mut scene, &item, 1000);
    scene.speaks(20);
    assert_eq!(scene.count("speech_started"), 2, "the client plays no more, so nothing is spoken over");
    assert!(!scene.prompt().messages.contains(&Message::Assistant(String::new())));
}
