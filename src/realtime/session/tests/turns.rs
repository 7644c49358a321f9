//! Turns under `server_vad`: onset, end, transcript, answer.

use std::time::Duration;

use providers::llm::{Finish, Message};

use super::{
    super::{
        output::{Event, Measure, Output, Transcribe},
        settings::Kind,
    },
    scene::{Scene, millis, text},
};

#[test]
fn a_turn_starts_with_its_padding_and_ends_with_its_silence() {
    let mut scene = Scene::new();
    scene.quiet(1000);
    scene.speaks(600);
    scene.quiet(500);
    let started = scene.events().find_map(|event| match event {
        Event::SpeechStarted { start, .. } => Some(*start),
        _ => None,
    });
    let stopped = scene.events().find_map(|event| match event {
        Event::SpeechStopped { end, .. } => Some(*end),
        _ => None,
    });
    assert_eq!((started, stopped), (Some(millis(700)), Some(millis(2100))));
    assert!(
        scene
            .outputs()
            .any(|output| matches!(output, Output::Transcribe(Transcribe::Start { from, .. }) if *from == millis(700)))
    );
    assert!(
        scene
            .outputs()
            .any(|output| matches!(output, Output::Measure(Measure::EndOfTurn(after)) if *after == millis(500)))
    );
}

#[test]
fn the_padding_never_reaches_back_into_the_turn_before() {
    let mut scene =
        Scene::with(|settings| settings.input.turn_detection.as_mut().unwrap().create_response = false, |_| {});
    scene.asks("one");
    let end = scene.position();
    scene.quiet(100);
    scene.speaks(200);
    assert!(
        scene
            .outputs()
            .rev()
            .any(|output| matches!(output, Output::Transcribe(Transcribe::Start { from, .. }) if *from == end))
    );
}

#[test]
fn the_model_is_asked_with_the_words_once_they_are_final() {
    let mut scene = Scene::new();
    scene.speaks(800);
    scene.quiet(500);
    assert_eq!(scene.session.state().turn, "awaiting");
    assert_eq!(scene.count("response.created"), 0);
    scene.understood("what time is it");
    assert_eq!(scene.prompt().messages, [Message::User("what time is it".into())]);
    assert_eq!(scene.prompt().instructions, "Be brief.");
}

#[test]
fn transcript_deltas_only_append_and_go_on_after_the_commit() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.partly("what", " times it");
    scene.speaks(600);
    scene.partly("what time", " is");
    scene.quiet(500);
    scene.partly("what time is", " it");
    scene.understood("what time is it");
    let deltas: Vec<_> = scene
        .events()
        .filter_map(|event| match event {
            Event::TranscriptionDelta { delta, .. } => Some(delta.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(deltas, ["what", " time", " is"]);
}

#[test]
fn a_turn_in_which_nothing_was_said_has_no_answer() {
    let mut scene = Scene::new();
    scene.asks("");
    assert_eq!(scene.count("transcription.completed"), 1);
    assert_eq!(scene.count("response.created"), 0);
    assert_eq!(scene.session.state().turn, "idle");
}

#[test]
fn who_speaks_on_before_the_transcript_came_gets_one_answer_to_both() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.quiet(500);
    let first = scene.turn();
    scene.speaks(600);
    scene.understood_of(first, "what is the weather");
    assert_eq!(scene.count("response.created"), 0, "somebody speaks");
    scene.quiet(500);
    scene.understood("in Paris");
    assert_eq!(scene.count("response.created"), 1);
    assert_eq!(
        scene.prompt().messages,
        [Message::User("what is the weather".into()), Message::User("in Paris".into())]
    );
}

#[test]
fn a_cough_after_a_question_does_not_swallow_the_answer() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.quiet(500);
    let question = scene.turn();
    scene.speaks(200);
    scene.quiet(500);
    scene.understood("");
    assert_eq!(scene.count("response.created"), 0, "the question's words are still awaited");
    scene.understood_of(question, "what is the weather");
    assert_eq!(scene.count("response.created"), 1);
}

#[test]
fn without_transcription_settings_the_model_still_gets_the_words() {
    let mut scene = Scene::with(|settings| settings.input.transcription = None, |_| {});
    scene.speaks(600);
    scene.partly("what", "");
    scene.quiet(500);
    scene.understood("what time is it");
    assert_eq!(scene.count("transcription.delta") + scene.count("transcription.completed"), 0);
    assert_eq!(scene.prompt().messages, [Message::User("what time is it".into())]);
}

#[test]
fn without_create_response_the_client_asks_itself() {
    let mut scene =
        Scene::with(|settings| settings.input.turn_detection.as_mut().unwrap().create_response = false, |_| {});
    scene.asks("what time is it");
    assert_eq!(scene.count("response.created"), 0);
    scene.responds(Default::default());
    assert_eq!(scene.count("infer"), 1);
}

#[test]
fn a_transcription_session_never_responds() {
    let mut scene = Scene::with(|settings| settings.kind = Kind::Transcription, |_| {});
    scene.asks("take a note");
    assert_eq!(scene.count("transcription.completed"), 1);
    scene.responds(Default::default());
    assert_eq!(scene.count("response.created"), 0);
    assert_eq!(scene.error().event_id.as_deref(), Some("mine"));
}

#[test]
fn history_has_the_turn_with_its_words_and_the_reply() {
    let mut scene = Scene::new();
    scene.asks("what is the weather");
    scene.replies("It is fine today.", 1000);
    scene.run_for(Duration::from_secs(2));
    let items: Vec<_> = scene.session.conversation().items().cloned().collect();
    let kept: Vec<_> = items.iter().map(|item| text(scene.history(&item.id))).collect();
    assert_eq!(kept, ["what is the weather", "It is fine today."]);
}

#[test]
fn a_turn_longer_than_allowed_is_ended_and_goes_on_as_the_next() {
    let mut scene = Scene::with(|_| {}, |profile| profile.longest_turn = millis(2000));
    scene.speaks(3000);
    assert_eq!(scene.count("committed"), 1);
    assert_eq!(scene.count("speech_started"), 2);
}

#[test]
fn a_file_fed_faster_than_real_time_has_the_same_turns() {
    let mut scene =
        Scene::with(|settings| settings.input.turn_detection.as_mut().unwrap().create_response = false, |_| {});
    let now = scene.now;
    for _ in 0..3 {
        scene.speaks(600);
        scene.now = now;
        scene.quiet(600);
        scene.now = now;
    }
    assert_eq!(scene.count("committed"), 3);
}

#[test]
fn the_next_answer_hears_the_words_of_the_last() {
    let mut scene = Scene::mid_reply();
    scene.run_for(Duration::from_secs(4));
    scene.asks("and tomorrow");
    assert_eq!(
        scene.prompt().messages[1],
        Message::Assistant("It is fine today. The sun will shine until the evening. ".into())
    );
    scene.says("Rain");
    scene.finishes(Finish::Stop);
}
