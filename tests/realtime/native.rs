//! A speech-to-speech model behind the same protocol, and the cascade when it is lost.

use std::time::Duration;

use providers::{
    ErrorKind,
    realtime::Command,
    scripted::{Fault, Faults, RealtimeModel, RealtimeScript, Reply, SttScript},
};
use serde_json::{Value, json};

use crate::{
    client::{Client, only, recording, sound},
    room::{Room, Script},
};

fn says(replies: &[&str]) -> RealtimeScript {
    let replies = replies.iter().map(|text| Reply::Text((*text).to_owned())).collect();
    RealtimeScript { replies, ..RealtimeScript::default() }
}

async fn room(script: RealtimeScript) -> (Room, RealtimeModel) {
    let model = RealtimeModel::new(script);
    let stt = SttScript {
        texts: vec!["ten of clubs".into(), "and again".into(), "still there".into()],
        ..SttScript::default()
    };
    (Room::open(Script { stt, realtime: Some(model.clone()), ..Script::default() }).await, model)
}

async fn join(room: &Room) -> Client {
    let session = json!({"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}});
    Client::join_with(room, session).await
}

fn words(events: &[Value]) -> String {
    only(events, "response.output_audio_transcript.done")
        .iter()
        .map(|event| event["transcript"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn it_hears_the_microphone_and_its_words_and_sound_reach_the_client() {
    let (room, model) = room(says(&["Quite right."])).await;
    let mut client = join(&room).await;
    client.speak(&recording("cards-001")).await;
    let events = client.until("response.done").await;
    assert_eq!(
        (words(&events).as_str(), &events.last().unwrap()["response"]["status"]),
        ("Quite right.", &json!("completed"))
    );
    // Two words of 300 ms at 24 kHz, two bytes a sample.
    assert_eq!(sound(&events).len(), 2 * 300 * 48);
    let conversation = &model.conversations()[0];
    let heard = conversation.commands.iter().filter(|command| matches!(command, Command::Hear(_))).count();
    assert!((50..200).contains(&heard), "{heard} frames");
    assert!(conversation.commands.contains(&Command::Commit));
    let completed = only(&events, "conversation.item.input_audio_transcription.completed");
    assert!(completed.is_empty() || completed[0]["transcript"] == "ten of clubs");
}

#[tokio::test]
async fn an_interruption_stops_it_and_it_learns_what_was_heard() {
    let long = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen.";
    let pace = RealtimeScript { word: Duration::from_millis(900), ..says(&[long, "Go on."]) };
    let (room, model) = room(pace).await;
    let mut client = join(&room).await;
    client.speak(&recording("cards-001")).await;
    let mut events = client.until("response.output_audio.delta").await;
    client.speak(&recording("cards-002")).await;
    events.extend(client.until("response.done").await);
    let done = events.last().unwrap();
    assert_eq!(done["response"]["status_details"]["reason"], "turn_detected", "{done}");
    let events = client.until("response.done").await;
    assert_eq!(words(&events), "Go on.");
    let commands = &model.conversations()[0].commands;
    let cut = commands.iter().position(|command| matches!(command, Command::Truncate(_))).expect("told what was heard");
    assert!(commands[cut..].iter().any(|command| matches!(command, Command::Respond { .. })));
}

#[tokio::test]
async fn killed_in_mid_session_the_cascade_goes_on_with_the_conversation() {
    // Dead for good: it is called once more as the person begins to speak, and once more for the answer.
    let refuse = Fault::Refuse(ErrorKind::Unavailable);
    let faults = Faults::default().on(2, refuse).on(3, refuse);
    let (room, model) = room(RealtimeScript { faults, ..says(&["Quite right."]) }).await;
    let mut client = join(&room).await;
    client.speak(&recording("cards-001")).await;
    client.until("response.done").await;
    model.kill(ErrorKind::Unavailable);
    client.speak(&recording("cards-002")).await;
    let events = client.until("response.done").await;
    assert_eq!(words(&events), "You said: and again");
    assert!(only(&events, "error").is_empty());
    client.speak(&recording("cards-003")).await;
    assert_eq!(words(&client.until("response.done").await), "You said: still there");
    assert_eq!(model.calls(), 3, "a conversation does not change its voice twice");
}

#[tokio::test]
async fn one_that_cannot_be_reached_costs_no_turn() {
    for fault in [Fault::Refuse(ErrorKind::Unauthorized), Fault::Break { after: 0, kind: ErrorKind::Unavailable }] {
        let (room, _) = room(RealtimeScript { faults: Faults::always(fault), ..says(&["Never."]) }).await;
        let mut client = join(&room).await;
        client.speak(&recording("cards-001")).await;
        let events = client.until("response.done").await;
        assert_eq!(words(&events), "You said: ten of clubs", "{fault:?}");
        assert_eq!(only(&events, "response.created").len(), 1, "{fault:?}");
        drop(client);
        room.is_empty().await;
    }
}
