//! The keys of a telephone: one message for a whole number, and the reply stops for it.

use super::{
    super::{
        Input,
        input::CloseReason,
        output::{Event, Output},
        settings::Player,
    },
    scene::{Scene, millis, text},
};

fn line() -> Scene {
    Scene::with(|_| {}, relay)
}

fn relay(profile: &mut super::super::settings::Profile) {
    profile.player = Player::Relay;
    profile.lead = millis(60);
}

fn press(scene: &mut Scene, keys: &str) {
    for key in keys.chars() {
        scene.run_for(millis(300));
        scene.feed(Input::Pressed { key, at: 1_700_000_000 });
    }
}

/// What the last item added says.
fn said(scene: &Scene) -> String {
    let added = scene.events().rev().find_map(|event| match event {
        Event::ItemAdded { item, .. } => Some(text(item)),
        _ => None,
    });
    added.expect("no item")
}

#[test]
fn a_number_is_one_message_after_a_pause_and_is_answered() {
    let mut scene = line();
    press(&mut scene, "4711");
    assert_eq!((scene.count("key.pressed"), scene.count("item.added")), (4, 0));
    scene.run_for(millis(2_499));
    assert_eq!(scene.count("item.added"), 0);
    scene.run_for(millis(1));
    assert_eq!(said(&scene), "[The caller pressed on the keypad: 4711]");
    assert_eq!((scene.count("response.created"), scene.count("infer")), (1, 1));
}

#[test]
fn a_hash_ends_it_at_once() {
    let mut scene = line();
    press(&mut scene, "12#");
    assert_eq!(said(&scene), "[The caller pressed on the keypad: 12#]");
    assert_eq!(scene.count("response.created"), 1);
    scene.run_for(millis(10_000));
    assert_eq!(scene.count("item.added"), 1, "nothing is left to be said");
}

#[test]
fn a_key_stops_the_reply_at_what_was_heard() {
    let mut scene = Scene::mid_reply_with(|_| {}, relay);
    scene.run_for(millis(1_100));
    scene.news();
    scene.feed(Input::Pressed { key: '0', at: 1_700_000_000 });
    let news = scene.news();
    assert_eq!(news[..3], ["key.pressed", "flush", "cancel"]);
    assert!(news.contains(&"item.truncated"));
    assert_eq!(text(scene.history(&scene.said())), "It is fine today.");
}

#[test]
fn what_was_pressed_stands_before_what_is_said_next() {
    let mut scene = line();
    press(&mut scene, "7");
    scene.asks("that was seven");
    let kinds: Vec<_> = scene.news();
    let at = |name: &str| kinds.iter().position(|kind| *kind == name).expect(name);
    assert!(at("item.added") < at("speech_started"));
    assert_eq!(scene.count("response.created"), 1, "one answer to both");
}

#[test]
fn where_the_client_takes_the_turns_it_answers_keys_too() {
    let mut scene = Scene::with(|settings| settings.input.turn_detection = None, relay);
    press(&mut scene, "1#");
    assert_eq!((scene.count("item.added"), scene.count("response.created")), (1, 0));
}

#[test]
fn keys_of_a_caller_who_hangs_up_are_kept() {
    let mut scene = line();
    press(&mut scene, "99");
    scene.feed(Input::Close(CloseReason::Hangup));
    let kept = scene.outputs().any(|output| matches!(output, Output::Record(_)));
    assert!(kept && said(&scene).ends_with("99]"));
}
