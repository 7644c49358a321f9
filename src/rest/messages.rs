//! `/api/sessions/{id}/messages` and `/api/messages/{id}`: what was said and written, oldest first.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use providers::{llm::Call, tool::Act};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Context, attachments,
    body::Strict,
    citations,
    fault::Fault,
    openapi::{Api, schema},
    page::{self, Id, Slice, time},
};
use crate::{
    auth::Principal,
    store::{
        MessageId, Page, SessionId, UserId, acts,
        attachments::Attachment,
        citations::Citation,
        messages::{self, Message, Post, Posted, Role},
    },
};

/// A typed message.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewMessage")]
pub(super) struct Params {
    #[schemars(extend("enum" = ["user", "assistant", "system"]))]
    role: String,
    #[schemars(length(min = 1))]
    content: String,
    /// What the client calls it: sent twice, it is kept once.
    #[schemars(length(min = 1, max = NAME))]
    client_message_id: Option<String>,
    /// The message it answers.
    parent_message_id: Option<MessageId>,
}

/// What of a message changes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MessagePatch")]
pub(super) struct Patch {
    #[schemars(length(min = 1))]
    content: String,
}

/// A message as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub(super) struct View {
    id: MessageId,
    session_id: SessionId,
    #[schemars(extend("enum" = ["system", "user", "assistant", "tool"]))]
    role: &'static str,
    #[schemars(extend("enum" = ["text", "audio"]))]
    modality: &'static str,
    /// The words; of speech those that were heard.
    content: String,
    #[schemars(extend("enum" = ["in_progress", "completed", "incomplete"]))]
    status: &'static str,
    tool_call: Option<ToolCall>,
    /// The conversation item of the voice session, as its client knows it.
    item_id: Option<String>,
    client_message_id: Option<String>,
    parent_message_id: Option<MessageId>,
    /// Files that came with it.
    attachments: Vec<attachments::View>,
    /// What it cites, by the numbers in its words.
    citations: Vec<citations::View>,
    /// What tools did on the way to it, in order; what its words propose comes last.
    tools: Vec<Tool>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// The function call that a message makes or answers.
#[derive(Serialize, JsonSchema)]
struct ToolCall {
    id: String,
    name: Option<String>,
    arguments: Option<String>,
}

/// What a tool of the relay did, or is proposed to do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ToolUse")]
struct Tool {
    name: String,
    /// JSON text.
    arguments: String,
    /// `proposed`: it waits for the person's yes, and `output` is what they are asked. `unknown`: it was begun, and nobody knows
    /// how it ended.
    #[schemars(extend("enum" = ["proposed", "unknown", "done", "failed"]))]
    state: &'static str,
    /// What the model read of it.
    output: String,
}

/// Which messages of a conversation are asked for.
pub(super) struct Search {
    slice: Slice,
    /// Those around this one.
    around: Option<MessageId>,
}

impl FromRequestParts<Arc<Context>> for Search {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        let mut around = None;
        let slice = Slice::read(parts.uri.query(), |name, value| match name {
            "around" => {
                around = Some(value.parse().map_err(|_| nowhere())?);
                Ok(())
            }
            _ => Err(Fault::invalid(name, "This list takes `limit`, `after` and `around` and nothing else.")),
        })?;
        if around.is_some() && slice.after.is_some() {
            return Err(Fault::invalid("around", "`after` and `around` cannot both say where a page begins."));
        }
        Ok(Self { slice, around })
    }
}

fn nowhere() -> Fault {
    Fault::invalid("around", "`around` must be the id of a message of this session.")
}

/// `GET /api/sessions/{id}/messages`.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(session): Id<SessionId>,
    Search { slice: Slice { limit, after }, around }: Search,
) -> Result<Response, Fault> {
    let (db, user) = (&context.db, principal.user);
    let Page { items, next } = match around {
        Some(message) => messages::around(db, user, session, message, limit).await?.ok_or_else(nowhere)?,
        None => messages::list(db, user, session, after.as_ref(), limit).await?,
    };
    let items = all(&context, user, items).await?;
    Ok(page::answer(Page { items, next }, |view| view))
}

/// `POST /api/sessions/{id}/messages`: 201 with the message; the same again for the same `client_message_id` and words.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(session): Id<SessionId>,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let role = params.role.parse().ok().filter(|role| !matches!(role, Role::Tool));
    let role = role.ok_or_else(|| Fault::invalid("role", "`role` must be `user`, `assistant` or `system`."))?;
    let name = params.client_message_id.as_deref().map(name).transpose()?;
    let content = words(&params.content)?;
    let post = Post { role, content, client_message: name, parent: params.parent_message_id };
    match messages::post(&context.db, principal.user, session, post, context.now()).await? {
        Posted::Kept(message) => {
            context.hub.tell(&message);
            // There is nothing yet beside what it says.
            Ok((StatusCode::CREATED, Json(View::of(*message, [], [], []))).into_response())
        }
        Posted::Again(message) => {
            Ok((StatusCode::CREATED, whole(&context, principal.user, *message).await?).into_response())
        }
        Posted::Taken => {
            Err(Fault::invalid("client_message_id", "Another message of this session has this `client_message_id`."))
        }
        Posted::Stray => Err(Fault::invalid("parent_message_id", "There is no such message in this session.")),
    }
}

/// `GET /api/messages/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<MessageId>,
) -> Result<Response, Fault> {
    let message = messages::get(&context.db, principal.user, id).await?;
    Ok(whole(&context, principal.user, message).await?.into_response())
}

/// `PATCH /api/messages/{id}`: its words. A live voice session does not learn of it.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<MessageId>,
    Strict(patch): Strict<Patch>,
) -> Result<Response, Fault> {
    let content = words(&patch.content)?;
    let message = messages::edit(&context.db, principal.user, id, content, context.now()).await?;
    Ok(whole(&context, principal.user, message).await?.into_response())
}

/// `DELETE /api/messages/{id}`.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<MessageId>,
) -> Result<Response, Fault> {
    messages::delete(&context.db, principal.user, id).await?;
    context.bell.went();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A message with its files, what it cites and what led to it.
pub(super) async fn whole(context: &Context, user: UserId, message: Message) -> Result<Json<View>, Fault> {
    let files = attachments::by_message(&context.db, user, std::slice::from_ref(&message)).await?;
    let cited = citations::by_message(&context.db, user, std::slice::from_ref(&message)).await?;
    let acts = acts::by_message(&context.db, user, std::slice::from_ref(&message)).await?;
    let (files, cited) = (files.into_values().flatten(), cited.into_values().flatten());
    Ok(Json(View::of(message, files, cited, acts.into_values().flatten())))
}

/// Messages with their files, what they cite and what led to them, which follow each other in one session.
pub(super) async fn all(context: &Context, user: UserId, messages: Vec<Message>) -> Result<Vec<View>, Fault> {
    let mut files = attachments::by_message(&context.db, user, &messages).await?;
    let mut cited = citations::by_message(&context.db, user, &messages).await?;
    let mut acts = acts::by_message(&context.db, user, &messages).await?;
    let of = |message: Message| {
        let files = files.remove(&message.id).unwrap_or_default();
        let cited = cited.remove(&message.id).unwrap_or_default();
        let acts = acts.remove(&message.id).unwrap_or_default();
        View::of(message, files, cited, acts)
    };
    Ok(messages.into_iter().map(of).collect())
}

/// What a client may call a message of its own.
pub(super) fn name(name: &str) -> Result<&str, Fault> {
    if name.is_empty() || name.len() > NAME || name.contains(char::is_control) {
        let message = "`client_message_id` must have 1 to 128 bytes, all printable.";
        return Err(Fault::invalid("client_message_id", message));
    }
    Ok(name)
}

/// What may be said.
pub(super) fn words(content: &str) -> Result<&str, Fault> {
    let nothing = content.trim().is_empty();
    if nothing { Err(Fault::invalid("content", "`content` must not be empty.")) } else { Ok(content) }
}

/// Longest `client_message_id`, in bytes.
const NAME: usize = 128;

impl View {
    fn of(
        message: Message,
        files: impl IntoIterator<Item = Attachment>,
        cited: impl IntoIterator<Item = Citation>,
        acts: impl IntoIterator<Item = Act>,
    ) -> Self {
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
            attachments: files.into_iter().map(attachments::View::from).collect(),
            citations: cited.into_iter().map(citations::View::from).collect(),
            tools: acts.into_iter().map(Tool::from).collect(),
            created_at: time(message.created_at),
            updated_at: time(message.updated_at),
        }
    }
}

impl From<Act> for Tool {
    fn from(act: Act) -> Self {
        let Act { call: Call { name, arguments, .. }, output, state, .. } = act;
        Self { name, arguments, state: state.as_str(), output }
    }
}

/// A message, for the description.
pub(super) fn example() -> Value {
    json!({
        "id": "0190b0a0-0000-7000-8000-000000000001",
        "session_id": "0190b0a0-0000-7000-8000-000000000000",
        "role": "user",
        "modality": "text",
        "content": "Will it rain in Oslo?",
        "status": "completed",
        "tool_call": null,
        "item_id": null,
        "client_message_id": "m1",
        "parent_message_id": null,
        "attachments": [],
        "citations": [],
        "tools": [],
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    })
}

pub(super) fn describe(api: &mut Api) {
    let example = example();
    api.chapter("Messages", "What was said and written in a conversation.");
    api.get("/api/sessions/{id}/messages", "list_messages", "Lists a conversation's messages, oldest first")
        .query("around", schema::id(), "Begins half a page before this message, in place of `after`.")
        .lists::<View>("A page of them.", example.clone());
    api.post("/api/sessions/{id}/messages", "create_message", "Writes a message")
        .more("Sent again under the same `client_message_id`, it is kept once.")
        .takes::<Params>(json!({"role": "user", "content": "Will it rain in Oslo?", "client_message_id": "m1"}))
        .gives::<View>(201, "The message.", example.clone())
        .leads(201, "show_message", "id", "/id")
        .leads(201, "change_message", "id", "/id")
        .leads(201, "list_attachments", "id", "/id")
        .leads(201, "delete_message", "id", "/id");
    api.get("/api/messages/{id}", "show_message", "Shows a message").gives::<View>(
        200,
        "The message.",
        example.clone(),
    );
    api.patch("/api/messages/{id}", "change_message", "Changes a message's words")
        .more("A live voice session does not learn of it.")
        .takes::<Patch>(json!({"content": "Will it snow in Oslo?"}))
        .gives::<View>(200, "The message as it is now.", example);
    api.delete("/api/messages/{id}", "delete_message", "Deletes a message with its files")
        .says_nothing(204, "It is gone.");
}
