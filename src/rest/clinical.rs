//! `/api/clinical-contexts`: what is known of the patient a conversation is about.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    Context,
    body::Strict,
    facts::Given,
    fault::Fault,
    page::{Id, time},
};
use crate::{
    auth::Principal,
    dossiers::Facts,
    store::{
        ClinicalContextId, SessionId,
        clinical::{self, ClinicalContext, Refusal},
    },
};

/// A context as clients read it: every fact, null or an empty list where none is known.
#[derive(Serialize)]
struct View {
    id: ClinicalContextId,
    session_id: Option<SessionId>,
    #[serde(flatten)]
    facts: Facts,
    created_at: String,
    updated_at: String,
}

/// `POST /api/clinical-contexts`: 201.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(given): Strict<Given>,
) -> Result<Response, Fault> {
    let change = given.checked()?;
    let session = change.session.flatten();
    let made = clinical::create(&context.db, principal.user, session, change.facts, context.now()).await?;
    Ok((StatusCode::CREATED, shown(made)).into_response())
}

/// `GET /api/clinical-contexts/current`: that of the conversation `session_id`, or the one for all that have none.
pub(super) async fn current(
    State(context): State<Arc<Context>>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let session = session(query.as_deref().unwrap_or_default())?;
    Ok(shown(clinical::current(&context.db, principal.user, session).await?).into_response())
}

/// What the query asks for. What is no id is nobody's: 404.
fn session(query: &str) -> Result<Option<SessionId>, Fault> {
    let mut session = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "session_id" {
            return Err(Fault::invalid(name, "This takes `session_id` and nothing else."));
        }
        session = Some(value.parse().map_err(|_| Fault::not_found())?);
    }
    Ok(session)
}

/// `GET /api/clinical-contexts/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<ClinicalContextId>,
) -> Result<Response, Fault> {
    Ok(shown(clinical::get(&context.db, principal.user, id).await?).into_response())
}

/// `PUT /api/clinical-contexts/{id}`: what is given changes, null clears, what is absent stays.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<ClinicalContextId>,
    Strict(given): Strict<Given>,
) -> Result<Response, Fault> {
    let changed = clinical::change(&context.db, principal.user, id, given.checked()?, context.now()).await?;
    Ok(shown(changed).into_response())
}

/// `DELETE /api/clinical-contexts/{id}`.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<ClinicalContextId>,
) -> Result<Response, Fault> {
    clinical::delete(&context.db, principal.user, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn shown(context: ClinicalContext) -> Json<View> {
    Json(View {
        id: context.id,
        session_id: context.session,
        facts: Facts::kept(&context.facts),
        created_at: time(context.created_at),
        updated_at: time(context.updated_at),
    })
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Taken => {
                let message = "There is a clinical context for this conversation, or for all others, already.";
                Self::new(StatusCode::CONFLICT, "context_exists", message).at("session_id")
            }
            Refusal::Store(error) => error.into(),
        }
    }
}
