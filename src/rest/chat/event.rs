//! What clients are told, as JSON text.

use serde_json::{Value, json};

use super::history::History;
use crate::{
    rest::{fault::Fault, messages::View},
    store::{MessageId, SessionId},
};

/// The first event. `read_only` says that a viewer follows.
pub(super) fn connected(session: SessionId, read_only: bool) -> Value {
    json!({"type": "connected", "session_id": session, "read_only": read_only})
}

/// The newest messages as they stand; `has_more` says that there are older ones.
pub(super) fn history(history: &History) -> Value {
    json!({"type": "history", "messages": history.messages, "has_more": history.has_more})
}

/// Somebody said something. Told again under the same id, it changed.
pub(super) fn user_message(shown: &Value) -> Value {
    json!({"type": "user_message.created", "message": shown})
}

/// More words of a reply.
pub(super) fn chunk(message: MessageId, words: &str) -> Value {
    json!({"type": "chunk", "message_id": message, "content": words})
}

/// A message is whole. Told again under the same id, it changed.
pub(super) fn done(message: MessageId, shown: &Value) -> Value {
    json!({"type": "message.done", "message_id": message, "message": shown})
}

/// Something cannot be done; the socket goes on if it is `recoverable`.
pub(super) fn error(fault: &Fault, recoverable: bool) -> Value {
    fault.on_socket(recoverable)
}

/// What the client said is not done, and the socket goes on; `name` is what it calls the message.
pub(super) fn refused(fault: &Fault, name: Option<&str>) -> Value {
    let mut event = error(fault, true);
    if let Some(name) = name {
        event["client_message_id"] = name.into();
    }
    event
}

/// The answer to `ping`.
pub(super) fn pong() -> Value {
    json!({"type": "pong"})
}

/// A message as REST shows it.
pub(super) fn shown(view: &View) -> Value {
    serde_json::to_value(view).unwrap_or(Value::Null)
}
