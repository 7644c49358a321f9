//! Words reach the client while the person still speaks, and are never taken back.

use super::{
    super::{input::Request, output::Event, settings::Player},
    scene::{Scene, millis},
};

/// What the client was told of the person's words, item by item.
fn told(scene: &Scene) -> Vec<String> {
    let mut told: Vec<(_, String)> = Vec::new();
    for event in scene.events() {
        if let Event::TranscriptionDelta { item, delta } = event {
            match told.iter_mut().find(|(of, _)| of == item) {
                Some((_, words)) => words.push_str(delta),
                None => told.push((item.clone(), delta.clone())),
            }
        }
    }
    told.into_iter().map(|(_, words)| words).collect()
}

#[test]
fn stable_words_are_told_while_the_person_still_speaks() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.news();
    scene.partly("", "what");
    assert_eq!(scene.news(), [""; 0], "what may change is kept back");
    scene.partly("what", " time");
    assert_eq!(scene.news(), ["transcription.delta"]);
    scene.speaks(400);
    scene.partly("what time is", " it");
    scene.quiet(500);
    scene.understood("what time is it");
    let order = ["transcription.delta", "speech_stopped", "finish", "committed", "item.added", "item.done"];
    assert_eq!(scene.news()[..6], order);
    assert_eq!((scene.count("transcription.completed"), told(&scene)), (1, vec!["what time is".to_owned()]));
}

#[test]
fn words_carry_the_item_that_speech_started_named() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.partly("hello", "");
    let items: Vec<_> = scene
        .events()
        .filter_map(|event| match event {
            Event::SpeechStarted { item, .. } | Event::TranscriptionDelta { item, .. } => Some(item),
            _ => None,
        })
        .collect();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0], items[1]);
}

#[test]
fn words_over_a_reply_wait_until_the_client_knows_of_the_turn() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.speaks(120);
    scene.news();
    scene.partly("yeah", "");
    assert_eq!(scene.news(), [""; 0]);
    scene.partly("yeah but", "");
    scene.speaks(40);
    assert_eq!(scene.news()[..2], ["speech_started", "transcription.delta"]);
    assert_eq!(told(&scene), ["yeah but"]);
}

#[test]
fn words_over_a_held_reply_are_told_in_every_stage_of_the_doubt() {
    let relay = |profile: &mut super::super::settings::Profile| {
        profile.player = Player::Relay;
        profile.lead = millis(60);
    };
    let mut scene = Scene::mid_reply_with(|_| {}, relay);
    scene.quiet(500);
    scene.speaks(400);
    scene.partly("hm", "");
    scene.quiet(600);
    assert_eq!(scene.session.state().turn, "weighing");
    scene.partly("hm hm", "");
    scene.understood("hm hm");
    assert_eq!((scene.count("resume"), scene.count("committed")), (1, 2));
    assert_eq!(told(&scene), ["hm hm"]);
}

#[test]
fn a_cleared_turn_has_no_more_words() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.partly("hello", "");
    let turn = scene.turn();
    scene.asks_for(Request::Clear);
    scene.news();
    scene.partly("hello again", "");
    scene.understood_of(turn, "hello again");
    assert_eq!(scene.news(), [""; 0]);
}

#[test]
fn manual_turns_are_told_before_they_are_committed() {
    let mut scene = Scene::with(|settings| settings.input.turn_detection = None, |_| {});
    scene.speaks(1000);
    scene.partly("good", " morning");
    scene.asks_for(Request::Commit);
    scene.understood("good morning");
    let told = ["session.created", "start", "transcription.delta", "finish", "committed"];
    assert_eq!(scene.news()[..5], told);
}

#[test]
fn what_was_told_of_a_manual_turn_becomes_an_item_when_turns_go_automatic() {
    let mut scene = Scene::with(|settings| settings.input.turn_detection = None, |_| {});
    scene.speaks(1000);
    scene.partly("good", " morning");
    scene.updates(|settings| settings.input.turn_detection = super::scene::settings().input.turn_detection);
    scene.quiet(600);
    assert_eq!((scene.count("speech_started"), scene.count("committed")), (1, 1));
}

#[test]
fn nobody_is_told_words_without_asking_for_transcripts() {
    let mut scene = Scene::with(|settings| settings.input.transcription = None, |_| {});
    scene.speaks(600);
    scene.partly("hello", "");
    assert_eq!(scene.count("transcription.delta"), 0);
    scene.updates(|settings| settings.input.transcription = super::scene::settings().input.transcription);
    scene.partly("hello there", "");
    assert_eq!(told(&scene), ["hello there"], "all of it, once it is wanted");
}
