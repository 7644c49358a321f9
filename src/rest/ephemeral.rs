//! `POST /v1/realtime/sessions` and `/v1/realtime/transcription_sessions`: client secrets as the beta makes them, the session
//! object flat and the secret inside.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use super::{
    Context, body,
    fault::Fault,
    openapi::{Api, schema},
    opening, secrets,
};
use crate::{
    auth::Principal,
    realtime::{
        RELAY, admission,
        protocol::{beta, settings},
        session::settings::Kind,
    },
};

/// What is asked of the secret; the rest of the body is the session, read by the protocol.
#[derive(Deserialize)]
struct Params {
    client_secret: Option<ClientSecret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientSecret {
    /// The reference of transcription sessions calls it `expires_at`.
    #[serde(alias = "expires_at")]
    expires_after: Option<secrets::ExpiresAfter>,
}

/// `POST /v1/realtime/sessions`.
pub(super) async fn conversation(
    State(context): State<Arc<Context>>,
    principal: Principal,
    request: Request,
) -> Result<Response, Fault> {
    create(Kind::Conversation, &context, &principal, request).await
}

/// `POST /v1/realtime/transcription_sessions`.
pub(super) async fn transcription(
    State(context): State<Arc<Context>>,
    principal: Principal,
    request: Request,
) -> Result<Response, Fault> {
    create(Kind::Transcription, &context, &principal, request).await
}

async fn create(
    kind: Kind,
    context: &Arc<Context>,
    principal: &Principal,
    request: Request,
) -> Result<Response, Fault> {
    let bytes = body::read(request, context).await?;
    let body: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    let Params { client_secret } = body::parse(body)?;
    let asked = client_secret.and_then(|secret| secret.expires_after);
    let life = asked.map_or(Ok(LIFE), |after| after.life("client_secret.expires_after", LIFE))?;

    let session: Box<RawValue> = body::parse(body)?;
    let model = match kind {
        Kind::Conversation => RELAY,
        Kind::Transcription => "",
    };
    let settings = beta::session::initial(kind, model, &session, &context.defaults).map_err(opening::refused)?;
    let settings = opening::offered(context, settings).map_err(|fault| fault.spelled(flat))?;

    let (id, expires_at) = (admission::name(Uuid::now_v7()), |at: i64| u64::try_from(at).unwrap_or_default());
    let issued = secrets::issue(context, principal, &settings::to_json(&settings, &id, 0), None, life)?;
    let expires_at = expires_at(issued.kept.as_second());
    let secret = beta::session::ClientSecret { value: issued.secret.expose_secret(), expires_at };
    let shown = beta::session::to_json(&settings, &id, expires_at, Some(secret));
    Ok(([(header::CONTENT_TYPE, "application/json")], shown).into_response())
}

/// The path of a field in this body, which is the session itself.
fn flat(path: &str) -> &str {
    let path = beta::param(path);
    path.strip_prefix("session.").unwrap_or(path)
}

/// How long a secret is good for when nothing is said: what the beta's clients count on.
const LIFE: Duration = Duration::from_secs(60);

pub(super) fn describe(api: &mut Api) {
    for (path, id, example) in [
        ("/v1/realtime/sessions", "create_beta_session", json!({"voice": "alloy"})),
        ("/v1/realtime/transcription_sessions", "create_beta_transcription_session", json!({})),
    ] {
        api.post(path, id, "Makes a client secret, in the shape of the beta")
            .takes_as("application/json", schema::object(), example, false)
            .sends(200, "application/json", schema::object(), "The session, with the secret in it.")
            .refuses(400, "A field is unknown, or cannot be what it is.")
            .refuses(404, "There is no such model.")
            .refuses(429, "There are too many client secrets.");
    }
}
