//! `/api/documents`: what answers are grounded in. Everybody has their own; admins share some with everybody.

mod create;
mod fields;
mod view;

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;

pub(super) use self::create::create;
use self::{
    fields::{Given, Params},
    view::{Content, View},
};
use super::{
    Context,
    body::Strict,
    download,
    fault::Fault,
    openapi::{Api, schema},
    page::{self, Id, Slice},
};
use crate::{
    auth::{Principal, Scope},
    knowledge::source::Source,
    store::{
        DocumentId, StoreError,
        documents::{self, Caller, Filter, State as Progress},
    },
};

/// Which documents are asked for.
pub(super) struct Search {
    slice: Slice,
    filter: Filter,
}

impl FromRequestParts<Arc<Context>> for Search {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        let mut filter = Filter::default();
        let slice = Slice::read(parts.uri.query(), |name, value| match (name, value) {
            ("state", value) => {
                let message = "`state` must be `pending`, `indexing`, `ready` or `failed`.";
                filter.state = Some(value.parse().map_err(|_| Fault::invalid("state", message))?);
                Ok(())
            }
            ("shared", "true" | "false") => {
                filter.shared = Some(value == "true");
                Ok(())
            }
            ("shared", _) => Err(Fault::invalid("shared", "`shared` must be `true` or `false`.")),
            _ => {
                let message = "This list takes `limit`, `after`, `state` and `shared` and nothing else.";
                Err(Fault::invalid(name, message))
            }
        })?;
        Ok(Self { slice, filter })
    }
}

/// `GET /api/documents`: the caller's and what is shared, newest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Search { slice, filter }: Search,
) -> Result<Response, Fault> {
    let user = principal.user;
    let found = documents::list(&context.db, user, filter, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, |document| View::of(document, user)))
}

/// `GET /api/documents/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<DocumentId>,
) -> Result<Response, Fault> {
    let found = documents::get(&context.db, principal.user, id).await?;
    Ok(Json(View::of(found, principal.user)).into_response())
}

/// `GET /api/documents/{id}/text`: what was read in it, into which passages point.
pub(super) async fn text(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<DocumentId>,
) -> Result<Response, Fault> {
    let text = documents::text(&context.db, principal.user, id).await?;
    let found = documents::get(&context.db, principal.user, id).await?;
    Ok(Json(Content::of(&found, text)).into_response())
}

/// `PATCH /api/documents/{id}`: its bibliographic fields.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<DocumentId>,
    Strict(patch): Strict<Given>,
) -> Result<Response, Fault> {
    let patch = fields::patch(patch)?;
    let change = |before: &str| fields::patched(before, patch);
    let changed = documents::describe(&context.db, caller(&principal), id, change, context.now()).await;
    let document = own(&context, &principal, id, changed).await?;
    Ok(Json(View::of(document, principal.user)).into_response())
}

/// `DELETE /api/documents/{id}`: its bytes, its text and its passages.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<DocumentId>,
) -> Result<Response, Fault> {
    let gone = documents::delete(&context.db, caller(&principal), id).await;
    own(&context, &principal, id, gone).await?;
    context.bell.went();
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn caller(principal: &Principal) -> Caller {
    Caller { user: principal.user, admin: principal.may(Scope::Admin) }
}

/// What came of changing a document. Whoever may read it and not change it hears that; to others it does not exist.
async fn own<T>(
    context: &Context,
    principal: &Principal,
    id: DocumentId,
    done: Result<T, StoreError>,
) -> Result<T, Fault> {
    if matches!(done, Err(StoreError::NotFound)) {
        documents::get(&context.db, principal.user, id).await?;
        let message = "The document is shared with you: admins change and delete it.";
        return Err(Fault::new(StatusCode::FORBIDDEN, "shared_document", message));
    }
    Ok(done?)
}

pub(super) fn describe(api: &mut Api) {
    let example = view::example();
    let given = json!({
        "text": "Wash hands for 20 seconds.",
        "title": "Hand hygiene",
        "authors": ["Doe, Jane"],
        "publication_date": "2024-05",
    });
    let states: Vec<_> = Progress::ALL.iter().map(|state| state.as_str()).collect();
    api.chapter("Documents", "What answers are grounded in: the caller's, and what is shared with everybody.");
    api.get("/api/documents", "list_documents", "Lists the documents the caller may read, newest first")
        .query("state", schema::one_of(&states), "Those in this state.")
        .query("shared", json!({"type": "boolean"}), "Those that are shared, or that are not.")
        .lists::<View>("A page of them.", example.clone());
    api.post("/api/documents", "create_document", "Puts a document in, as a file or as text")
        .more(
            "A file comes as a form, with the same fields as text; `authors` is sent once an author, a BibTeX or RIS entry in \
             `bibliography`. What is not said of it is read in it. It is indexed as soon as it is kept: see `state`.",
        )
        .takes::<Params>(given)
        .takes_form(fields::form(), &["file"])
        .gives::<View>(201, "The document's record.", example.clone())
        .leads(201, "show_document", "id", "/id")
        .leads(201, "change_document", "id", "/id")
        .leads(201, "delete_document", "id", "/id")
        .with_header(409, "location", "The document that is there, where the caller has the same bytes already.")
        .refuses(409, "The caller has the same document already, or as many as one may have.")
        .refuses(403, "Only admins share documents.");
    api.get("/api/documents/{id}", "show_document", "Shows a document's record").gives::<View>(
        200,
        "The record.",
        example.clone(),
    );
    download::told(api.get(
        "/api/documents/{id}/file",
        "download_document",
        "Downloads a document's file, whole or in part",
    ))
    .refuses(404, "There is no such document, or it came as text.");
    api.get("/api/documents/{id}/text", "show_document_text", "Shows what was read in a document")
        .more("Passages point into it, in characters. A form feed parts pages.")
        .gives::<Content>(
            200,
            "The text; null until it was read.",
            json!({"state": "ready", "failure": null, "text": "Wash hands for 20 seconds.", "metadata": {}, "warnings": []}),
        );
    api.patch("/api/documents/{id}", "change_document", "Changes a document's bibliographic fields")
        .more("What is absent stays, null clears.")
        .takes::<Source>(json!({"title": "Hand hygiene", "journal": null}))
        .gives::<View>(200, "The document as it is now.", example)
        .refuses(403, "It is shared, and the caller is no admin.");
    api.delete("/api/documents/{id}", "delete_document", "Deletes a document, its bytes and its passages")
        .says_nothing(204, "It is gone.")
        .refuses(403, "It is shared, and the caller is no admin.");
}
