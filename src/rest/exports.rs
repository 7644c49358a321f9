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
use schemars::JsonSchema;

use super::{
    Context, bibliography,
    fault::Fault,
    filename,
    history::History,
    openapi::{Api, schema},
    page::Id,
    presses::Presses,
};
use crate::{
    auth::Principal,
    documents::export::{Bibliography, Conversation, Message, Text},
    store::{Db, SessionId, UserId, sessions},
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
    let context = Arc::clone(context);
    let history = History::new(context.db.clone(), user, id);
    let message = move |message: &_, first| format.message(message, first);
    let (head, of) = (format.head(&conversation), conversation.clone());
    let body = history.written(head, message, move || format.foot(&of, context.now()));
    Ok(file(&conversation, kind, extension, body))
}

/// A body as a file that browsers save and never show as something else.
fn file(conversation: &Conversation, kind: &'static str, extension: &str, body: Body) -> Response {
    let name = filename::attachment(conversation.title.as_deref().unwrap_or_default(), extension);
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, name)];
    (headers, body).into_response()
}

async fn conversation(db: &Db, user: UserId, id: SessionId) -> Result<Conversation, Fault> {
    let (session, messages) = sessions::counted(db, user, id).await?;
    Ok(Conversation {
        id: id.to_string(),
        title: session.title,
        user: user.to_string(),
        complete: session.complete,
        created: session.created_at,
        updated: session.updated_at,
        messages,
        bibliography: bibliography::exported(db, user, id).await?,
    })
}

/// An export as JSON: docs/export.md.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at: it is written piece by piece")]
struct Export {
    version: u32,
    session: Conversation,
    messages: Vec<Message>,
    bibliography: Bibliography,
    #[schemars(extend("format" = "date-time"))]
    exported_at: String,
}

pub(super) fn describe(api: &mut Api) {
    api.chapter("Exports", "A conversation as a file to keep.");
    api.get("/api/sessions/{id}/export/markdown", "export_markdown", "Exports a conversation as Markdown")
        .sends(200, "text/markdown", schema::text(), "The file.")
        .with_header(200, "content-disposition", "What to call the file.");
    api.get("/api/sessions/{id}/export/json", "export_json", "Exports a conversation as JSON")
        .gives::<Export>(200, "The file.", serde_json::Value::Null)
        .with_header(200, "content-disposition", "What to call the file.");
    api.get("/api/sessions/{id}/export/pdf", "export_pdf", "Exports a conversation as PDF")
        .sends(200, "application/pdf", schema::bytes(), "The file.")
        .with_header(200, "content-disposition", "What to call the file.")
        .refuses(422, "It is too long for a PDF.");
}
