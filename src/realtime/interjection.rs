//! Words typed into a live session by somebody who is not its client: an item of the person's, and a response to it.
//!
//! Whoever types has a controller's seat for as long as that takes, and says by it what any controller could say. What is
//! being said is said to its end first.

use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use futures_util::{StreamExt, future, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    engine::Engine,
    protocol::Dialect,
    sideband::Seat,
    transport::{
        Incoming,
        downlink::{self, Outlet},
    },
};

/// The session ended, or does not take the words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the live session does not take what is typed")]
pub(crate) struct NotSaid;

/// Says `words` in the session of this seat, as the item of this id, and asks for a response. Returns once they are in the
/// conversation; an item that was in it before is asked about again.
pub(crate) async fn interject(engine: &Engine, seat: Seat, item: &str, words: &str) -> Result<(), NotSaid> {
    let config = &engine.config;
    let (downlink, outlet, _) = downlink::channel(config.downlink_messages, config.downlink_bytes);
    let (says, said) = mpsc::channel(1);
    let uplink = ReceiverStream::new(said).map(Incoming::Text).chain(stream::once(future::ready(Incoming::Gone)));
    seat.bring(Dialect::Ga, downlink, uplink.boxed()).map_err(|_| NotSaid)?;
    let mut typist = Typist { item: item.to_owned(), outlet, says };
    match timeout(PATIENCE, typist.say(words)).await {
        Ok(Some(())) => {}
        Ok(None) | Err(_) => return Err(NotSaid),
    }
    let hold = engine.drain.hold();
    tokio::spawn(async move {
        if typist.ask().await.is_none() {
            tracing::debug!("what was typed into a live session is not answered");
        }
        drop(hold);
    });
    Ok(())
}

/// Somebody in a controller's seat.
struct Typist {
    item: String,
    outlet: Outlet,
    says: mpsc::Sender<Utf8Bytes>,
}

/// What of an event matters here.
#[derive(Deserialize)]
struct Heard {
    r#type: String,
    item: Option<Named>,
    response: Option<Answer>,
    error: Option<Refused>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Answer {
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct Refused {
    event_id: Option<String>,
    code: Option<String>,
}

impl Typist {
    /// Puts the words into the conversation; `None` if they are not taken.
    async fn say(&mut self, words: &str) -> Option<()> {
        let content = json!([{"type": "input_text", "text": words}]);
        let item = json!({"id": self.item, "type": "message", "role": "user", "content": content});
        self.send(json!({"type": "conversation.item.create", "event_id": SAY, "item": item})).await?;
        loop {
            let heard = self.next().await?;
            match heard.refusal(SAY) {
                Some("item_create_duplicate_item_id") => return Some(()),
                Some(_) => return None,
                None => {}
            }
            let ours = heard.item.as_ref().is_some_and(|item| item.id == self.item);
            if ours && heard.r#type == "conversation.item.done" {
                return Some(());
            }
        }
    }

    /// Has the words answered, after what is being said; `None` if they cannot be.
    async fn ask(&mut self) -> Option<()> {
        loop {
            let response = json!({"metadata": {"typed": self.item}});
            self.send(json!({"type": "response.create", "event_id": ASK, "response": response})).await?;
            loop {
                let heard = self.next().await?;
                match heard.refusal(ASK) {
                    Some("conversation_already_has_active_response") => break,
                    Some(_) => return None,
                    None => {}
                }
                let typed = heard.response.as_ref().and_then(|answer| answer.metadata.as_ref()?.get("typed"));
                if heard.r#type == "response.created" && typed.is_some_and(|typed| *typed == *self.item) {
                    return Some(());
                }
            }
            while self.next().await?.r#type != "response.done" {}
        }
    }

    async fn send(&self, event: Value) -> Option<()> {
        self.says.send(event.to_string().into()).await.ok()
    }

    /// The next event that can be read; `None` once the session is over.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            let message = self.outlet.next().await?;
            if let Ok(heard) = serde_json::from_str(&message.text) {
                return Some(heard);
            }
        }
    }
}

impl Heard {
    /// Why what was said under this name is refused.
    fn refusal(&self, name: &str) -> Option<&str> {
        let error = self.error.as_ref().filter(|error| error.event_id.as_deref() == Some(name))?;
        Some(error.code.as_deref().unwrap_or_default())
    }
}

/// How long a session may take to hear what is typed.
const PATIENCE: Duration = Duration::from_secs(5);
const SAY: &str = "say";
const ASK: &str = "ask";
