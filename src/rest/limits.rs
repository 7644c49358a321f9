//! `GET /api/limits`: how much is taken, for whoever wants to know before they send it.

use std::sync::Arc;

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Context, openapi::Api};

/// How much is taken.
#[derive(Serialize, JsonSchema)]
pub(super) struct Limits {
    /// Of a file, in bytes: with a message, or as a document.
    file_bytes: u64,
}

/// `GET /api/limits`.
pub(super) async fn show(State(context): State<Arc<Context>>) -> Json<Limits> {
    Json(Limits { file_bytes: context.storage.most() })
}

pub(super) fn describe(api: &mut Api) {
    api.get("/api/limits", "show_limits", "Shows how large a file may be").gives::<Limits>(
        200,
        "How much is taken.",
        json!({"file_bytes": 52_428_800}),
    );
}
