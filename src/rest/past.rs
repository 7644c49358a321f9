//! Promised voice sessions as they begin: what was said in their conversation before, as items.

use uuid::Uuid;

use super::Context;
use crate::{
    auth::Reserved,
    chat,
    realtime::session::item::Item,
    store::{SessionId, StoreError, UserId, messages, sessions, voice_sessions},
};

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
    let messages = messages::latest(&context.db, user, session.id, chat::MOST).await?;
    let past = chat::items(&context.db, user, messages).await?;
    Ok(Bound { voice, conversation: Some(session.id), past })
}

fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
