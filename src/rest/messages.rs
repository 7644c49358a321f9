//! `/api/sessions/{id}/messages`: what was said and written, oldest first.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{
    Context,
    fault::Fault,
    page::{self, Id, Slice, time},
};
use crate::{
    auth::Principal,
    store::{
        MessageId, SessionId,
        messages::{self, Message},
    },
};

/// A message as clients read it.
#[derive(Serialize)]
struct View {
    id: MessageId,
    session_id: SessionId,
    role: &'static str,
    /// `text` or `audio`.
    modality: &'static str,
    /// The words; of speech those that were heard.
    content: String,
    status: &'static str,
    tool_call: Option<ToolCall>,
    /// The conversation item of the voice session, as its client knows it.
    item_id: Option<String>,
    client_message_id: Option<String>,
    parent_message_id: Option<MessageId>,
    /// Files that came with it.
    attachments: [(); 0],
    /// Sources it names.
    citations: [(); 0],
    created_at: String,
    updated_at: String,
}

/// The function call that a message makes or answers.
#[derive(Serialize)]
struct ToolCall {
    id: String,
    name: Option<String>,
    arguments: Option<String>,
}

/// `GET /api/sessions/{id}/messages`.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(session): Id<SessionId>,
    slice: Slice,
) -> Result<Response, Fault> {
    let found = messages::list(&context.db, principal.user, session, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, View::from))
}

impl From<Message> for View {
    fn from(message: Message) -> Self {
        let entry = message.entry;
        let tool_call = entry.call.map(|call| ToolCall { id: call.id, name: call.name, arguments: call.arguments });
        Self {
            id: message.id,
            session_id: message.session,
            role: entry.role.as_str(),
            modality: entry.modality.as_str(),
            content: entry.content,
            status: entry.status.as_str(),
            tool_call,
            item_id: message.item,
            client_message_id: message.client_message,
            parent_message_id: message.parent,
            attachments: [],
            citations: [],
            created_at: time(message.created_at),
            updated_at: time(message.updated_at),
        }
    }
}
