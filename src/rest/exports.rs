//! `/api/sessions/{id}/export/*`: a conversation as a file to keep.
//!
//! Messages are read a page at a time and written as they come, so no conversation is too long. Nothing is said before
//! its owner was found, so what is somebody else's is no file at all.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{Context, fault::Fault, filename, history::History, page::Id, presses::Presses};
use crate::{
    auth::Principal,
    documents::export::{Conversation, Text},
    store::{Db, SessionId, StoreError, UserId, messages, sessions},
};

/// `GET /api/sessions/{id}/export/markdown`.
pub(super) async fn markdown(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    text(&context, principal.user, id, Text::Markdown).await
}

/// `GET /api/sessions/{id}/export/json`.
pub(super) async fn json(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    text(&context, principal.user, id, Text::Json).await
}

/// `GET /api/sessions/{id}/export/pdf`: whole, since what a PDF holds stands at its end.
pub(super) async fn pdf(
    State(context): State<Arc<Context>>,
    Extension(presses): Extension<Arc<Presses>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    let conversation = conversation(&context.db, principal.user, id).await?;
    let history = History::new(context.db.clone(), principal.user, id);
    let bytes = presses.print(&context, conversation.clone(), history).await?;
    Ok(file(&conversation, "application/pdf", "pdf", Body::from(bytes)))
}

async fn text(context: &Arc<Context>, user: UserId, id: SessionId, format: Text) -> Result<Response, Fault> {
    let conversation = conversation(&context.db, user, id).await?;
    let (kind, extension) = match format {
        Text::Markdown => ("text/markdown; charset=utf-8", "md"),
        Text::Json => ("application/json", "json"),
    };
    let history = History::new(context.db.clone(), user, id);
    let body = Body::from_stream(pieces(format, format.head(&conversation), history, Arc::clone(context)));
    Ok(file(&conversation, kind, extension, body))
}

/// A body as a file that browsers save and never show as something else.
fn file(conversation: &Conversation, kind: &'static str, extension: &str, body: Body) -> Response {
    let name = filename::attachment(conversation.title.as_deref().unwrap_or_default(), extension);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, name),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, body).into_response()
}

async fn conversation(db: &Db, user: UserId, id: SessionId) -> Result<Conversation, Fault> {
    let session = sessions::get(db, user, id).await?;
    Ok(Conversation {
        id: id.to_string(),
        title: session.title,
        user: user.to_string(),
        complete: session.complete,
        created: session.created_at,
        updated: session.updated_at,
        messages: messages::count(db, user, id).await?,
    })
}

/// The file, piece by piece. Should the store fail, or the conversation be deleted meanwhile, the answer breaks off, which
/// clients notice.
fn pieces(
    format: Text,
    head: String,
    history: History,
    context: Arc<Context>,
) -> impl Stream<Item = Result<Bytes, StoreError>> {
    /// Large enough that few pieces are sent, small enough that many clients can have one.
    const PIECE: usize = 16 << 10;
    stream::try_unfold(Some((head, history, true)), move |state| {
        let context = Arc::clone(&context);
        async move {
            let Some((mut piece, mut history, mut first)) = state else { return Ok(None) };
            while piece.len() < PIECE {
                let Some(message) = history.next().await? else {
                    piece.push_str(&format.foot(context.now()));
                    return Ok(Some((Bytes::from(piece), None)));
                };
                piece.push_str(&format.message(&message, first));
                first = false;
            }
            Ok(Some((Bytes::from(piece), Some((String::new(), history, first)))))
        }
    })
}
