//! `GET /v1/realtime`: the door to a live session over WebSocket.
//!
//! All that can be refused is refused before the upgrade, with an HTTP status and the OpenAI error object.

use std::sync::Arc;

use axum::{
    extract::{
        RawQuery, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{Context, fault::Fault, guard, opening};
use crate::{
    auth::Principal,
    realtime::{limited, protocol::Query, serve_ws},
};

/// `GET /v1/realtime`.
pub(super) async fn connect(
    State(context): State<Arc<Context>>,
    principal: Principal,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|_| {
        let message = "Live sessions are spoken over WebSocket: connect with an upgrade.";
        Fault::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
    })?;
    if wants_beta(&headers) {
        let message = "The beta shape of the Realtime API is not served; leave out `OpenAI-Beta: realtime=v1`.";
        return Err(Fault::new(StatusCode::BAD_REQUEST, "beta_api_shape_disabled", message));
    }
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(opening::refused)?;
    if matches!(query, Query::Sideband { .. }) {
        return Err(Fault::new(StatusCode::NOT_FOUND, "call_not_found", "No such call is running.").at("call_id"));
    }
    let settings = opening::settings(&context, &query, opening::granted(&principal)?)?;
    let start = opening::start(&context, &principal, settings, "ws")?;
    let mut upgrade = limited(upgrade);
    if let Some(answer) = guard::subprotocol(&headers).answer {
        upgrade.set_selected_protocol(HeaderValue::from_static(answer));
    }
    Ok(upgrade.on_upgrade(move |socket| serve_ws(socket, start)))
}

fn wants_beta(headers: &HeaderMap) -> bool {
    let named = |name: &str, value: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|list| list.split(',')).any(|entry| entry.trim() == value)
    };
    named("openai-beta", "realtime=v1") || named(header::SEC_WEBSOCKET_PROTOCOL.as_str(), "openai-beta.realtime-v1")
}
