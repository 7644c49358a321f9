//! `/api/clinical-contexts`: what is known of the patient a conversation is about.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Context,
    body::Strict,
    fault::Fault,
    openapi::{Api, schema},
    page::{Id, time},
};
use crate::{
    auth::Principal,
    dossiers::{Facts, Given, Implausible},
    store::{
        ClinicalContextId, SessionId,
        clinical::{self, ClinicalContext, Refusal},
    },
};

/// A context as clients read it: every fact, null or an empty list where none is known.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClinicalContext")]
struct View {
    id: ClinicalContextId,
    session_id: Option<SessionId>,
    #[serde(flatten)]
    facts: Facts,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
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

impl From<Implausible> for Fault {
    fn from(wrong: Implausible) -> Self {
        Self::invalid(&wrong.field, format!("{wrong}."))
    }
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

pub(super) fn describe(api: &mut Api) {
    let example = json!({
        "id": "0190b0a0-0000-7000-8000-000000000007", "session_id": null, "age": 54, "gender": "female",
        "weight_kg": 70.5, "height_cm": 172.0, "chief_complaint": "chest pain", "problems": ["asthma"],
        "medications": ["warfarin 5 mg"], "allergies": ["penicillin"],
        "vitals": {"temperature": 37.2, "heart_rate": 88, "blood_pressure": "120/80", "respiratory_rate": 16, "spo2": 97.0},
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    api.chapter("Clinical contexts", "What is known of the patient a conversation is about.");
    api.post("/api/clinical-contexts", "create_clinical_context", "Makes a clinical context")
        .takes::<Given>(json!({"age": 54, "allergies": ["penicillin"]}))
        .gives::<View>(201, "The context.", example.clone())
        .leads(201, "show_clinical_context", "id", "/id")
        .leads(201, "change_clinical_context", "id", "/id")
        .leads(201, "delete_clinical_context", "id", "/id")
        .refuses(404, "There is no such conversation.")
        .refuses(409, "There is one for this conversation, or for all others, already.");
    api.get("/api/clinical-contexts/current", "current_clinical_context", "Shows the context made for a conversation")
        .query("session_id", schema::id(), "Without: the one for all that have none.")
        .gives::<View>(200, "The context.", example.clone())
        .refuses(404, "There is none.")
        .refuses(422, "A parameter is unknown.");
    api.get("/api/clinical-contexts/{id}", "show_clinical_context", "Shows a clinical context").gives::<View>(
        200,
        "The context.",
        example.clone(),
    );
    api.put("/api/clinical-contexts/{id}", "change_clinical_context", "Changes what is given of a clinical context")
        .more("What is absent stays, null clears; within vitals too.")
        .takes::<Given>(json!({"age": 55, "vitals": {"spo2": null}}))
        .gives::<View>(200, "The context as it is now.", example)
        .refuses(409, "There is one for that conversation already.");
    api.delete("/api/clinical-contexts/{id}", "delete_clinical_context", "Deletes a clinical context")
        .says_nothing(204, "It is gone.");
}
