//! `/voice/sessions`: who is speaking now and who did, what it costs, and a way to end it.

use std::{fmt, str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Context,
    fault::Fault,
    openapi::Api,
    page::{Id, Slice, time},
};
use crate::{
    auth::{Principal, Scope},
    cost::Spending,
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

/// A voice session as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "VoiceSession")]
struct View {
    /// `rtc_<user_id>_<token>`
    id: String,
    /// What it is called on the wire: `sess_…`.
    name: String,
    user_id: String,
    conversation_id: String,
    #[schemars(extend("enum" = ["live", "ended"]))]
    state: &'static str,
    /// `ws`, `webrtc`, `twilio`, …
    transport: String,
    /// The model as the client named it; told of one that has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    started_at: String,
    #[schemars(extend("format" = "date-time"))]
    ended_at: Option<String>,
    /// So far, by the table of prices; null while nothing was spent.
    #[schemars(with = "Option<Spending>")]
    cost: Option<Value>,
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

fn view(context: &Context, live: &Live) -> View {
    View {
        id: format!("rtc_{}_{}", live.principal, live.id.simple()),
        name: live.name(),
        user_id: live.principal.to_string(),
        conversation_id: live.conversation.unwrap_or(live.id).to_string(),
        state: "live",
        transport: live.transport.to_owned(),
        model: None,
        started_at: time(store::timestamp(live.since)),
        ended_at: None,
        cost: context.engine.admission.spending(live.id).map(|spending| json!(spending)),
    }
}

fn past(user: UserId, kept: &VoiceSession) -> View {
    let cost: Option<Value> = kept.cost.as_ref().and_then(|cost| serde_json::from_str(cost).ok());
    View {
        id: name(user, kept.id.into()),
        name: crate::realtime::admission::name(kept.id.into()),
        user_id: user.to_string(),
        conversation_id: kept.session.to_string(),
        state: "ended",
        transport: kept.transport.clone(),
        model: Some(kept.model.clone()),
        started_at: time(kept.started_at),
        ended_at: kept.ended_at.map(time),
        cost,
    }
}

pub(super) fn describe(api: &mut Api) {
    let name = || json!({"type": "string", "pattern": "^rtc_[0-9a-fA-F-]{36}_[0-9a-fA-F]{32}$"});
    let example = json!({
        "id": "rtc_0190b0a0-0000-7000-8000-000000000000_0190b0a000007000800000000000000a",
        "name": "sess_0190b0a000007000800000000000000a",
        "user_id": "0190b0a0-0000-7000-8000-000000000000",
        "conversation_id": "0190b0a0-0000-7000-8000-00000000000a",
        "state": "live",
        "transport": "webrtc",
        "started_at": "2026-01-01T00:00:00.000Z",
        "ended_at": null,
        "cost": null,
    });
    api.get("/voice/sessions", "list_voice_sessions", "Lists voice sessions, live ones before those that ended")
        .more("An admin sees what lives of everybody.")
        .lists::<View>("A page of them.", example.clone());
    api.get("/voice/sessions/{id}", "show_voice_session", "Shows a voice session")
        .part("id", name(), "Its name.")
        .gives::<View>(200, "The voice session.", example);
    api.delete("/voice/sessions/{id}", "end_voice_session", "Ends a live voice session; its client is told")
        .part("id", name(), "Its name.")
        .says_nothing(202, "It ends.");
}
