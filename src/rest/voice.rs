//! `/voice/sessions`: who is speaking now, and a way to end it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Context,
    fault::Fault,
    page::{Id, time},
};
use crate::{
    auth::{Principal, Scope},
    realtime::admission::Live,
    store,
};

/// `GET /voice/sessions`: the caller's live sessions, oldest first; everybody's for an admin.
pub(super) async fn list(State(context): State<Arc<Context>>, principal: Principal) -> Response {
    let live = context.engine.admission.list();
    let items: Vec<_> = live.iter().filter(|live| sees(&principal, live)).map(view).collect();
    Json(json!({"items": items, "next": null})).into_response()
}

/// `DELETE /voice/sessions/{id}`: 202, its client is told and the session ends.
pub(super) async fn end(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<Uuid>,
) -> Result<Response, Fault> {
    let admission = &context.engine.admission;
    let theirs = admission.list().iter().any(|live| live.id == id && sees(&principal, live));
    if !theirs || !admission.kick(id) {
        return Err(Fault::not_found());
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

fn sees(principal: &Principal, live: &Live) -> bool {
    principal.may(Scope::Admin) || *live.principal == *principal.user.to_string()
}

fn view(live: &Live) -> serde_json::Value {
    json!({
        "id": live.id,
        "name": live.name(),
        "user_id": *live.principal,
        "transport": live.transport,
        "started_at": time(store::timestamp(live.since)),
    })
}
