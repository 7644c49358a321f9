//! `/api/keys`: API keys, shown once and then only recognisable.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::{
    Context,
    body::Strict,
    fault::Fault,
    page::{self, Id, Slice, time},
};
use crate::{
    auth::{Principal, Scope, Scopes},
    store::{
        KeyId,
        keys::{self, Key},
    },
};

/// What a key is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    name: String,
    /// Absent: all but `admin`, as far as the caller may.
    scopes: Option<Vec<String>>,
    /// RFC 3339; absent or null: never.
    expires_at: Option<String>,
}

/// A key as clients read it.
#[derive(Serialize)]
struct View {
    id: KeyId,
    name: String,
    /// The key's first characters.
    hint: String,
    scopes: Vec<String>,
    created_at: String,
    expires_at: Option<String>,
    /// To the minute.
    last_used_at: Option<String>,
    /// The key itself: only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// `GET /api/keys`: the caller's keys that are not revoked, newest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    slice: Slice,
) -> Result<Response, Fault> {
    let found = keys::list(&context.db, principal.user, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, |key| View::of(key, None)))
}

/// `POST /api/keys`: 201 with the key, which is never shown again.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let name = params.name.trim();
    if name.is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
        return Err(Fault::invalid("name", "`name` must have 1 to 100 printable characters."));
    }
    let scopes = params.scopes.map_or_else(|| Ok(Scopes::usual().within(principal.scopes)), scopes)?;
    if let Some(beyond) = scopes.iter().find(|scope| !principal.may(*scope)) {
        return Err(Fault::forbidden(beyond.as_str()));
    }
    let expires_at = params.expires_at.map(|text| expiry(&text, context.now())).transpose()?;
    let issued = context.auth.create_key(principal.user, name, scopes, expires_at).await?;
    let view = View::of(issued.kept, Some(issued.secret.expose_secret().to_owned()));
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// `DELETE /api/keys/{id}`: it and the client secrets it issued end at once.
pub(super) async fn revoke(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<KeyId>,
) -> Result<Response, Fault> {
    context.auth.revoke_key(principal.user, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn scopes(names: Vec<String>) -> Result<Scopes, Fault> {
    let scopes: Result<Scopes, _> = names.iter().map(|name| name.parse::<Scope>()).collect();
    match scopes {
        Ok(scopes) if !scopes.is_empty() => Ok(scopes),
        Ok(_) => Err(Fault::invalid("scopes", "`scopes` must name at least one of realtime, speech, sessions, admin.")),
        Err(error) => Err(Fault::invalid("scopes", format!("{error}."))),
    }
}

fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let future = text.parse::<Timestamp>().ok().filter(|at| *at > now);
    future.ok_or_else(|| Fault::invalid("expires_at", "`expires_at` must be a time to come, as 2030-01-31T00:00:00Z."))
}

impl View {
    fn of(row: Key, key: Option<String>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            hint: row.hint,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            created_at: time(row.created_at),
            expires_at: row.expires_at.map(time),
            last_used_at: row.last_used_at.map(time),
            key,
        }
    }
}

/// Most characters of a key's name.
const NAME: usize = 100;
