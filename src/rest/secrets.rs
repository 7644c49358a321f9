//! `POST /v1/realtime/client_secrets`: short-lived credentials for browsers and phones.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use uuid::Uuid;

use super::{Context, body, fault::Fault, openapi::Api, opening};
use crate::{
    auth::{Issued, Principal, Reserved},
    realtime::{
        protocol::{Query, settings},
        webrtc::IceServer,
    },
};

/// What the secret is to be good for. A body may be left out altogether.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewClientSecret")]
struct Params {
    expires_after: Option<ExpiresAfter>,
    /// The session configuration, checked by the protocol.
    #[schemars(with = "Option<Map<String, Value>>")]
    session: Option<Box<RawValue>>,
}

/// How long a secret is to be good for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpiresAfter {
    #[schemars(extend("enum" = ["created_at", null]))]
    anchor: Option<String>,
    #[schemars(range(min = 10, max = 7200))]
    seconds: Option<u64>,
}

/// A client secret, shown this once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RealtimeClientSecret")]
struct View<'a> {
    value: &'a str,
    /// In seconds since 1970.
    expires_at: i64,
    /// What it is good for.
    #[schemars(with = "Map<String, Value>")]
    session: Box<RawValue>,
    /// For the `RTCPeerConnection`'s configuration, where there is a TURN server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Map<String, Value>>>")]
    ice_servers: Option<[IceServer; 1]>,
}

/// `POST /v1/realtime/client_secrets`.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    request: Request,
) -> Result<Response, Fault> {
    let bytes = body::read(request, &context).await?;
    let params: Params = if bytes.is_empty() { Params::default() } else { body::parse(&bytes)? };
    let life = params.expires_after.map_or(Ok(LIFE), |after| after.life("expires_after", LIFE))?;
    let session = params.session.unwrap_or_else(|| RawValue::NULL.to_owned());
    let settings = opening::settings(&context, &Query::Conversation { model: None }, Some(&session))?;
    let issued = issue(&context, &principal, session.get(), None, life)?;
    let expires_at = issued.kept.as_second();
    let name = format!("sess_{}", Uuid::now_v7().simple());
    let shown = settings::to_json(&settings, &name, u64::try_from(expires_at).unwrap_or_default());
    let session = RawValue::from_string(shown).map_err(|error| {
        tracing::error!(%error, "the session object is not JSON");
        Fault::internal()
    })?;
    let ice_servers = ice_servers(&context, &principal);
    Ok(Json(View { value: issued.secret.expose_secret(), expires_at, session, ice_servers }).into_response())
}

/// Makes a secret for sessions that start as `session` says, in the shape of general availability; for a voice session that
/// was promised, if there is one.
pub(super) fn issue(
    context: &Context,
    principal: &Principal,
    session: &str,
    reserved: Option<Reserved>,
    life: Duration,
) -> Result<Issued<Timestamp>, Fault> {
    context.auth.create_client_secret(principal, session.into(), reserved, life).map_err(|full| {
        let message = format!("No client secret can be made now: {full}.");
        Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(SHORTEST)
    })
}

/// Where packets are passed on for those whom they do not reach, if there is a TURN server.
pub(super) fn ice_servers(context: &Context, principal: &Principal) -> Option<[IceServer; 1]> {
    let turn = context.turn.credentials(&principal.user.to_string(), context.engine.clock.wall());
    turn.map(|server| [server])
}

impl ExpiresAfter {
    /// The life it asks for, or the usual one. `path` is where it stands.
    pub(super) fn life(self, path: &str, usual: Duration) -> Result<Duration, Fault> {
        if self.anchor.is_some_and(|anchor| anchor != "created_at") {
            return Err(Fault::invalid(format!("{path}.anchor"), format!("`{path}.anchor` must be `created_at`.")));
        }
        let life = self.seconds.map_or(usual, Duration::from_secs);
        if (SHORTEST..=LONGEST).contains(&life) {
            return Ok(life);
        }
        Err(Fault::invalid(format!("{path}.seconds"), format!("`{path}.seconds` must be between 10 and 7200.")))
    }
}

/// How long a secret is good for when nothing is said.
const LIFE: Duration = Duration::from_secs(600);
pub(super) const SHORTEST: Duration = Duration::from_secs(10);
pub(super) const LONGEST: Duration = Duration::from_secs(7200);

pub(super) fn describe(api: &mut Api) {
    let asked = json!({"expires_after": {"anchor": "created_at", "seconds": 60}, "session": {"type": "realtime"}});
    let made =
        json!({"value": "ek_…", "expires_at": 1_767_225_660, "session": {"type": "realtime", "model": "voice-relay"}});
    api.post("/v1/realtime/client_secrets", "create_client_secret", "Makes a credential for a browser or a phone")
        .may_take::<Params>(asked)
        .gives::<View<'static>>(200, "The secret, which is never shown again.", made)
        .refuses(404, "There is no such model.")
        .refuses(429, "There are too many client secrets.");
}
