//! What a model is asked for a typed reply: the one place where a conversation's prompt is made.
//!
//! It is what a voice session in the same conversation would ask, made by the same code.

use std::sync::Arc;

use providers::llm::Prompt;

use super::{Desk, Error, past};
use crate::{
    realtime::session,
    store::{
        MessageId, StoreError, UserId,
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
/// [`Error::NothingToAnswer`], or [`Error::Settings`].
pub(super) async fn of(desk: &Desk, user: UserId, session: &Session) -> Result<Question, Error> {
    let settings = Arc::new(desk.lead.settings(&session.settings)?);
    let messages = messages::latest(&desk.db, user, session.id, past::MOST).await?;
    let to = awaiting(&messages).ok_or(Error::NothingToAnswer)?;
    let items = past::items(&desk.db, user, messages).await?;
    let mut prompt = session::typed_prompt(&settings, &items);
    if let Some(dossiers) = &desk.engine.dossiers {
        let name = user.to_string();
        let found = dossiers.find(&name, session.id.into()).await.map_err(unread)?;
        prompt.aside = found.aside;
        if found.documents
            && let Some(question) = prompt.question()
        {
            prompt.passages = dossiers.search(&name, question).await.map_err(unread)?;
        }
    }
    Ok(Question { prompt, to })
}

/// What the model is told beside the conversation could not be read.
fn unread(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match error.downcast::<StoreError>() {
        Ok(error) => (*error).into(),
        Err(error) => {
            tracing::error!(error, "what models are told beside a conversation cannot be read");
            Error::Internal
        }
    }
}

/// The message that waits for an answer: the last one, but for standing instructions after it, if it is not the assistant's.
fn awaiting(messages: &[Message]) -> Option<MessageId> {
    let last = messages.iter().rev().find(|message| message.entry.role != Role::System)?;
    matches!(last.entry.role, Role::User | Role::Tool).then_some(last.id)
}
