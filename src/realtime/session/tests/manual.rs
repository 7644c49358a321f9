//! Manual turns: the client says when, with commits and responses of its own; commits and clears under VAD.

use std::time::Duration;

use providers::{ErrorKind, llm::Message};

use super::{
    super::{
        Input, LEAST_COMMIT,
        input::Request,
        output::{Output, ResponseStatus, Transcribe},
    },
    scene::{Scene, broken, millis},
};

fn manual() -> Scene {
    Scene::with(|settings| settings.input.turn_detection = None, |_| {})
}

/// The audio of each finished turn.
fn stretches(scene: &Scene) -> Vec<(u128, u128)> {
    let mut starts = Vec::new();
    let mut stretches = Vec::new();
    for output in scene.outputs() {
        match output {
            Output::Transcribe(Transcribe::Start { turn, from, .. }) => starts.push((*turn, from.as_millis())),
            Output::Transcribe(Transcribe::Finish { turn, until }) => {
                let from = starts.iter().find(|(started, _)| started == turn).expect("started").1;
                stretches.push((from, until.as_millis()));
            }
            _ => {}
        }
    }
    stretches
}

#[test]
fn a_commit_makes_an_item_and_no_response() {
    let mut scene = manual();
    scene.speaks(1000);
    scene.quiet(2000);
    assert_eq!(scene.news(), ["session.created", "start"]);
    scene.asks_for(Request::Commit);
    assert_eq!(scene.news(), ["finish", "committed", "item.added", "item.done"]);
    scene.understood("hello");
    assert_eq!(scene.news(), ["transcription.completed"]);
}

#[test]
fn commit_and_create_back_to_back_wait_for_the_words_inside() {
    let mut scene = manual();
    scene.speaks(1000);
    scene.asks_for(Request::Commit);
    scene.responds(Default::default());
    assert_eq!((scene.count("response.created"), scene.count("infer")), (1, 0));
    scene.understood("hello");
    assert_eq!(scene.prompt().messages, [Message::User("hello".into())]);
}

#[test]
fn a_commit_of_too_little_tells_how_much_there_is_to_the_sample() {
    let mut scene = manual();
    scene.feed(Input::Begun(Duration::from_micros(41)));
    scene.asks_for(Request::Commit);
    assert!(scene.error().message.ends_with("buffer only has 0.04ms of audio."), "{}", scene.error().message);
    scene.speaks(80);
    scene.feed(Input::Begun(Duration::from_micros(19_900)));
    assert!(scene.session.buffered() < LEAST_COMMIT);
    scene.asks_for(Request::Commit);
    assert!(scene.error().message.ends_with("buffer only has 99.90ms of audio."), "{}", scene.error().message);
    scene.speaks(20);
    assert_eq!(scene.session.buffered(), LEAST_COMMIT, "a frame that is whole was begun");
    scene.asks_for(Request::Commit);
    assert_eq!(scene.count("committed"), 1);
}

#[test]
fn a_second_commit_finds_the_buffer_empty() {
    let mut scene = manual();
    scene.speaks(1000);
    scene.asks_for(Request::Commit);
    scene.asks_for(Request::Commit);
    assert_eq!(scene.count("committed"), 1);
    assert_eq!(
        scene.error().message,
        "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has \
         0.00ms of audio."
    );
    assert_eq!(scene.error().code, Some("input_audio_buffer_commit_empty"));
    scene.speaks(80);
    scene.asks_for(Request::Commit);
    assert!(scene.error().message.ends_with("only has 80.00ms of audio."));
    scene.speaks(20);
    scene.asks_for(Request::Commit);
    assert_eq!(scene.count("committed"), 2);
}

#[test]
fn commits_and_clears_use_all_audio_once() {
    let mut scene = manual();
    scene.speaks(1000);
    scene.asks_for(Request::Commit);
    scene.quiet(400);
    scene.asks_for(Request::Clear);
    scene.speaks(600);
    scene.asks_for(Request::Commit);
    scene.speaks(200);
    scene.asks_for(Request::Commit);
    assert_eq!(stretches(&scene), [(0, 1000), (1400, 2000), (2000, 2200)]);
    assert_eq!(scene.count("abandon"), 1);
}

#[test]
fn a_response_whose_words_failed_says_why() {
    let mut scene = manual();
    scene.speaks(1000);
    scene.asks_for(Request::Commit);
    scene.responds(Default::default());
    scene.feed(Input::Transcript { turn: scene.turn(), event: Err(broken(ErrorKind::Unavailable)) });
    assert_eq!(scene.count("transcription.failed"), 1);
    assert!(
        matches!(&scene.done().status, ResponseStatus::Failed { message, .. } if message.contains("speech recognition"))
    );
}

#[test]
fn a_commit_during_speech_commits_that_much_and_the_rest_is_the_next_turn() {
    let mut scene = Scene::new();
    scene.speaks(1000);
    scene.asks_for(Request::Commit);
    assert_eq!(scene.count("response.created"), 0);
    scene.speaks(600);
    scene.quiet(500);
    assert_eq!(stretches(&scene), [(0, 1000), (1000, 2100)]);
    assert_eq!(scene.count("speech_stopped"), 2);
}

#[test]
fn a_commit_between_turns_finds_only_the_padding() {
    let mut scene = Scene::new();
    scene.quiet(5000);
    scene.asks_for(Request::Commit);
    assert_eq!(stretches(&scene), [(4700, 5000)]);
    scene.asks_for(Request::Commit);
    assert_eq!(scene.error().code, Some("input_audio_buffer_commit_empty"));
}

#[test]
fn a_clear_drops_the_turn() {
    let mut scene = Scene::new();
    scene.speaks(1000);
    scene.asks_for(Request::Clear);
    scene.quiet(1000);
    assert_eq!((scene.count("abandon"), scene.count("committed")), (1, 0));
    assert_eq!(scene.session.state().turn, "idle");
}

#[test]
fn a_buffer_nobody_commits_is_committed_at_its_limit() {
    let mut scene =
        Scene::with(|settings| settings.input.turn_detection = None, |profile| profile.longest_turn = millis(2000));
    scene.quiet(5000);
    assert_eq!(stretches(&scene), [(0, 2000), (2000, 4000)]);
}

#[test]
fn a_flood_of_commits_is_refused_and_keeps_its_audio() {
    let mut scene = manual();
    for _ in 0..65 {
        scene.speaks(100);
        scene.asks_for(Request::Commit);
    }
    assert_eq!((scene.count("committed"), scene.error().code), (64, Some("rate_limit_exceeded")));
    let turn = scene.turn();
    for waiting in 1..turn.0 {
        scene.understood_of(super::super::ids::TurnId(waiting), "word");
    }
    scene.asks_for(Request::Commit);
    assert_eq!(stretches(&scene).last(), Some(&(6400, 6500)));
}
