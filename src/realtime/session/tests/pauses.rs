//! When a pause ends a turn: silence alone, the turn detector's advice, and a microphone that goes dead.

use providers::ErrorKind;

use super::{
    super::{
        Input, Wake,
        output::Output,
        settings::{Eagerness, Endpointing},
    },
    scene::{Scene, broken, millis},
};

fn semantic(eagerness: Eagerness) -> Scene {
    Scene::with(
        |settings| settings.input.turn_detection.as_mut().unwrap().policy = Endpointing::Semantic { eagerness },
        |_| {},
    )
}

fn advise(scene: &mut Scene, complete: Result<f32, providers::ProviderError>) {
    let asked = scene.outputs().rev().find_map(|output| match output {
        Output::Advise { turn, pause, .. } => Some((*turn, *pause)),
        _ => None,
    });
    let (turn, pause) = asked.expect("no advice was asked for");
    scene.feed(Input::Advice { turn, pause, complete });
}

#[test]
fn a_pause_shorter_than_the_silence_keeps_the_turn() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.quiet(480);
    scene.speaks(600);
    assert_eq!(scene.count("committed"), 0);
    scene.quiet(500);
    assert_eq!(scene.count("committed"), 1);
    assert_eq!(scene.count("speech_started"), 1);
}

#[test]
fn a_turn_that_sounds_complete_ends_as_soon_as_the_detector_says_so() {
    let mut scene = semantic(Eagerness::Low);
    scene.speaks(600);
    scene.quiet(200);
    assert_eq!(scene.count("advise"), 1);
    advise(&mut scene, Ok(0.9));
    assert_eq!(scene.count("committed"), 1);
}

#[test]
fn a_turn_that_sounds_incomplete_waits_as_eagerness_says() {
    for (eagerness, patience) in [(Eagerness::Low, 8000), (Eagerness::Auto, 4000), (Eagerness::High, 2000)] {
        let mut scene = semantic(eagerness);
        scene.speaks(600);
        scene.quiet(200);
        advise(&mut scene, Ok(0.1));
        scene.quiet(patience - 220);
        assert_eq!((scene.count("committed"), scene.count("advise")), (0, 1), "{eagerness:?}");
        scene.quiet(20);
        assert_eq!(scene.count("committed"), 1, "{eagerness:?}");
    }
}

#[test]
fn new_speech_after_a_pause_is_judged_anew_and_late_advice_is_void() {
    let mut scene = semantic(Eagerness::Auto);
    scene.speaks(600);
    scene.quiet(200);
    scene.speaks(400);
    advise(&mut scene, Ok(1.0));
    assert_eq!(scene.count("committed"), 0);
    scene.quiet(200);
    assert_eq!(scene.count("advise"), 2);
    advise(&mut scene, Ok(0.5));
    assert_eq!(scene.count("committed"), 1);
}

#[test]
fn without_advice_a_silence_ends_the_turn() {
    let mut failing = semantic(Eagerness::Low);
    failing.speaks(600);
    failing.quiet(200);
    advise(&mut failing, Err(broken(ErrorKind::Timeout)));
    let mut mute = semantic(Eagerness::Low);
    mute.speaks(600);
    mute.quiet(200);
    for mut scene in [failing, mute] {
        scene.quiet(480);
        assert_eq!(scene.count("committed"), 0);
        scene.quiet(20);
        assert_eq!(scene.count("committed"), 1);
    }
}

#[test]
fn nobody_is_asked_where_there_is_no_detector() {
    let mut scene = Scene::with(
        |settings| {
            settings.input.turn_detection.as_mut().unwrap().policy =
                Endpointing::Semantic { eagerness: Eagerness::High };
        },
        |profile| profile.advice = false,
    );
    scene.speaks(600);
    scene.quiet(700);
    assert_eq!((scene.count("advise"), scene.count("committed")), (0, 1));
}

#[test]
fn a_microphone_that_goes_dead_ends_the_turn() {
    let mut scene = Scene::new();
    scene.speaks(600);
    assert_eq!(scene.wake(), Some(Wake::Starvation));
    scene.run_for(millis(1480));
    assert_eq!(scene.count("committed"), 0);
    scene.run_for(millis(20));
    assert_eq!(scene.count("committed"), 1);
    scene.understood("hello");
    assert_eq!(scene.count("infer"), 1);
}
