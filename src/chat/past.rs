//! What was said in a conversation before, as the items of a voice session.

use crate::{
    realtime::session::{
        ids::{CallId, ItemId},
        item::{Body, Item, ItemStatus, Part, Role},
    },
    store::{
        Db, StoreError, UserId, acts,
        messages::{self, Message, Status},
    },
};

/// Most messages that are remembered: hours of talk. What of them reaches a model is what it can read.
pub(crate) const MOST: u32 = 2_000;

/// Messages that follow each other in one conversation of this user, as items with what led to them.
///
/// # Errors
/// The store's.
pub(crate) async fn items(db: &Db, user: UserId, messages: Vec<Message>) -> Result<Vec<Item>, StoreError> {
    let mut acts = acts::by_message(db, user, &messages).await?;
    let with_acts = |message: Message| {
        let acts = acts.remove(&message.id).unwrap_or_default();
        Item { acts, ..item(message) }
    };
    Ok(messages.into_iter().map(with_acts).collect())
}

fn item(message: Message) -> Item {
    let Message { id, item, entry, .. } = message;
    let status = match entry.status {
        Status::Completed => ItemStatus::Completed,
        // What was still being made when a process died was cut short.
        Status::InProgress | Status::Incomplete => ItemStatus::Incomplete,
    };
    let said = |role, part| Body::Message { role, parts: vec![part] };
    let body = match (entry.role, entry.call) {
        (messages::Role::Assistant, Some(call)) => Body::Call {
            call: CallId::new(call.id),
            name: call.name.unwrap_or_default(),
            arguments: call.arguments.unwrap_or_default(),
        },
        (messages::Role::Tool, Some(call)) => Body::Output { call: CallId::new(call.id), output: entry.content },
        (messages::Role::Assistant, None) => said(Role::Assistant, Part::OutputText(entry.content)),
        (messages::Role::User, _) => said(Role::User, Part::InputText(entry.content)),
        (messages::Role::System | messages::Role::Tool, _) => said(Role::System, Part::InputText(entry.content)),
    };
    let id = item.unwrap_or_else(|| format!("item_{}", id.to_string().replace('-', "")));
    Item { id: ItemId::new(id), status, body, citations: Vec::new(), acts: Vec::new() }
}
