//! `/api/sessions`: conversations, spoken and typed.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Context,
    body::{Strict, given},
    fault::Fault,
    page::{self, Id, Slice, time},
};
use crate::{
    auth::Principal,
    store::{
        SessionId,
        sessions::{self, Session},
    },
};

/// What a typed conversation begins with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    /// Absent or null: the person's first words.
    #[serde(default)]
    title: Option<String>,
}

/// What of a conversation changes; what is absent does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    /// Null: the person's next words become it.
    #[serde(default, deserialize_with = "given")]
    title: Option<Option<String>>,
    archived: Option<bool>,
}

/// A conversation as clients read it.
#[derive(Serialize)]
struct View {
    id: SessionId,
    title: Option<String>,
    /// Whether all that was said is among its messages.
    complete: bool,
    archived: bool,
    /// Always null: there are no folders.
    folder_id: Option<Uuid>,
    /// A JSON object.
    settings: Value,
    /// What it has cost so far, by the table of prices; null while nothing was spent.
    cost: Option<Value>,
    created_at: String,
    updated_at: String,
}

/// Which conversations are asked for.
pub(super) struct Search {
    slice: Slice,
    archived: Option<bool>,
}

impl FromRequestParts<Arc<Context>> for Search {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        let mut archived = None;
        let slice = Slice::read(parts.uri.query(), |name, value| match (name, value) {
            ("archived", "true" | "false") => {
                archived = Some(value == "true");
                Ok(())
            }
            ("archived", _) => Err(Fault::invalid("archived", "`archived` must be `true` or `false`.")),
            _ => Err(Fault::invalid(name, "This list takes `limit`, `after` and `archived` and nothing else.")),
        })?;
        Ok(Self { slice, archived })
    }
}

/// `GET /api/sessions`: the caller's, newest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Search { slice, archived }: Search,
) -> Result<Response, Fault> {
    let found = sessions::list(&context.db, principal.user, archived, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, View::from))
}

/// `POST /api/sessions`: 201 with a conversation in which nothing is said yet.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let title = params.title.as_deref().map(title).transpose()?;
    let session = sessions::begin(&context.db, principal.user, title, context.now()).await?;
    Ok((StatusCode::CREATED, Json(View::from(session))).into_response())
}

/// `PATCH /api/sessions/{id}`.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
    Strict(patch): Strict<Patch>,
) -> Result<Response, Fault> {
    let named = |text: Option<String>| text.map(|text| title(&text).map(str::to_owned)).transpose();
    let title = patch.title.map(named).transpose()?;
    let change = sessions::Change { title, archived: patch.archived };
    let session = sessions::change(&context.db, principal.user, id, change).await?;
    Ok(Json(View::from(session)).into_response())
}

fn title(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TITLE || text.contains(char::is_control) {
        return Err(Fault::invalid("title", "`title` must have 1 to 200 printable characters."));
    }
    Ok(text)
}

/// Longest title, in characters.
const TITLE: usize = 200;

/// `GET /api/sessions/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    let session = sessions::get(&context.db, principal.user, id).await?;
    Ok(Json(View::from(session)).into_response())
}

/// `DELETE /api/sessions/{id}`: with all its messages, for good. A live voice session goes on, unrecorded.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    sessions::delete(&context.db, principal.user, id).await?;
    context.bell.went();
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<Session> for View {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            title: session.title,
            complete: session.complete,
            archived: session.archived,
            folder_id: None,
            cost: session.cost.and_then(|cost| serde_json::from_str(&cost).ok()),
            settings: serde_json::from_str(&session.settings).unwrap_or_else(|_| json!({})),
            created_at: time(session.created_at),
            updated_at: time(session.updated_at),
        }
    }
}
