//! Promised voice sessions as they begin: what was said in their conversation before, as items.

use uuid::Uuid;

use super::Context;
use crate::{
    auth::Reserved,
    realtime::session::{
        ids::{CallId, ItemId},
        item::{Body, Item, ItemStatus, Part, Role},
    },
    store::{
        SessionId, StoreError, UserId,
        messages::{self, Message, Status},
        sessions, voice_sessions,
    },
};

/// Most messages that are remembered: hours of talk. What of them reaches a model is what it can read.
pub(super) const MOST: u32 = 2_000;

/// A voice session that was promised.
pub(super) struct Bound {
    /// What it is called.
    pub(super) voice: Uuid,
    /// The conversation it goes on with, if that has begun.
    pub(super) conversation: Option<SessionId>,
    /// What was said in it.
    pub(super) past: Vec<Item>,
}

/// The voice session that a client secret is for, as it begins now. Whoever comes again has one of another name.
pub(super) async fn bound(context: &Context, user: UserId, reserved: Reserved) -> Result<Bound, StoreError> {
    let again = found(voice_sessions::get(&context.db, user, reserved.voice.into()).await)?.is_some();
    let voice = if again { Uuid::now_v7() } else { reserved.voice };
    let Some(session) = found(sessions::get(&context.db, user, reserved.conversation).await)? else {
        return Ok(Bound { voice, conversation: None, past: Vec::new() });
    };
    let messages = messages::latest(&context.db, user, session.id, MOST).await?;
    Ok(Bound { voice, conversation: Some(session.id), past: messages.into_iter().map(item).collect() })
}

fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A message as an item.
pub(super) fn item(message: Message) -> Item {
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
    Item { id: ItemId::new(id), status, body }
}
