//! `/api/messages/{id}/attachments` and `/api/attachments/{id}`: files that came with messages.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Context,
    fault::Fault,
    intake::{self, Upload},
    openapi::{Api, schema},
    page::{self, Id, Slice, time},
};
use crate::{
    auth::Principal,
    documents::kind::Kind,
    store::{
        AttachmentId, Db, MessageId, StoreError, UserId,
        attachments::{self, Added, Attachment, MOST, New},
        messages::{self, Message},
        strays,
    },
};

/// A file as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Attachment")]
pub(super) struct View {
    id: AttachmentId,
    message_id: MessageId,
    /// As its owner calls it.
    name: String,
    /// What it is: `pdf`, `txt`, `md`, …
    kind: String,
    media_type: &'static str,
    /// In bytes.
    size: u64,
    sha256: String,
    /// `pending` until it was read, then `ready` or `failed`.
    #[schemars(extend("enum" = ["pending", "ready", "failed"]))]
    state: &'static str,
    /// Why it could not be read.
    failure: Option<String>,
    /// What could not be done.
    #[schemars(with = "Vec<String>")]
    warnings: Value,
    /// What it says of itself; empty until it was read.
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// What was read in a file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AttachmentText")]
struct Content {
    #[schemars(extend("enum" = ["pending", "ready", "failed"]))]
    state: &'static str,
    failure: Option<String>,
    /// Null until it was read.
    text: Option<String>,
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
    #[schemars(with = "Vec<String>")]
    warnings: Value,
}

/// `POST /api/messages/{id}/attachments`: 201 with the file's record.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(message): Id<MessageId>,
    request: Request,
) -> Result<Response, Fault> {
    messages::get(&context.db, principal.user, message).await?;
    let upload = intake::take(&context, request).await?;
    context.storage.scan(&upload.file).await.map_err(intake::unclean)?;
    let id = AttachmentId::new(context.now());
    let kept = keep(&context, principal.user, message, id, upload).await;
    if kept.is_err() {
        // Should this fail too, the bytes go when they are due.
        let _ = strays::give_up(&context.db, id).await;
        context.bell.went();
    }
    let kept = kept?;
    context.bell.came();
    Ok((StatusCode::CREATED, Json(View::from(kept))).into_response())
}

/// Keeps bytes and row: both, or neither, whenever this ends.
async fn keep(
    context: &Context,
    user: UserId,
    message: MessageId,
    id: AttachmentId,
    upload: Upload,
) -> Result<Attachment, Fault> {
    let Upload { name, kind, file } = upload;
    let (size, sha256) = (file.size, file.sha256.clone());
    intake::stow(context, id.into(), file).await?;
    let new = New { name: &name, kind: kind.name(), size, sha256: &sha256 };
    match attachments::add(&context.db, user, message, id, new, context.now()).await? {
        Added::Kept(attachment) => Ok(*attachment),
        Added::Full => {
            let message = format!("A message has at most {MOST} attachments.");
            Err(Fault::invalid("file", message).coded("too_many_attachments"))
        }
        Added::Late => Err(intake::late()),
    }
}

/// `GET /api/messages/{id}/attachments`.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(message): Id<MessageId>,
    slice: Slice,
) -> Result<Response, Fault> {
    let found = attachments::list(&context.db, principal.user, message, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, View::from))
}

/// `GET /api/attachments/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<AttachmentId>,
) -> Result<Response, Fault> {
    let found = attachments::get(&context.db, principal.user, id).await?;
    Ok(Json(View::from(found)).into_response())
}

/// `GET /api/attachments/{id}/text`: what was read in it.
pub(super) async fn text(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<AttachmentId>,
) -> Result<Response, Fault> {
    let found = View::from(attachments::get(&context.db, principal.user, id).await?);
    let text = attachments::text(&context.db, principal.user, id).await?;
    let View { state, failure, metadata, warnings, .. } = found;
    Ok(Json(Content { state, failure, text, metadata, warnings }).into_response())
}

/// `GET /api/attachments/{id}/thumbnail`: PNG; 404 where there is none.
pub(super) async fn thumbnail(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<AttachmentId>,
) -> Result<Response, Fault> {
    let picture = attachments::thumbnail(&context.db, principal.user, id).await?.ok_or_else(Fault::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/png")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
    ];
    Ok((headers, picture).into_response())
}

/// `DELETE /api/attachments/{id}`.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<AttachmentId>,
) -> Result<Response, Fault> {
    attachments::delete(&context.db, principal.user, id).await?;
    context.bell.went();
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The files of these messages, which follow each other in one session, by message.
pub(super) async fn by_message(
    db: &Db,
    user: UserId,
    messages: &[Message],
) -> Result<BTreeMap<MessageId, Vec<Attachment>>, StoreError> {
    let mut found: BTreeMap<MessageId, Vec<Attachment>> = BTreeMap::new();
    for attachment in attachments::of(db, user, messages).await? {
        found.entry(attachment.message).or_default().push(attachment);
    }
    Ok(found)
}

impl From<Attachment> for View {
    fn from(attachment: Attachment) -> Self {
        let kind: Option<Kind> = attachment.kind.parse().ok();
        Self {
            id: attachment.id,
            message_id: attachment.message,
            name: attachment.name,
            kind: attachment.kind,
            media_type: kind.map_or("application/octet-stream", Kind::media_type),
            size: attachment.size,
            sha256: attachment.sha256,
            state: attachment.state.as_str(),
            failure: attachment.failure,
            warnings: serde_json::from_str(&attachment.warnings).unwrap_or_default(),
            metadata: serde_json::from_str(&attachment.metadata).unwrap_or_default(),
            created_at: time(attachment.created_at),
            updated_at: time(attachment.updated_at),
        }
    }
}

pub(super) fn describe(api: &mut Api) {
    let example = json!({
        "id": "0190b0a0-0000-7000-8000-000000000002",
        "message_id": "0190b0a0-0000-7000-8000-000000000001",
        "name": "notes.txt",
        "kind": "txt",
        "media_type": "text/plain",
        "size": 21,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "state": "pending",
        "failure": null,
        "warnings": [],
        "metadata": {},
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    });
    let read = json!({
        "state": "ready", "failure": null, "text": "Rain from noon.", "metadata": {"word_count": 3}, "warnings": [],
    });
    api.chapter("Attachments", "Files that came with messages, and what is read in them.");
    api.get("/api/messages/{id}/attachments", "list_attachments", "Lists a message's files")
        .lists::<View>("A page of them.", example.clone());
    api.post("/api/messages/{id}/attachments", "create_attachment", "Attaches a file")
        .more("Its type is told by its bytes and must agree with its name. It is read as soon as it is kept.")
        .takes_form(json!({"file": {"type": "string", "format": "binary"}}), &["file"])
        .gives::<View>(201, "The file's record.", example.clone());
    api.get("/api/attachments/{id}", "show_attachment", "Shows a file's record").gives::<View>(
        200,
        "The record.",
        example,
    );
    api.get("/api/attachments/{id}/text", "show_text", "Shows what was read in a file").gives::<Content>(
        200,
        "The text; null until it was read.",
        read,
    );
    api.get("/api/attachments/{id}/thumbnail", "show_thumbnail", "Shows a picture of a file")
        .sends(200, "image/png", schema::bytes(), "The picture.")
        .refuses(404, "There is no such file, or no picture of it.");
    api.delete("/api/attachments/{id}", "delete_attachment", "Deletes a file, its bytes too")
        .says_nothing(204, "It is gone.");
}
