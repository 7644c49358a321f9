//! Hums and short words over a reply: their sound delays the interruption, their words decide it.

use providers::ErrorKind;

use super::{
    super::{Input, input::Request, settings::Player},
    scene::{Scene, broken, millis},
};

#[test]
fn a_hum_over_the_reply_is_told_to_nobody() {
    for words in ["mm-hm", "", "Uh-huh."] {
        let mut scene = Scene::mid_reply();
        scene.quiet(500);
        scene.hums(500);
        scene.quiet(200);
        scene.understood(words);
        scene.quiet(500);
        assert_eq!(
            (scene.count("flush"), scene.count("speech_started"), scene.count("committed")),
            (0, 1, 1),
            "{words}"
        );
    }
}

#[test]
fn a_hum_that_turns_into_words_interrupts_as_soon_as_it_does() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.hums(300);
    assert_eq!(scene.count("flush"), 0);
    scene.speaks(20);
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn a_hum_that_goes_on_takes_the_floor() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(500));
    scene.hums(780);
    assert_eq!(scene.count("flush"), 0);
    scene.hums(20);
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn a_hum_that_is_understood_as_words_interrupts_at_once() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.hums(200);
    scene.partly("", "no");
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn whoever_wants_interruptions_at_once_has_them_from_hums_too() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.overlap = millis(0));
    scene.quiet(500);
    scene.hums(20);
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn a_short_word_interrupts_once_it_is_understood_and_is_answered() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(500));
    scene.quiet(500);
    scene.hums(300);
    scene.quiet(300);
    assert_eq!(scene.count("flush"), 0);
    scene.news();
    scene.understood("no");
    let news = scene.news();
    assert_eq!(news[..3], ["speech_started", "flush", "cancel"]);
    let after = news.iter().position(|name| *name == "response.done").unwrap();
    let then =
        ["speech_stopped", "committed", "item.added", "item.done", "transcription.completed", "response.created"];
    assert_eq!(news[after + 1..after + 7], then);
}

#[test]
fn a_first_sure_word_is_enough_to_interrupt_late() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.hums(300);
    scene.quiet(100);
    scene.news();
    scene.partly("stop", " it");
    assert!(scene.news().ends_with(&["committed", "item.added", "item.done", "transcription.delta"]));
    scene.understood("stop it");
    assert_eq!(scene.count("infer"), 2);
}

#[test]
fn a_sound_that_is_never_understood_is_forgotten() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(10_000));
    scene.quiet(500);
    scene.hums(300);
    let turn = scene.turn();
    scene.quiet(3_100);
    assert_eq!(scene.count("abandon"), 1);
    scene.understood_of(turn, "no");
    assert_eq!(scene.count("speech_started"), 1);

    let mut scene = Scene::mid_reply();
    scene.hums(300);
    scene.quiet(100);
    scene.feed(Input::Transcript { turn: scene.turn(), event: Err(broken(ErrorKind::Timeout)) });
    scene.quiet(100);
    assert_eq!((scene.count("speech_started"), scene.count("transcription.failed")), (1, 0));
}

#[test]
fn who_speaks_on_before_the_first_word_is_understood_loses_nothing() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.hums(300);
    let first = scene.turn();
    scene.quiet(300);
    scene.news();
    scene.speaks(200);
    let news = scene.news();
    let told: Vec<_> = news.iter().filter(|name| name.starts_with("speech") || **name == "committed").collect();
    assert_eq!(told, [&"committed", &"speech_started"]);
    scene.quiet(500);
    scene.understood("wait");
    assert_eq!(scene.count("infer"), 1, "the first word is still awaited");
    scene.understood_of(first, "no");
    assert_eq!(scene.count("infer"), 2);
    assert_eq!(scene.prompt().messages.len(), 4);
}

#[test]
fn a_word_at_the_end_of_the_reply_is_answered_after_it() {
    let mut scene = Scene::mid_reply();
    scene.quiet(2_600);
    scene.hums(300);
    scene.quiet(400);
    assert_eq!(scene.session.state().to_string(), "idle/idle");
    scene.understood("what");
    assert_eq!((scene.count("flush"), scene.count("speech_started"), scene.count("infer")), (0, 2, 2));
}

#[test]
fn where_we_play_the_reply_goes_on_while_a_short_sound_is_in_doubt() {
    let relay = |profile: &mut super::super::settings::Profile| {
        profile.player = Player::Relay;
        profile.lead = millis(60);
    };
    let mut scene = Scene::mid_reply_with(|_| {}, relay);
    scene.quiet(500);
    scene.hums(300);
    scene.quiet(40);
    assert_eq!((scene.count("pause"), scene.count("resume")), (1, 1));
    scene.understood("stop");
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn a_clear_and_manual_turns_drop_what_is_in_doubt() {
    for manual in [false, true] {
        let mut scene = Scene::mid_reply();
        scene.quiet(500);
        scene.hums(300);
        let turn = scene.turn();
        scene.quiet(40);
        if manual {
            scene.updates(|settings| settings.input.turn_detection = None);
        } else {
            scene.asks_for(Request::Clear);
        }
        scene.understood_of(turn, "stop");
        assert_eq!((scene.count("abandon"), scene.count("speech_started")), (1, 1));
    }
}
