//! What tools do on the way to a reply is kept with it, told again, and proposed to who heard all of the question.

use providers::{
    llm::{Call, Finish, Message, Thought},
    tool::{Act, ActState},
};

use super::{
    super::{Output, item::Item, output::Measure},
    scene::{Scene, millis, text},
};

const QUESTION: &str = "I would add penicillin. Shall I?";

fn act(id: &str, state: ActState, writes: bool) -> Act {
    let call = Call { call: id.into(), name: "look".into(), arguments: "{}".into() };
    let output = if state == ActState::Proposed { QUESTION } else { "blue" };
    Act { call, output: output.into(), state, writes, confidential: false }
}

fn states(item: &Item) -> Vec<ActState> {
    item.acts.iter().map(|act| act.state).collect()
}

/// The assistant has asked whether it shall, in 2 s of speech that begin to play.
fn proposal() -> Scene {
    let mut scene = Scene::new();
    scene.asks("I am allergic to penicillin");
    scene.says(QUESTION);
    scene.thinks(Thought::Acted(act("p", ActState::Proposed, true)));
    scene.finishes(Finish::Stop);
    scene.sounds(0, 1000);
    scene.sounds(1, 1000);
    scene.voice_ends();
    scene
}

#[test]
fn what_was_looked_up_goes_with_the_words_it_led_to_and_is_told_again_before_them() {
    let mut scene = Scene::new();
    scene.asks("what colour is it");
    scene.thinks(Thought::Acted(act("c", ActState::Done, false)));
    let first_token = |scene: &Scene| {
        scene.outputs().filter(|output| matches!(output, Output::Measure(Measure::FirstToken(_)))).count()
    };
    assert_eq!((first_token(&scene), scene.count("output_item.added")), (0, 0), "nothing is said yet");
    scene.replies("It is blue.", 500);
    assert_eq!(first_token(&scene), 1);
    scene.quiet(3000);
    let said = scene.said();
    assert_eq!(
        (states(scene.history(&said)), text(scene.history(&said))),
        (vec![ActState::Done], "It is blue.".into())
    );
    scene.asks("are you sure");
    let expected = [
        Message::User("what colour is it".into()),
        Message::Call(act("c", ActState::Done, false).call),
        Message::Result { call: "c".into(), output: "blue".into() },
        Message::Assistant("It is blue.".into()),
        Message::User("are you sure".into()),
    ];
    assert_eq!(scene.prompt().messages, expected);
    assert_eq!(scene.prompt().proposed, None);
}

#[test]
fn what_was_proposed_to_its_end_waits_for_the_next_words() {
    let mut scene = proposal();
    scene.quiet(4000);
    scene.asks("yes");
    assert_eq!(scene.prompt().proposed.as_ref().map(|act| act.call.call.as_str()), Some("p"));
    scene.replies("Done.", 300);
    scene.quiet(3000);
    scene.asks("yes");
    assert_eq!(scene.prompt().proposed, None, "it was answered");
}

#[test]
fn an_interrupted_question_proposes_nothing() {
    let mut scene = proposal();
    scene.quiet(600);
    scene.asks("yes");
    assert!(scene.prompt().messages.contains(&Message::User("yes".into())));
    assert_eq!(scene.prompt().proposed, None);
}

#[test]
fn a_yes_after_other_words_agrees_to_nothing() {
    let mut scene = proposal();
    scene.quiet(4000);
    scene.types("no, wait");
    scene.asks("yes");
    assert_eq!(scene.prompt().proposed, None);
}

#[test]
fn what_was_changed_is_kept_though_nothing_could_be_said_of_it() {
    let mut scene = proposal();
    scene.quiet(4000);
    scene.asks("yes");
    scene.thinks(Thought::Acted(act("p", ActState::Unknown, true)));
    scene.thinks(Thought::Acted(act("p", ActState::Done, true)));
    scene.speaks(400);
    let said = scene.said();
    assert_eq!((states(scene.history(&said)), text(scene.history(&said))), (vec![ActState::Done], String::new()));
    scene.quiet(500);
    scene.understood("what happened");
    assert!(scene.prompt().messages.contains(&Message::Result { call: "p".into(), output: "blue".into() }));
    assert_eq!(scene.prompt().proposed, None);
}

#[test]
fn what_was_cut_off_while_it_was_done_is_told_as_begun() {
    let mut scene = proposal();
    scene.quiet(4000);
    scene.asks("yes");
    scene.thinks(Thought::Acted(act("p", ActState::Unknown, true)));
    scene.speaks(400);
    assert_eq!(states(scene.history(&scene.said())), [ActState::Unknown]);
}

#[test]
fn what_was_done_beside_a_clients_function_goes_with_its_call() {
    let mut scene = Scene::new();
    scene.asks("turn it on");
    scene.calls("theirs", "switch", "{}");
    scene.thinks(Thought::Acted(act("c", ActState::Done, false)));
    scene.finishes(Finish::Stop);
    scene.run_for(millis(10));
    assert_eq!(states(scene.history(&scene.said())), [ActState::Done]);
}
