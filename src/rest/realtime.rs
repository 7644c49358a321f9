//! `GET /v1/realtime`: the door to a live session over WebSocket.
//!
//! All that can be refused is refused before the upgrade, with an HTTP status and the OpenAI error object.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{
        RawQuery, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode},
    response::Response,
};
use serde_json::json;

use super::{
    Context,
    fault::Fault,
    guard,
    openapi::{Api, schema},
    opening, sideband,
};
use crate::{
    auth::Principal,
    realtime::{
        Start, limited,
        protocol::{Dialect, Query},
        serve_sideband, serve_ws,
    },
};

/// `GET /v1/realtime`. A path may have a dialect of its own.
pub(super) async fn connect(
    State(context): State<Arc<Context>>,
    path: Option<Extension<Dialect>>,
    principal: Principal,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|_| {
        let message = "Live sessions are spoken over WebSocket: connect with an upgrade.";
        Fault::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
    })?;
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(opening::refused)?;
    let dialect = opening::dialect(&headers).or(path.map_or(Dialect::Ga, |Extension(dialect)| dialect));
    let mut upgrade = limited(upgrade);
    if let Some(answer) = guard::subprotocol(&headers).answer {
        upgrade.set_selected_protocol(HeaderValue::from_static(answer));
    }
    if let Query::Sideband { call } = &query {
        let (engine, seat) = (context.engine.clone(), sideband::seat(&context, &principal, call)?);
        return Ok(upgrade.on_upgrade(move |socket| serve_sideband(socket, engine, seat, dialect)));
    }
    let settings = opening::settings(&context, &query, opening::granted(&principal)?)?;
    let start = Start { dialect, ..opening::start(&context, &principal, settings, "ws").await? };
    Ok(upgrade.on_upgrade(move |socket| serve_ws(socket, start)))
}

pub(super) fn describe(api: &mut Api) {
    let intents = json!({"type": "string", "enum": ["transcription"]});
    api.chapter("Realtime", "Live conversations, by the OpenAI Realtime protocol.");
    api.get("/v1/realtime", "connect", "Opens a live session over WebSocket, or controls one that runs")
        .more("The handshake may carry the credential as the subprotocol `openai-insecure-api-key.…`, too.")
        .query("model", schema::text(), "What to talk with; needed by those who come with a key.")
        .query("intent", intents, "To be transcribed and not answered.")
        .query("call_id", schema::text(), "The call to control.")
        .says_nothing(101, "The protocol is spoken from here on.")
        .refuses(400, "A parameter cannot be what it is.")
        .refuses(404, "There is no such model, or no such call.")
        .refuses(426, "Live sessions are spoken over WebSocket.")
        .refuses(429, "There are as many sessions as there may be.");
}
