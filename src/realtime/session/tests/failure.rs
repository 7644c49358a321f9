//! A provider fails at each stage: the response says so, and the session goes on.

use std::time::Duration;

use providers::{
    ErrorKind,
    llm::{Finish, Message, Thought},
};

use super::{
    super::{
        Input,
        input::Spoken,
        item::ItemStatus,
        output::{IncompleteReason, ResponseStatus},
    },
    scene::{Scene, broken, millis, text},
};

fn failed(scene: &Scene) -> (&'static str, &str) {
    match &scene.done().status {
        ResponseStatus::Failed { code, message } => (code, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recogniser_that_fails_fails_the_response_that_was_due() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.quiet(500);
    scene.news();
    scene.feed(Input::Transcript { turn: scene.turn(), event: Err(broken(ErrorKind::Timeout)) });
    assert_eq!(scene.news(), ["transcription.failed", "response.created", "cancel", "response.done"]);
    assert_eq!(failed(&scene).1, "The speech recognition did not answer in time.");
    scene.asks("hello");
    assert_eq!(scene.count("infer"), 1);
}

#[test]
fn a_recogniser_that_fails_while_the_person_speaks_fails_after_the_commit() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.partly("what time", "");
    scene.feed(Input::Transcript { turn: scene.turn(), event: Err(broken(ErrorKind::Unavailable)) });
    assert_eq!(scene.count("transcription.failed"), 0);
    scene.quiet(500);
    assert_eq!(scene.count("transcription.failed"), 1);
    assert_eq!(scene.prompt().messages, [Message::User("what time".into())], "the words understood so far count");
}

#[test]
fn a_recogniser_that_never_answers_fails_in_the_end() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.quiet(500);
    scene.run_for(Duration::from_secs(62));
    assert_eq!((scene.count("transcription.failed"), scene.count("response.done")), (1, 1));
}

#[test]
fn a_model_that_fails_before_its_first_word_fails_the_response() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.feed(Input::Thought { response: scene.response(), event: Err(broken(ErrorKind::RateLimited)) });
    assert_eq!(failed(&scene), ("rate_limit_exceeded", "The language model is rate limited."));
    assert!(scene.done().output.is_empty());
}

#[test]
fn a_model_that_fails_amid_its_reply_leaves_what_was_spoken() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.says("Hello there, my friend. How are you doing on this fine day? And");
    scene.sounds(0, 800);
    scene.feed(Input::Thought { response: scene.response(), event: Err(broken(ErrorKind::Unavailable)) });
    let ResponseStatus::BrokenOff { code, message } = &scene.done().status else { panic!("{:?}", scene.done()) };
    assert_eq!((*code, message.as_str()), ("provider_unavailable", "The language model is unavailable."));
    assert_eq!(scene.done().output[0].status, ItemStatus::Incomplete);
    assert_eq!(text(scene.history(&scene.said())), "Hello there,");
    scene.run_for(millis(2000));
    scene.asks("go on");
    assert_eq!(scene.count("infer"), 2);
}

#[test]
fn a_model_that_fails_before_a_word_was_heard_fails_the_response() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.says("Hello there, my friend.");
    scene.feed(Input::Thought { response: scene.response(), event: Err(broken(ErrorKind::Timeout)) });
    assert_eq!(failed(&scene), ("provider_timeout", "The language model did not answer in time."));
}

#[test]
fn a_voice_that_fails_fails_the_response() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.says("Hello there, my friend.");
    let event = Spoken::Failed(broken(ErrorKind::Unauthorized));
    scene.feed(Input::Spoken { response: scene.response(), event });
    assert_eq!(failed(&scene), ("provider_unauthorized", "The speech synthesis refused the relay's credentials."));
    assert!(!failed(&scene).1.contains("on purpose"), "a provider's inside stays inside");
}

#[test]
fn a_voice_that_ends_too_early_fails_the_response() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.says("Hello there, my friend.");
    scene.voice_ends();
    assert_eq!(failed(&scene).0, "provider_error");
}

#[test]
fn a_limit_leaves_the_response_incomplete_and_its_words_spoken() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.says("Hello there, my");
    scene.finishes(Finish::Length);
    scene.sounds(0, 500);
    scene.sounds(1, 100);
    scene.voice_ends();
    assert_eq!(scene.done().status, ResponseStatus::Incomplete(IncompleteReason::MaxOutputTokens));
    assert_eq!(scene.done().output[0].status, ItemStatus::Incomplete);
}

#[test]
fn a_model_that_says_nothing_completes_an_empty_response() {
    let mut scene = Scene::new();
    scene.asks("hello");
    scene.finishes(Finish::Stop);
    assert_eq!(scene.done().status, ResponseStatus::Completed);
    scene.asks("hello?");
    assert_eq!(scene.count("infer"), 2);
}

#[test]
fn a_model_that_never_ends_is_stopped() {
    let mut scene = Scene::new();
    scene.asks("hello");
    let drivel = "x ".repeat(1 << 18);
    for _ in 0..3 {
        scene.thinks(Thought::Text(drivel.clone()));
    }
    assert_eq!(failed(&scene).0, "provider_error");
}
