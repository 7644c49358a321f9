//! Coughs and "mm-hm" do not stop a reply.

use super::scene::{Scene, millis};

#[test]
fn a_cough_over_the_reply_is_told_to_nobody() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(500));
    scene.quiet(500);
    scene.news();
    scene.speaks(140);
    scene.quiet(500);
    assert_eq!(scene.news().iter().filter(|name| **name != "audio.delta").collect::<Vec<_>>(), [&"start", &"abandon"]);
    assert_eq!(scene.session.state().turn, "idle");
}

#[test]
fn the_detectors_patience_after_a_cough_does_not_make_it_an_interruption() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.speaks(60);
    scene.lingers(120);
    scene.quiet(500);
    assert_eq!((scene.count("flush"), scene.count("speech_started")), (0, 1));
}

#[test]
fn a_gap_within_words_does_not_delay_an_interruption() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.speaks(80);
    scene.lingers(60);
    scene.speaks(20);
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn a_sign_of_listening_does_not_interrupt() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.speaks(120);
    scene.partly("", "mm-hm");
    scene.speaks(600);
    scene.quiet(200);
    assert_eq!((scene.count("flush"), scene.count("speech_started")), (0, 1));
}

#[test]
fn a_sign_of_listening_that_goes_on_does_interrupt() {
    let mut scene = Scene::mid_reply();
    scene.quiet(500);
    scene.speaks(120);
    scene.partly("", "yeah");
    scene.speaks(200);
    assert_eq!(scene.count("flush"), 0);
    scene.partly("yeah", " but wait");
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn a_long_sign_of_listening_takes_the_floor() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(500));
    scene.speaks(120);
    scene.partly("", "okay");
    scene.speaks(660);
    assert_eq!(scene.count("flush"), 0);
    scene.speaks(20);
    assert_eq!(scene.count("flush"), 1);
}

#[test]
fn after_a_false_alarm_the_next_words_are_heard_from_their_start() {
    let mut scene = Scene::mid_reply();
    scene.quiet(300);
    scene.speaks(100);
    scene.quiet(300);
    scene.asks("stop please");
    assert_eq!(scene.count("infer"), 2);
}
