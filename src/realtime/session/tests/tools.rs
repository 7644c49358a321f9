//! Function calls: told in the wire's order, answered by the client, and read by the model in pairs.

use providers::llm::{Call, Finish, Message, Thought};

use super::{
    super::{
        ids::CallId,
        item::{Body, ItemStatus},
        output::Event,
    },
    scene::{Scene, millis},
};

fn output(call: &str, output: &str) -> Body {
    Body::Output { call: CallId::new(call), output: output.into() }
}

#[test]
fn a_call_is_told_in_order_and_continued_by_the_client() {
    let mut scene = Scene::new();
    scene.asks("what is the weather");
    scene.news();
    scene.calls("call_1", "weather", "{\"city\":\"Paris\"}");
    scene.finishes(Finish::Stop);
    assert_eq!(
        scene.news(),
        [
            "output_item.added",
            "item.added",
            "arguments.delta",
            "arguments.done",
            "output_item.done",
            "item.done",
            "response.done",
        ]
    );
    scene.creates(output("call_1", "sunny"));
    scene.responds(Default::default());
    assert_eq!(
        scene.prompt().messages,
        [
            Message::User("what is the weather".into()),
            Message::Call(Call {
                call: "call_1".into(),
                name: "weather".into(),
                arguments: "{\"city\":\"Paris\"}".into()
            }),
            Message::Result { call: "call_1".into(), output: "sunny".into() },
        ]
    );
}

#[test]
fn a_call_is_told_while_the_words_before_it_are_still_spoken() {
    let mut scene = Scene::with(|_| {}, |profile| profile.lead = millis(500));
    scene.asks("what is the weather");
    scene.says("Let me have a look at that.");
    scene.calls("call_1", "weather", "{}");
    scene.calls("call_2", "weather", "{}");
    scene.finishes(Finish::Stop);
    scene.sounds(0, 2000);
    scene.voice_ends();
    assert_eq!((scene.count("arguments.done"), scene.count("response.done")), (2, 0));
    scene.run_for(millis(2000));
    assert_eq!(scene.done().output.len(), 3);
    let indexes: Vec<u32> = scene
        .events()
        .filter_map(|event| match event {
            Event::OutputItemDone { output_index, .. } => Some(*output_index),
            _ => None,
        })
        .collect();
    assert_eq!(indexes, [1, 2, 0]);
}

#[test]
fn a_call_cut_short_is_never_called_finished() {
    let mut scene = Scene::new();
    scene.asks("what is the weather");
    scene.thinks(Thought::CallStarted { call: "call_1".into(), name: "weather".into() });
    scene.thinks(Thought::CallArguments("{\"ci".into()));
    scene.speaks(200);
    assert_eq!(scene.count("arguments.done"), 0);
    assert_eq!(scene.done().output[0].status, ItemStatus::Incomplete);
}

#[test]
fn a_tool_that_never_answers_and_an_answer_without_its_call_can_both_be_read() {
    let mut scene = Scene::new();
    scene.creates(output("call_of_yesterday", "42"));
    scene.asks("what is the weather");
    scene.calls("call_1", "weather", "{}");
    scene.finishes(Finish::Stop);
    scene.asks("hello");
    let messages = &scene.prompt().messages;
    assert_eq!(messages[0], Message::System("A function called earlier answered: 42".into()));
    assert_eq!(messages[3], Message::Result { call: "call_1".into(), output: "(no answer yet)".into() });
    assert_eq!(messages[4], Message::User("hello".into()));
}

#[test]
fn words_after_a_call_are_an_item_of_their_own() {
    let mut scene = Scene::new();
    scene.asks("what is the weather");
    scene.says("Let me see.");
    scene.calls("call_1", "weather", "{}");
    scene.says("That was it.");
    scene.finishes(Finish::Stop);
    scene.sounds(0, 500);
    scene.sounds(1, 700);
    scene.voice_ends();
    assert_eq!(scene.done().output.len(), 3);
    assert_eq!(scene.count("audio.done"), 2);
}
