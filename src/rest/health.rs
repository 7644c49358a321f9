//! Whether we are alive, whether we can serve, and how we fare.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Context;

/// `GET /health`: the process answers.
pub(super) async fn live() -> Response {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})).into_response()
}

/// `GET /ready`: the database answers and new sessions are taken; else 503 with what is missing.
pub(super) async fn ready(State(context): State<Arc<Context>>) -> Response {
    let database = context.db.ping().await;
    if let Err(error) = &database {
        tracing::error!(error = error as &dyn std::error::Error, "the database does not answer");
    }
    let draining = context.engine.drain.has_begun();
    let word = |good| if good { "ok" } else { "failed" };
    let good = database.is_ok() && !draining;
    let body = json!({
        "status": if good { "ready" } else { "unavailable" },
        "checks": {"database": word(database.is_ok()), "accepting": if draining { "draining" } else { "ok" }},
    });
    let status = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body)).into_response()
}

/// `GET /metrics`, in Prometheus' text format.
pub(super) async fn metrics(State(context): State<Arc<Context>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (context.metrics)()).into_response()
}
