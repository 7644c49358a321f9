//! `/api/sessions`: conversations, spoken and typed.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    Context,
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

/// A conversation as clients read it.
#[derive(Serialize)]
struct View {
    id: SessionId,
    title: Option<String>,
    /// Whether all that was said is among its messages.
    complete: bool,
    created_at: String,
    updated_at: String,
}

/// `GET /api/sessions`: the caller's, newest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    slice: Slice,
) -> Result<Response, Fault> {
    let found = sessions::list(&context.db, principal.user, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, View::from))
}

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
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<Session> for View {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            title: session.title,
            complete: session.complete,
            created_at: time(session.created_at),
            updated_at: time(session.updated_at),
        }
    }
}
