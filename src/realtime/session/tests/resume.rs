//! Where we play, a false interruption costs nothing: the reply is held, and goes on if nothing was said.

use providers::llm::Message;

use super::{
    super::{Input, output::Event, settings::Player},
    scene::{Scene, millis, text},
};

fn relay() -> Scene {
    Scene::mid_reply_with(
        |_| {},
        |profile| {
            profile.player = Player::Relay;
            profile.lead = millis(60);
        },
    )
}

#[test]
fn the_loudspeaker_is_held_at_the_onset_and_goes_on_after_a_cough() {
    let mut scene = relay();
    scene.quiet(500);
    scene.news();
    scene.speaks(20);
    assert_eq!(scene.news(), ["audio.delta", "start", "pause"]);
    scene.speaks(100);
    scene.quiet(20);
    assert_eq!(scene.news(), ["abandon", "resume"]);
    scene.run_for(millis(3000));
    assert_eq!((scene.count("playback.started"), scene.count("playback.stopped")), (1, 1));
    assert_eq!(text(scene.history(&scene.said())), "It is fine today. The sun will shine until the evening. ");
}

#[test]
fn words_over_the_reply_cut_it_at_once() {
    let mut scene = relay();
    scene.quiet(1100);
    scene.speaks(100);
    scene.partly("", "wait a moment");
    scene.news();
    scene.speaks(60);
    assert_eq!(
        scene.news(),
        [
            "speech_started",
            "flush",
            "cancel",
            "resume",
            "playback.cleared",
            "audio.done",
            "text.done",
            "part.done",
            "item.done",
            "output_item.done",
            "response.done",
            "item.truncated",
        ]
    );
    let kept = scene.events().rev().find_map(|event| match event {
        Event::ItemTruncated { audio_end, .. } => Some(*audio_end),
        _ => None,
    });
    assert_eq!(kept, Some(millis(1120)), "the position at which the loudspeaker was held");
    assert_eq!(text(scene.history(&scene.said())), "It is fine today.");
}

#[test]
fn what_the_line_has_not_played_yet_is_not_kept_as_heard() {
    let mut scene = relay();
    scene.quiet(1100);
    scene.feed(Input::Lag(millis(300)));
    scene.speaks(100);
    scene.partly("", "wait a moment");
    scene.speaks(60);
    let kept = scene.events().rev().find_map(|event| match event {
        Event::ItemTruncated { audio_end, .. } => Some(*audio_end),
        _ => None,
    });
    assert_eq!(kept, Some(millis(1120 - 300)));
    assert_eq!(text(scene.history(&scene.said())), "It is fine");
}

#[test]
fn playback_stops_when_the_line_has_played_it() {
    let mut scene = relay();
    scene.feed(Input::Lag(millis(300)));
    let began = scene.when("playback.started");
    scene.run_for(millis(4000));
    assert_eq!(scene.when("playback.stopped"), began + millis(3300));
}

#[test]
fn an_interruption_in_which_nothing_was_said_lets_the_reply_go_on() {
    let mut scene = relay();
    scene.quiet(500);
    scene.speaks(400);
    assert_eq!(scene.count("speech_started"), 2);
    scene.quiet(500);
    assert_eq!(scene.session.state().turn, "weighing");
    scene.understood("");
    assert_eq!((scene.count("resume"), scene.count("flush"), scene.count("committed")), (1, 0, 2));
    scene.run_for(millis(4000));
    assert_eq!(scene.count("response.created"), 1);
    assert_eq!(text(scene.history(&scene.said())), "It is fine today. The sun will shine until the evening. ");
}

#[test]
fn an_interruption_with_words_is_cut_before_its_commit_and_answered() {
    let mut scene = relay();
    scene.quiet(500);
    scene.speaks(400);
    scene.quiet(500);
    scene.news();
    scene.understood("stop");
    let news = scene.news();
    let at = |wanted| news.iter().position(|name| *name == wanted).expect(wanted);
    assert!(at("response.done") < at("committed") && at("committed") < at("infer"), "{news:?}");
    assert_eq!(scene.prompt().messages.last(), Some(&Message::User("stop".into())));
}

#[test]
fn a_held_reply_is_given_up_if_nobody_tells_what_was_said() {
    let mut scene = relay();
    scene.quiet(500);
    scene.speaks(400);
    scene.quiet(500);
    scene.run_for(millis(2000));
    assert_eq!((scene.count("flush"), scene.count("committed")), (1, 2));
    scene.understood("stop");
    assert_eq!(scene.count("infer"), 2);
}

#[test]
fn speaking_again_while_it_is_weighed_gives_the_held_reply_up() {
    let mut scene = relay();
    scene.quiet(500);
    scene.speaks(400);
    scene.quiet(500);
    let first = scene.turn();
    scene.speaks(400);
    assert_eq!(scene.count("flush"), 1);
    scene.quiet(500);
    scene.understood_of(first, "stop");
    scene.understood("now");
    assert_eq!(scene.prompt().messages.last(), Some(&Message::User("now".into())));
}
