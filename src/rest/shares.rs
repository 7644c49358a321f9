//! `/api/sessions/{id}/share`: links by which others read a conversation. The token is shown once and not kept.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use providers::Secret;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Context,
    body::{Strict, secret},
    fault::Fault,
    openapi::Api,
    origin::origin,
    page::{self, Id, Slice, time},
};
use crate::{
    auth::{Busy, Principal, link},
    store::{
        SessionId, ShareId, sessions,
        shares::{self, NewShare, Share, Which},
    },
};

/// What a link is to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewShare")]
pub(super) struct Params {
    /// Up to a year; absent or null: 24.
    #[schemars(range(min = 1, max = MOST_HOURS))]
    expires_in_hours: Option<i64>,
    /// Absent or null: opens without.
    #[serde(default, deserialize_with = "secret")]
    #[schemars(with = "Option<String>", length(min = 4, max = 256))]
    password: Option<Secret>,
    /// Whether whoever has the link may read, or only whom the relay knows; absent or null: whoever.
    allow_anonymous: Option<bool>,
}

/// A link that was just made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewLink")]
struct Made {
    share_id: ShareId,
    /// Only in this answer.
    share_token: String,
    share_url: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    password_protected: bool,
    allow_anonymous: bool,
}

/// A link as its maker reads it later.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Link")]
struct View {
    share_id: ShareId,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
    password_protected: bool,
    allow_anonymous: bool,
    /// How often it was opened.
    access_count: u64,
    #[schemars(extend("format" = "date-time"))]
    last_accessed_at: Option<String>,
}

/// `POST /api/sessions/{id}/share`: 201 with a new link.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(session): Id<SessionId>,
    headers: HeaderMap,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let hours = params.expires_in_hours.unwrap_or(HOURS);
    if !(1..=MOST_HOURS).contains(&hours) {
        let message = format!("`expires_in_hours` must be a whole number from 1 to {MOST_HOURS}.");
        return Err(Fault::invalid("expires_in_hours", message));
    }
    sessions::get(&context.db, principal.user, session).await?;
    let password = match params.password {
        Some(password) => Some(context.auth.passwords().keep(&fit(password)?).await?),
        None => None,
    };
    let (token, now) = (link::mint(), context.now());
    let new = NewShare {
        token: &link::kept(&token),
        password: password.as_ref().map(ExposeSecret::expose_secret),
        anonymous: params.allow_anonymous.unwrap_or(true),
        expires_at: now.saturating_add(SignedDuration::from_hours(hours)).unwrap_or(now),
    };
    let share = shares::create(&context.db, principal.user, session, new, now).await?;
    let made = Made {
        share_id: share.id,
        share_url: format!("{}/shared/{}", origin(&context, &headers), token.expose_secret()),
        share_token: token.expose_secret().to_owned(),
        expires_at: time(share.expires_at),
        password_protected: share.password.is_some(),
        allow_anonymous: share.anonymous,
    };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

/// A password that may be one.
fn fit(password: Secret) -> Result<Secret, Fault> {
    let length = password.expose_secret().chars().count();
    let message = "`password` must have 4 to 256 characters.";
    if PASSWORD.contains(&length) { Ok(password) } else { Err(Fault::invalid("password", message)) }
}

/// `GET /api/sessions/{id}/shares`: those that have not ended, newest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(session): Id<SessionId>,
    slice: Slice,
) -> Result<Response, Fault> {
    let (after, limit) = (slice.after.as_ref(), slice.limit);
    let found = shares::list(&context.db, principal.user, session, context.now(), after, limit).await?;
    Ok(page::answer(found, View::from))
}

/// `DELETE /api/sessions/{id}/share/{token}`: ends a link for good. Where its token is not known any more, its `share_id`
/// does too.
pub(super) async fn revoke(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path((session, token)): Path<(String, Secret)>,
) -> Result<Response, Fault> {
    let session = session.parse().map_err(|_| Fault::not_found())?;
    let hash = link::kept(&token);
    let which = token.expose_secret().parse().map_or(Which::Token(&hash), Which::Id);
    shares::revoke(&context.db, principal.user, session, which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// How long a link is good for where nothing is said, and at most.
const HOURS: i64 = 24;
const MOST_HOURS: i64 = 8760;

/// Characters of a password. The shortest has no more than 10⁴ likely values, of which some three thousand can be tried in a
/// day; longer is better.
const PASSWORD: std::ops::RangeInclusive<usize> = 4..=256;

impl From<Share> for View {
    fn from(share: Share) -> Self {
        Self {
            share_id: share.id,
            created_at: time(share.created_at),
            expires_at: time(share.expires_at),
            password_protected: share.password.is_some(),
            allow_anonymous: share.anonymous,
            access_count: share.accesses,
            last_accessed_at: share.last_access_at.map(time),
        }
    }
}

impl From<Busy> for Fault {
    fn from(_: Busy) -> Self {
        let message = "Too many passwords are being looked at: try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(std::time::Duration::from_secs(10))
    }
}

pub(super) fn describe(api: &mut Api) {
    let made = json!({
        "share_id": "0190b0a0-0000-7000-8000-000000000004",
        "share_token": "pA4…",
        "share_url": "https://relay.example.org/shared/pA4…",
        "expires_at": "2026-01-02T00:00:00.000Z",
        "password_protected": true,
        "allow_anonymous": true,
    });
    let kept = json!({
        "share_id": "0190b0a0-0000-7000-8000-000000000004",
        "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": "2026-01-02T00:00:00.000Z",
        "password_protected": true,
        "allow_anonymous": true,
        "access_count": 3,
        "last_accessed_at": "2026-01-01T12:00:00.000Z",
    });
    api.chapter("Sharing", "Links by which others read a conversation.");
    api.post("/api/sessions/{id}/share", "create_share", "Makes a link")
        .takes::<Params>(json!({"expires_in_hours": 48, "password": "correct horse"}))
        .gives::<Made>(201, "The link. Its token is never shown again.", made)
        .leads(201, "open_link", "token", "/share_token")
        .leads(201, "show_shared_page", "token", "/share_token");
    api.get(
        "/api/sessions/{id}/shares",
        "list_shares",
        "Lists a conversation's links that have not ended, newest first",
    )
    .lists::<View>("A page of them.", kept);
    api.delete("/api/sessions/{id}/share/{token}", "revoke_share", "Ends a link for good")
        .part("token", json!({"type": "string", "minLength": 1}), "Its token, or its `share_id`.")
        .says_nothing(204, "It opens nothing any more.");
}
