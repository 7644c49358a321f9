//! `/voice/sessions`: who is speaking now and who did, what it costs, and a way to end it.

use std::{fmt, str::FromStr, sync::Arc};

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
    page::{Id, Slice, time},
};
use crate::{
    auth::{Principal, Scope},
    realtime::admission::Live,
    store::{
        self, Cursor, UserId,
        voice_sessions::{self, VoiceSession},
    },
};

/// A voice session's name: `rtc_<user_id>_<token>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Name {
    user: UserId,
    id: Uuid,
}

/// What a voice session of this user is called.
pub(super) fn name(user: UserId, id: Uuid) -> String {
    Name { user, id }.to_string()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rtc_{}_{}", self.user, self.id.simple())
    }
}

impl FromStr for Name {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        let (user, id) = text.strip_prefix("rtc_").and_then(|rest| rest.split_once('_')).unwrap_or_default();
        Ok(Self { user: user.parse()?, id: Uuid::try_parse(id)? })
    }
}

/// `GET /voice/sessions`: the caller's, live ones before those that ended, newest first; an admin sees what lives of
/// everybody.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    slice: Slice,
) -> Result<Response, Fault> {
    let live = context.engine.admission.list();
    let page = voice_sessions::list(&context.db, principal.user, slice.after.as_ref(), slice.limit).await?;
    let seen = live.iter().rev().filter(|live| slice.after.is_none() && sees(&principal, live));
    let mut items: Vec<_> = seen.map(|live| view(&context, live)).collect();
    let ended = page.items.iter().filter(|kept| live.iter().all(|live| live.id != Uuid::from(kept.id)));
    items.extend(ended.map(|kept| past(principal.user, kept)));
    Ok(Json(json!({"items": items, "next": page.next.as_ref().map(Cursor::encode)})).into_response())
}

/// `GET /voice/sessions/{id}`: while it lives, with its cost so far; afterwards what is kept of it.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(name): Id<Name>,
) -> Result<Response, Fault> {
    if let Some(live) = find(&context, &principal, name) {
        return Ok(Json(view(&context, &live)).into_response());
    }
    let kept = voice_sessions::get(&context.db, principal.user, name.id.into()).await?;
    if name.user != principal.user {
        return Err(Fault::not_found());
    }
    Ok(Json(past(principal.user, &kept)).into_response())
}

/// `DELETE /voice/sessions/{id}`: 202, its client is told and the session ends.
pub(super) async fn end(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(name): Id<Name>,
) -> Result<Response, Fault> {
    match find(&context, &principal, name) {
        Some(live) if context.engine.admission.kick(live.id) => Ok(StatusCode::ACCEPTED.into_response()),
        Some(_) | None => Err(Fault::not_found()),
    }
}

/// The live session of this name, if the caller may see it.
fn find(context: &Context, principal: &Principal, name: Name) -> Option<Live> {
    let user = name.user.to_string();
    let theirs = |live: &Live| live.id == name.id && *live.principal == *user && sees(principal, live);
    context.engine.admission.list().into_iter().find(theirs)
}

pub(super) fn sees(principal: &Principal, live: &Live) -> bool {
    principal.may(Scope::Admin) || *live.principal == *principal.user.to_string()
}

fn view(context: &Context, live: &Live) -> Value {
    json!({
        "id": format!("rtc_{}_{}", live.principal, live.id.simple()),
        "name": live.name(),
        "user_id": *live.principal,
        "conversation_id": live.conversation.unwrap_or(live.id),
        "state": "live",
        "transport": live.transport,
        "started_at": time(store::timestamp(live.since)),
        "ended_at": null,
        "cost": context.engine.admission.spending(live.id),
    })
}

fn past(user: UserId, kept: &VoiceSession) -> Value {
    let cost: Option<Value> = kept.cost.as_ref().and_then(|cost| serde_json::from_str(cost).ok());
    json!({
        "id": name(user, kept.id.into()),
        "name": crate::realtime::admission::name(kept.id.into()),
        "user_id": user,
        "conversation_id": kept.session,
        "state": "ended",
        "transport": kept.transport,
        "model": kept.model,
        "started_at": time(kept.started_at),
        "ended_at": kept.ended_at.map(time),
        "cost": cost,
    })
}
