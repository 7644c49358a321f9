//! Whether we are alive, and how we fare.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Context,
    openapi::{Api, schema},
};

/// That we are alive.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Alive")]
struct View {
    /// Always `ok`.
    status: &'static str,
    version: &'static str,
}

/// `GET /health`: the process answers.
pub(super) async fn live() -> Response {
    Json(View { status: "ok", version: env!("CARGO_PKG_VERSION") }).into_response()
}

/// `GET /metrics`, in Prometheus' text format.
pub(super) async fn metrics(State(context): State<Arc<Context>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], (context.metrics)()).into_response()
}

pub(super) fn describe(api: &mut Api) {
    api.chapter("Operating", "Whether it lives, and how it fares.");
    api.get("/health", "health", "Tells that the process answers").gives::<View>(
        200,
        "It does.",
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}),
    );
    api.get("/metrics", "metrics", "Counts, for Prometheus").sends(
        200,
        "text/plain",
        schema::text(),
        "In its text format.",
    );
}
