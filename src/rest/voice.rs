//! `/voice/sessions`: who is speaking now, what it costs, and a way to end it.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Context,
    fault::Fault,
    page::{Id, time},
};
use crate::{
    auth::{Principal, Scope},
    realtime::admission::{self, Live},
    store::{self, sessions},
};

/// `GET /voice/sessions`: the caller's live sessions, oldest first; everybody's for an admin.
pub(super) async fn list(State(context): State<Arc<Context>>, principal: Principal) -> Response {
    let live = context.engine.admission.list();
    let items: Vec<_> = live.iter().filter(|live| sees(&principal, live)).map(|live| view(&context, live)).collect();
    Json(json!({"items": items, "next": null})).into_response()
}

/// `GET /voice/sessions/{id}`: while it lives, with its cost so far; afterwards what is kept of it.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<Uuid>,
) -> Result<Response, Fault> {
    let live = context.engine.admission.list().into_iter().find(|live| live.id == id && sees(&principal, live));
    if let Some(live) = live {
        return Ok(Json(view(&context, &live)).into_response());
    }
    let session = sessions::get(&context.db, principal.user, id.into()).await?;
    let cost: Option<Value> = session.cost.and_then(|cost| serde_json::from_str(&cost).ok());
    let past = json!({
        "id": id,
        "name": admission::name(id),
        "user_id": principal.user.to_string(),
        "state": "ended",
        "started_at": time(session.created_at),
        "cost": cost,
    });
    Ok(Json(past).into_response())
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

pub(super) fn sees(principal: &Principal, live: &Live) -> bool {
    principal.may(Scope::Admin) || *live.principal == *principal.user.to_string()
}

fn view(context: &Context, live: &Live) -> Value {
    json!({
        "id": live.id,
        "name": live.name(),
        "user_id": *live.principal,
        "state": "live",
        "transport": live.transport,
        "started_at": time(store::timestamp(live.since)),
        "cost": context.engine.admission.spending(live.id),
    })
}
