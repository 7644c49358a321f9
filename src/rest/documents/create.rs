//! `POST /api/documents`: a file in a form, or a text in JSON.

use std::sync::Arc;

use axum::{
    Json,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::{
    super::{
        BODY, Context,
        body::Strict,
        fault::Fault,
        intake::{self, Form, Upload},
    },
    fields::{FORM, Params},
    view::View,
};
use crate::{
    auth::{Principal, Scope},
    store::{
        DocumentId, UserId,
        documents::{self, Added, Content, New},
        strays,
    },
};

/// 201 with the document's record.
pub(in crate::rest) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    request: Request,
) -> Result<Response, Fault> {
    let added = if is_form(&request) {
        file(&context, &principal, request).await?
    } else {
        text(&context, &principal, request).await?
    };
    match added {
        Added::Kept(document) => {
            context.bell.filed();
            Ok((StatusCode::CREATED, Json(View::of(*document, principal.user))).into_response())
        }
        Added::Same(id) => {
            let message = format!("You have the same document already: {id}.");
            let mut response = Fault::new(StatusCode::CONFLICT, "duplicate_document", message).into_response();
            if let Ok(there) = HeaderValue::try_from(format!("/api/documents/{id}")) {
                response.headers_mut().insert(header::LOCATION, there);
            }
            Ok(response)
        }
        Added::Full => {
            let message =
                format!("You have {} documents, which is the most.", context.config.knowledge.documents_per_user);
            Err(Fault::new(StatusCode::CONFLICT, "too_many_documents", message))
        }
        Added::Late => Err(intake::late()),
    }
}

fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/")
}

async fn file(context: &Arc<Context>, principal: &Principal, request: Request) -> Result<Added, Fault> {
    let Form { upload, texts } = intake::take_with(context, request, &FORM).await?;
    let params = Params::of_form(texts)?;
    may_share(principal, &params)?;
    context.storage.scan(&upload.file).await.map_err(intake::unclean)?;
    let id = DocumentId::new(context.now());
    let added = keep(context, principal.user, id, upload, &params).await;
    if !matches!(added, Ok(Added::Kept(_))) {
        // Should this fail too, the bytes go when they are due.
        let _ = strays::give_up(&context.db, id).await;
        context.bell.went();
    }
    added
}

/// Keeps bytes and row: both, or neither, whenever this ends.
async fn keep(
    context: &Context,
    user: UserId,
    id: DocumentId,
    upload: Upload,
    params: &Params,
) -> Result<Added, Fault> {
    let Upload { name, kind, file } = upload;
    let (size, sha256) = (file.size, file.sha256.clone());
    intake::stow(context, id.into(), file).await?;
    let content = Content::File { name: &name, kind: kind.name() };
    add(context, user, id, content, (size, &sha256), params).await
}

async fn text(context: &Arc<Context>, principal: &Principal, mut request: Request) -> Result<Added, Fault> {
    // Files are as large as they may be, texts as other bodies.
    DefaultBodyLimit::max(BODY).apply(&mut request);
    let Strict(given) = Strict::from_request(request, context).await?;
    let params = Params::of(given)?;
    may_share(principal, &params)?;
    let missing = |field: &str| {
        let message = format!("A document without a file takes `{field}`.");
        Fault::invalid(field, message).coded("missing_required_parameter")
    };
    let text = params.text.as_deref().ok_or_else(|| missing("text"))?;
    if text.trim().is_empty() {
        return Err(Fault::invalid("text", "There is nothing in `text`."));
    }
    if params.source.title.is_none() {
        return Err(missing("title"));
    }
    let sha256: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = DocumentId::new(context.now());
    add(context, principal.user, id, Content::Text(text), (text.len() as u64, &sha256), &params).await
}

async fn add(
    context: &Context,
    user: UserId,
    id: DocumentId,
    content: Content<'_>,
    (size, sha256): (u64, &str),
    params: &Params,
) -> Result<Added, Fault> {
    let source = serde_json::to_string(&params.source).map_err(|error| {
        tracing::error!(%error, "bibliographic fields cannot be written");
        Fault::internal()
    })?;
    let new = New { shared: params.shared, content, size, sha256, source: &source };
    Ok(documents::add(&context.db, user, id, new, context.config.knowledge.documents_per_user, context.now()).await?)
}

fn may_share(principal: &Principal, params: &Params) -> Result<(), Fault> {
    if params.shared && !principal.may(Scope::Admin) {
        let message = "Only admins share documents with everybody.";
        return Err(Fault::new(StatusCode::FORBIDDEN, "admins_only", message).at("shared"));
    }
    Ok(())
}
