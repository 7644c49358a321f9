//! `response.cancel` and its races; one response at a time, others beside it.

use std::time::Duration;

use providers::{
    Json,
    llm::{Finish, Message},
};

use super::{
    super::{
        ids::{ItemId, ResponseId},
        input::{ContextItem, Request, ResponseRequest},
        output::{CancelReason, ResponseStatus},
        settings::{Modality, Player},
    },
    scene::{Scene, millis, text},
};

#[test]
fn a_cancel_closes_the_response_like_an_interruption() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(1500));
    scene.run_for(millis(1000));
    scene.news();
    scene.asks_for(Request::Cancel(None));
    assert_eq!(
        scene.news(),
        ["flush", "cancel", "audio.done", "text.done", "part.done", "item.done", "output_item.done", "response.done"]
    );
    assert_eq!(scene.done().status, ResponseStatus::Cancelled(CancelReason::ClientCancelled));
    assert_eq!(text(scene.history(&scene.said())), "It is fine today.");
}

#[test]
fn a_cancel_that_finds_nothing_says_so() {
    let mut scene = Scene::mid_reply();
    scene.asks_for(Request::Cancel(Some(ResponseId::new("resp_other"))));
    assert_eq!(scene.error().message, "Cancellation failed: no active response found");
    scene.run_for(Duration::from_secs(4));
    scene.asks_for(Request::Cancel(None));
    assert_eq!(scene.count("error"), 2);
    assert_eq!(scene.error().code, Some("response_cancel_not_active"));
}

#[test]
fn a_second_response_is_refused_naming_the_first() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(500));
    scene.responds(Default::default());
    assert_eq!(scene.error().code, Some("conversation_already_has_active_response"));
    assert!(scene.error().message.contains(scene.response().as_str()));
    assert_eq!(scene.error().event_id.as_deref(), Some("mine"));
}

#[test]
fn a_client_that_asks_before_the_automatic_response_gets_that_one() {
    let mut scene = Scene::new();
    scene.speaks(600);
    scene.quiet(500);
    scene.responds(Default::default());
    scene.understood("hello");
    assert_eq!((scene.count("response.created"), scene.count("infer")), (1, 1));
    scene.replies("Hello.", 500);
    assert_eq!(scene.count("response.created"), 1);
}

#[test]
fn a_response_beside_the_conversation_leaves_it_alone() {
    let mut scene = Scene::mid_reply_with(|_| {}, |profile| profile.lead = millis(500));
    let metadata = Some(Json::from_checked("{\"topic\":\"test\"}"));
    let reference = scene.session.conversation().items().next().expect("an item").id.clone();
    scene.responds(ResponseRequest {
        out_of_band: true,
        modality: Some(Modality::Text),
        metadata: metadata.clone(),
        input: Some(vec![ContextItem::Reference(reference)]),
        instructions: Some("Classify.".into()),
        ..ResponseRequest::default()
    });
    assert_eq!(scene.prompt().messages, [Message::User("what is the weather".into())]);
    assert_eq!(scene.prompt().instructions, "Classify.");
    scene.news();
    scene.speaks(160);
    scene.says("weather");
    scene.finishes(Finish::Stop);
    let news = scene.news();
    assert_eq!(
        news[news.len() - 7..],
        [
            "output_item.added",
            "part.added",
            "text.delta",
            "text.done",
            "part.done",
            "output_item.done",
            "response.done",
        ]
    );
    assert_eq!((&scene.done().metadata, &scene.done().status), (&metadata, &ResponseStatus::Completed));
    assert_eq!(scene.session.conversation().items().count(), 2);
}

#[test]
fn an_unknown_reference_is_refused() {
    let mut scene = Scene::new();
    let input = Some(vec![ContextItem::Reference(ItemId::new("nowhere"))]);
    scene.responds(ResponseRequest { input, ..ResponseRequest::default() });
    assert_eq!(scene.error().param.as_deref(), Some("response.input"));
}

#[test]
fn responses_beside_the_conversation_are_bounded() {
    let mut scene = Scene::new();
    for _ in 0..9 {
        scene.responds(ResponseRequest { out_of_band: true, ..ResponseRequest::default() });
    }
    assert_eq!((scene.count("response.created"), scene.error().code), (8, Some("rate_limit_exceeded")));
    let id = scene.response();
    scene.asks_for(Request::Cancel(Some(id.clone())));
    assert_eq!(scene.done().id, id);
}

#[test]
fn clearing_the_output_stops_what_we_play() {
    let mut scene = Scene::mid_reply_with(
        |_| {},
        |profile| {
            profile.player = Player::Relay;
            profile.lead = millis(60);
        },
    );
    scene.run_for(millis(1000));
    scene.asks_for(Request::ClearOutput);
    assert_eq!((scene.count("playback.cleared"), scene.count("item.truncated")), (1, 1));
    let mut scene = Scene::mid_reply();
    scene.asks_for(Request::ClearOutput);
    assert_eq!(scene.error().code, Some("invalid_value"));
}
