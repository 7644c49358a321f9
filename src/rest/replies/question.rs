//! What a model is asked for a typed reply: the one place where a conversation's prompt is made.
//!
//! It is what a voice session in the same conversation would ask, made by the same code.

use std::sync::Arc;

use axum::http::StatusCode;
use providers::{Aside, llm::Prompt};
use serde_json::Value;

use crate::{
    realtime::session,
    rest::{Context, fault::Fault, past, preferences::Preferences},
    store::{
        MessageId, SessionId, StoreError, UserId,
        messages::{self, Message, Role},
        sessions::Session,
    },
};

/// A prompt, and the message that its answer will be to.
pub(super) struct Question {
    pub(super) prompt: Prompt,
    pub(super) to: MessageId,
}

/// The question that a conversation ends with.
///
/// # Errors
/// 409 where nobody waits for the assistant, 422 where the conversation's settings ask for what is not offered any more.
pub(super) async fn of(context: &Context, user: UserId, session: &Session) -> Result<Question, Fault> {
    let settings = Preferences::kept(&session.settings).settings(context, Value::Null);
    let settings = Arc::new(settings.map_err(|fault| fault.within("settings"))?);
    let messages = messages::latest(&context.db, user, session.id, past::MOST).await?;
    let to = awaiting(&messages).ok_or_else(|| {
        let message = "Nobody waits for the assistant here: post a message of the role `user` first.";
        Fault::new(StatusCode::CONFLICT, "nothing_to_answer", message)
    })?;
    let items: Vec<_> = messages.into_iter().map(past::item).collect();
    let aside = aside(context, user, session.id).await?;
    Ok(Question { prompt: Prompt { aside, ..session::typed_prompt(&settings, &items) }, to })
}

/// What the model is told beside the conversation.
async fn aside(context: &Context, user: UserId, session: SessionId) -> Result<Option<Aside>, Fault> {
    let Some(dossiers) = &context.engine.dossiers else { return Ok(None) };
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| match error.downcast::<StoreError>() {
        Ok(error) => (*error).into(),
        Err(_) => Fault::internal(),
    };
    dossiers.find(&user.to_string(), session.into()).await.map_err(failed)
}

/// The message that waits for an answer: the last one, but for standing instructions after it, if it is not the assistant's.
fn awaiting(messages: &[Message]) -> Option<MessageId> {
    let last = messages.iter().rev().find(|message| message.entry.role != Role::System)?;
    matches!(last.entry.role, Role::User | Role::Tool).then_some(last.id)
}
