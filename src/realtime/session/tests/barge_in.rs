//! Speaking over a reply stops it, before, during and after it is made, and is itself heard and answered.

use std::time::Duration;

use providers::llm::{Finish, Message, Thought};

use super::{
    super::{
        Input,
        input::Spoken,
        output::{CancelReason, Event, Measure, Output, ResponseStatus},
    },
    scene::{Scene, millis, text},
};

const CANCELLED: ResponseStatus = ResponseStatus::Cancelled(CancelReason::TurnDetected);

#[test]
fn speaking_over_the_reply_stops_it_at_what_was_heard() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(1200));
    scene.run_for(millis(1000));
    scene.news();
    scene.speaks(140);
    assert!(!scene.news().contains(&"speech_started"), "the client is told nothing yet");
    scene.speaks(20);
    assert_eq!(
        scene.news(),
        [
            "speech_started",
            "flush",
            "cancel",
            "audio.done",
            "text.done",
            "part.done",
            "item.done",
            "output_item.done",
            "response.done",
        ]
    );
    assert_eq!(scene.done().status, CANCELLED);
    assert_eq!(text(scene.history(&scene.said())), "It is fine today.", "1160 ms were heard");
}

#[test]
fn the_onset_and_its_audio_are_kept_from_before_the_confirmation() {
    let mut scene = Scene::mid_reply();
    let onset = scene.position();
    scene.quiet(400);
    scene.speaks(200);
    let start = scene.events().rev().find_map(|event| match event {
        Event::SpeechStarted { start, .. } => Some(*start),
        _ => None,
    });
    assert_eq!(start, Some(onset + millis(100)));
}

#[test]
fn what_was_said_over_the_reply_is_answered_with_what_was_heard_of_it() {
    let mut scene = Scene::mid_reply();
    scene.quiet(1000);
    scene.asks("and in Paris");
    assert_eq!(
        scene.prompt().messages,
        [
            Message::User("what is the weather".into()),
            Message::Assistant("It is fine today.".into()),
            Message::User("and in Paris".into())
        ]
    );
}

#[test]
fn nothing_of_the_cancelled_reply_is_heard_afterwards() {
    let mut scene = Scene::mid_reply();
    let response = scene.response();
    scene.quiet(500);
    scene.speaks(300);
    scene.news();
    scene.feed(Input::Thought { response: response.clone(), event: Ok(Thought::Text("late".into())) });
    scene.feed(Input::Spoken { response, event: Spoken::Audio { clause: 1, length: millis(500) } });
    scene.run_for(millis(1000));
    assert_eq!(scene.news(), Vec::<&str>::new());
}

#[test]
fn speaking_while_the_model_thinks_cancels_the_thought_and_both_are_answered() {
    let mut scene = Scene::new();
    scene.asks("what is the weather");
    scene.asks("in Paris");
    assert_eq!(scene.count("response.created"), 2);
    assert_eq!(
        scene.prompt().messages,
        [Message::User("what is the weather".into()), Message::User("in Paris".into())]
    );
}

#[test]
fn speaking_after_the_response_is_done_but_still_heard_cuts_what_was_heard() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = Duration::from_secs(10));
    assert_eq!(scene.session.state().response, "draining");
    scene.run_for(millis(900));
    scene.news();
    scene.speaks(160);
    assert_eq!(scene.news(), ["start", "speech_started", "flush"]);
    assert_eq!(text(scene.history(&scene.said())), "It is fine today.");
    scene.quiet(500);
    scene.understood("stop");
    assert_eq!(scene.prompt().messages[1], Message::Assistant("It is fine today.".into()));
}

#[test]
fn speaking_once_all_was_heard_is_a_turn_like_any_other() {
    let mut scene = Scene::mid_reply();
    scene.run_for(Duration::from_secs(5));
    scene.news();
    scene.speaks(20);
    assert_eq!(scene.news(), ["start", "speech_started"]);
}

#[test]
fn a_second_interruption_works_as_the_first() {
    let mut scene = Scene::mid_reply();
    for words in ["wait", "no, listen", "stop"] {
        scene.quiet(300);
        scene.asks(words);
        assert_eq!(scene.prompt().messages.last(), Some(&Message::User(words.into())));
        scene.replies("Very well, as you like, I am all ears.", 4000);
    }
    assert_eq!(scene.count("flush"), 3);
}

#[test]
fn with_no_overlap_wanted_the_onset_interrupts() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.overlap = Duration::ZERO);
    scene.speaks(20);
    assert_eq!(scene.done().status, CANCELLED);
    let took = scene.outputs().find_map(|output| match output {
        Output::Measure(Measure::OnsetToFlush(took)) => Some(*took),
        _ => None,
    });
    assert_eq!(took, Some(Duration::ZERO));
}

#[test]
fn without_interruptions_the_reply_runs_on_and_the_turn_is_answered_after_it() {
    let mut scene =
        Scene::with(|settings| settings.input.turn_detection.as_mut().unwrap().interrupt_response = false, |_| {});
    scene.asks("what is the weather");
    scene.asks("and tomorrow");
    assert_eq!((scene.count("response.created"), scene.count("flush")), (1, 0));
    scene.says("It is fine.");
    assert_eq!(scene.count("response.created"), 1);
    scene.finishes(Finish::Stop);
    scene.sounds(0, 500);
    scene.voice_ends();
    assert_eq!(scene.count("response.created"), 2);
    assert!(scene.prompt().messages.contains(&Message::User("and tomorrow".into())));
}

#[test]
fn words_said_before_the_running_reply_began_to_speak_are_not_lost_behind_it() {
    let mut scene =
        Scene::with(|settings| settings.input.turn_detection.as_mut().unwrap().interrupt_response = false, |_| {});
    scene.asks("what is the weather");
    scene.asks("and tomorrow");
    scene.asks("");
    scene.replies("It is fine.", 500);
    assert_eq!(scene.count("infer"), 2, "the reply came after the question, but does not answer it");
}

#[test]
fn an_overlap_outlives_the_reply_it_sounded_over() {
    let mut scene = Scene::mid_reply();
    scene.run_for(millis(2900));
    scene.speaks(140);
    assert_eq!(scene.count("speech_started"), 2, "the reply ended while the overlap was judged");
    scene.speaks(400);
    scene.quiet(500);
    scene.understood("thanks");
    assert_eq!(scene.count("infer"), 2);
    assert_eq!(scene.count("flush"), 0);
}
