//! A conversation as one JSON object, a message a line. docs/export.md has the schema.

use jiff::Timestamp;
use serde::Serialize;

use super::{Bibliography, Conversation, Message};

/// Raised when a reader of the former shape would go wrong.
const VERSION: u32 = 1;

pub(super) fn head(conversation: &Conversation) -> String {
    format!("{{\"version\":{VERSION},\"session\":{},\"messages\":[", text(conversation))
}

pub(super) fn message(message: &Message, first: bool) -> String {
    let comma = if first { "" } else { "," };
    format!("{comma}\n{}", text(message))
}

pub(super) fn foot(bibliography: &Bibliography, exported: Timestamp) -> String {
    format!("\n],\"bibliography\":{},\"exported_at\":\"{exported:.3}\"}}\n", text(bibliography))
}

/// Plain data has no way not to be JSON.
fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned())
}
