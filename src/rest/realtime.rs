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

use super::{Context, fault::Fault, guard, opening, sideband};
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
