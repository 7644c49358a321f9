//! A model that hears and speaks by itself, and the cascade behind it.

use providers::{
    ErrorKind,
    llm::{Finish, Message, Thought},
};

use super::{
    super::{
        Input,
        input::{ResponseRequest, Spoken},
        output::{CancelReason, ResponseStatus},
        settings::{Mind, Modality},
    },
    scene::{Scene, broken, millis, text},
};

fn native() -> Scene {
    Scene::with(|_| {}, |profile| profile.mind = Mind::Native { text: true })
}

/// Somebody asked something, and the model has been asked to answer.
fn asked() -> Scene {
    let mut scene = native();
    scene.speaks(1000);
    scene.quiet(500);
    scene
}

fn lost(scene: &mut Scene) {
    let event = Err(broken(ErrorKind::Unavailable));
    scene.feed(Input::Thought { response: scene.response(), event });
}

#[test]
fn it_is_asked_at_the_end_of_the_turn_and_waits_for_no_transcript() {
    let mut scene = asked();
    assert_eq!((scene.count("converse"), scene.count("infer")), (1, 0));
    let said = &scene.asked().said;
    assert_eq!((said.len(), &said[0].message), (1, &None));
    assert!(scene.asked().manner.voice.is_some());
    scene.understood("what is the weather");
    assert_eq!(scene.count("transcription.completed"), 1);
    scene.says("Fine.");
    scene.utters(0, 600);
    scene.finishes(Finish::Stop);
    scene.run_for(millis(10));
    assert_eq!(scene.done().status, ResponseStatus::Completed);
    assert_eq!((scene.count("synthesize"), scene.count("synthesize_end")), (0, 0));
    scene.run_for(millis(1000));
    scene.speaks(600);
    scene.quiet(500);
    let said: Vec<_> = scene.asked().said.iter().map(|said| said.message.clone()).collect();
    let known = [Some(Message::User("what is the weather".into())), Some(Message::Assistant("Fine.".into())), None];
    assert_eq!(said, known);
}

#[test]
fn sound_may_come_before_the_words_and_goes_out_as_it_comes() {
    let mut scene = asked();
    scene.news();
    scene.utters(0, 400);
    assert_eq!(scene.news(), ["output_item.added", "item.added", "part.added", "audio.delta"]);
    scene.says("It is ");
    scene.utters(0, 400);
    scene.says("fine.");
    scene.finishes(Finish::Stop);
    let news = scene.news();
    assert_eq!(news[..3], ["text.delta", "audio.delta", "text.delta"]);
    assert_eq!(news.last(), Some(&"response.done"));
    assert_eq!(text(scene.history(&scene.said())), "It is fine.");
}

#[test]
fn speaking_over_it_stops_it_at_what_was_heard() {
    let mut scene = asked();
    scene.says("The sun will shine until the evening, and then it may rain a little. ");
    scene.utters(0, 4000);
    scene.run_for(millis(1000));
    scene.speaks(400);
    let response = scene.done();
    assert_eq!(response.status, ResponseStatus::Cancelled(CancelReason::TurnDetected));
    let kept = text(scene.history(&scene.said()));
    assert!(!kept.is_empty() && kept.len() < 40, "{kept}");
    scene.quiet(500);
    let said = &scene.asked().said;
    let heard = said[1].heard.expect("how much was heard is told");
    assert!((millis(900)..millis(1700)).contains(&heard), "{heard:?}");
}

#[test]
fn calls_and_what_is_said_after_them_are_items_of_their_own() {
    let mut scene = asked();
    scene.says("One moment. ");
    scene.utters(0, 500);
    scene.calls("call_1", "look", "{}");
    scene.says("Here it is.");
    scene.utters(1, 700);
    scene.finishes(Finish::Stop);
    scene.run_for(millis(10));
    let done = scene.done();
    assert_eq!((done.output.len(), &done.status), (3, &ResponseStatus::Completed));
    assert_eq!((text(&done.output[0]).as_str(), text(&done.output[2]).as_str()), ("One moment. ", "Here it is."));
}

#[test]
fn lost_before_it_said_anything_the_cascade_answers_once_the_words_are_there() {
    let mut scene = asked();
    lost(&mut scene);
    assert_eq!((scene.count("infer"), scene.count("response.done")), (0, 0));
    scene.understood("what is the weather");
    assert_eq!(scene.prompt().messages, [Message::User("what is the weather".into())]);
    scene.replies("It is fine. ", 800);
    scene.run_for(millis(10));
    assert_eq!(scene.done().status, ResponseStatus::Completed);
    assert_eq!(scene.count("error"), 0);
    scene.run_for(millis(2000));
    scene.asks("and tomorrow");
    assert_eq!((scene.count("converse"), scene.count("infer")), (1, 2), "the cascade goes on");
    assert_eq!(scene.prompt().messages.len(), 3, "with the whole conversation");
}

#[test]
fn lost_in_its_words_the_reply_ends_with_what_was_given_and_the_cascade_takes_the_next() {
    let mut scene = asked();
    scene.understood("what is the weather");
    scene.says("It is fine ");
    scene.utters(0, 900);
    lost(&mut scene);
    assert!(!matches!(scene.done().status, ResponseStatus::Completed | ResponseStatus::InProgress));
    assert_eq!(text(scene.history(&scene.said())), "It is fine");
    scene.run_for(millis(2000));
    scene.asks("go on");
    assert_eq!(scene.count("infer"), 1);
}

#[test]
fn lost_together_with_the_recogniser_the_reply_fails_with_a_reason_and_the_session_lives() {
    let mut scene = asked();
    let turn = scene.turn();
    lost(&mut scene);
    scene.feed(Input::Transcript { turn, event: Err(broken(ErrorKind::Unavailable)) });
    assert!(matches!(scene.done().status, ResponseStatus::Failed { .. }));
    scene.run_for(millis(100));
    scene.asks("are you there");
    assert_eq!(scene.count("infer"), 1);
}

#[test]
fn it_answers_though_no_recogniser_understands_anything() {
    let mut scene = native();
    scene.speaks(1000);
    scene.feed(Input::Transcript { turn: scene.turn(), event: Err(broken(ErrorKind::Unavailable)) });
    scene.quiet(500);
    assert_eq!((scene.count("finish"), scene.count("converse")), (1, 1), "it is told where the turn ends");
    assert_eq!(scene.count("transcription.failed"), 1);
}

#[test]
fn what_lies_beside_the_conversation_is_read_by_the_cascade() {
    let mut scene = native();
    scene.types("hello");
    scene.responds(ResponseRequest { out_of_band: true, ..ResponseRequest::default() });
    scene.responds(ResponseRequest { input: Some(vec![]), ..ResponseRequest::default() });
    assert_eq!((scene.count("converse"), scene.count("infer")), (0, 2));
}

#[test]
fn text_alone_is_left_to_the_cascade_where_the_model_only_speaks() {
    for (text, converse) in [(true, 1), (false, 0)] {
        let mut scene = Scene::with(|s| s.modality = Modality::Text, |p| p.mind = Mind::Native { text });
        scene.types("hello");
        scene.responds(ResponseRequest::default());
        assert_eq!((scene.count("converse"), scene.count("infer")), (converse, 1 - converse));
    }
}

#[test]
fn a_reply_in_text_is_written_down_as_it_comes() {
    let mut scene = Scene::with(|s| s.modality = Modality::Text, |p| p.mind = Mind::Native { text: true });
    scene.types("hello");
    scene.responds(ResponseRequest::default());
    assert_eq!(scene.asked().manner.voice, None);
    scene.says("Hello ");
    scene.says("there.");
    scene.thinks(Thought::Finished(Finish::Stop));
    assert_eq!(text(&scene.done().output[0]), "Hello there.");
}

#[test]
fn what_a_model_said_of_which_nothing_is_known_yet_is_never_heard() {
    let mut scene = asked();
    scene.says("It is fine ");
    scene.feed(Input::Spoken { response: scene.response(), event: Spoken::Finished });
    scene.speaks(400);
    assert_eq!(text(scene.history(&scene.said())), "");
}
