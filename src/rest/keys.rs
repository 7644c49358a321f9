//! `/api/keys`: API keys, shown once and then only recognisable.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Context,
    body::Strict,
    fault::Fault,
    openapi::Api,
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
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewKey")]
pub(super) struct Params {
    #[schemars(length(min = 1, max = NAME))]
    name: String,
    /// Absent: all but `admin`, as far as the caller may.
    #[schemars(with = "Option<Vec<Scope>>", length(min = 1))]
    scopes: Option<Vec<String>>,
    /// Absent or null: never.
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
}

/// A key as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Key")]
struct View {
    id: KeyId,
    name: String,
    /// The key's first characters.
    hint: String,
    #[schemars(with = "Vec<Scope>")]
    scopes: Vec<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    /// To the minute.
    #[schemars(extend("format" = "date-time"))]
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

pub(super) fn describe(api: &mut Api) {
    let mut example = json!({
        "id": "0190b0a0-0000-7000-8000-000000000000",
        "name": "phone",
        "hint": "vr_abcd",
        "scopes": ["realtime", "speech", "sessions"],
        "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": null,
        "last_used_at": null,
    });
    api.chapter("Keys", "API keys, for servers and SDKs. Each is shown once.");
    api.get("/api/keys", "list_keys", "Lists the caller's keys that are not revoked, newest first")
        .lists::<View>("A page of them.", example.clone());
    example["key"] = json!("vr_…");
    api.post("/api/keys", "create_key", "Makes a key")
        .takes::<Params>(json!({"name": "phone", "scopes": ["realtime"]}))
        .gives::<View>(201, "The key, which is never shown again.", example)
        .leads(201, "revoke_key", "id", "/id");
    api.delete("/api/keys/{id}", "revoke_key", "Revokes a key, and the client secrets it issued")
        .says_nothing(204, "It is good for nothing any more.");
}
