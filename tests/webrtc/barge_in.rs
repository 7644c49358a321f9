//! Interrupting, where the relay plays: what is heard stops at once, and what is told is what was heard.

use std::time::Duration;

use providers::scripted::{LlmScript, Reply};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    caller::{Caller, is_loud},
    relay::{Script, relay},
    talking::recording,
};

fn only<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}

/// A relay whose replies take some ten seconds.
fn talkative() -> Script {
    let words = "one two three four five six seven eight nine ten. ".repeat(6);
    Script { llm: LlmScript { every: Reply::Text(words), ..LlmScript::default() }, ..Script::default() }
}

#[tokio::test]
async fn talking_over_a_reply_silences_it_and_tells_how_much_was_heard() {
    let relay = relay(talkative()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.started").await;
    let started = Instant::now();
    sleep(Duration::from_millis(1_500)).await;
    caller.heard();
    caller.say(&recording("question"));
    let mut events = caller.until("input_audio_buffer.speech_started").await;
    // What was on its way has come; from here on the reply is not heard.
    sleep(Duration::from_millis(60)).await;
    let (silenced, _) = (started.elapsed(), caller.heard());
    sleep(Duration::from_millis(400)).await;
    assert!(!caller.heard().iter().any(|packet| is_loud(&packet.samples)), "the reply is still heard");
    events.extend(caller.until("conversation.item.truncated").await);
    assert_eq!(only(&events, "output_audio_buffer.cleared").len(), 1);
    let done = only(&events, "response.done");
    assert_eq!(done[0]["response"]["status"], "cancelled", "{}", done[0]);
    assert_eq!(done[0]["response"]["status_details"]["reason"], "turn_detected");
    let heard = events.last().unwrap()["audio_end_ms"].as_u64().unwrap();
    assert!(heard >= 1_300 && u128::from(heard) <= silenced.as_millis(), "{heard} ms of {silenced:?}");
    // After any interruption the next utterance is heard and answered.
    let events = caller.until("output_audio_buffer.started").await;
    assert_eq!(only(&events, "response.created").len(), 1);
}

#[tokio::test]
async fn a_client_can_silence_the_reply_itself() {
    let relay = relay(talkative()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.started").await;
    sleep(Duration::from_millis(500)).await;
    caller.send(json!({"type": "response.cancel"})).await;
    caller.send(json!({"type": "output_audio_buffer.clear"})).await;
    let events = caller.until("conversation.item.truncated").await;
    assert_eq!(only(&events, "output_audio_buffer.cleared").len(), 1);
    assert_eq!(only(&events, "response.done")[0]["response"]["status_details"]["reason"], "client_cancelled");
}
