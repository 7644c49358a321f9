//! The end, at any time.

use std::time::Duration;

use super::{
    super::{
        Input,
        input::{CloseReason, ResponseRequest},
        item::{Body, Part},
        output::Output,
    },
    scene::{Scene, millis, text},
};

#[test]
fn an_open_response_is_ended_before_the_close() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(1500));
    scene.responds(ResponseRequest { out_of_band: true, ..ResponseRequest::default() });
    scene.run_for(millis(1000));
    scene.feed(Input::Close(CloseReason::Hangup));
    assert_eq!(scene.count("response.done"), 2);
    let first = scene.session.conversation().items().nth(1).expect("a reply").id.clone();
    assert_eq!(text(scene.history(&first)), "It is fine today.");
    assert!(matches!(scene.outputs().last(), Some(Output::Close(CloseReason::Hangup))));
}

#[test]
fn a_second_close_and_everything_after_it_is_silent() {
    let mut scene = Scene::new();
    scene.feed(Input::Close(CloseReason::Drain));
    scene.news();
    scene.feed(Input::Close(CloseReason::Kicked));
    scene.speaks(200);
    scene.feed(Input::Tick);
    assert_eq!(scene.news(), Vec::<&str>::new());
    assert_eq!(scene.wake(), None);
}

#[test]
fn a_turn_that_was_committed_is_kept_with_the_words_known_so_far() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.partly("what time", " is");
    scene.quiet(500);
    scene.feed(Input::Close(CloseReason::Hangup));
    let item = scene.session.conversation().last().expect("an item");
    let Body::Message { parts, .. } = &scene.history(&item).body else { panic!("no message") };
    assert_eq!(parts[0], Part::InputAudio { transcript: Some("what time".into()), clip: None });
}

#[test]
fn a_reply_the_client_was_given_whole_stays_whole() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = Duration::from_secs(10));
    scene.feed(Input::Close(CloseReason::Hangup));
    assert_eq!(text(scene.history(&scene.said())), "It is fine today. The sun will shine until the evening. ");
}
