//! `GET /openapi.json` and `GET /docs`: all that is served, described in OpenAPI 3.1, for programs and for people.
//!
//! Nothing is described twice. Paths and what it takes to call them come from the table of routes; bodies and answers from the
//! types they are read into and written from; each resource says the rest of itself in its `describe`. What is served and not
//! described, or described and not served, fails a test.

mod document;
mod operation;
mod page;
pub(super) mod schema;

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
pub(super) use document::Api;
pub(super) use operation::Operation;

use super::{
    Route, accounts, attachments, bibliography, calls, chat, citations, clinical, cloning, completions, documents,
    download, ephemeral, exports, folders, health, home, keys, limits, messages, models, promises, providers, ready,
    realtime, replies, search, secrets, sessions, shared, shares, speech, synthesis, table, telephony, transcriptions,
    users, voice, voices, whip,
};

/// What each resource says of itself, in the order in which people read it.
const RESOURCES: &[fn(&mut Api)] = &[
    accounts::describe,
    users::describe,
    keys::describe,
    sessions::describe,
    messages::describe,
    replies::describe,
    chat::describe,
    attachments::describe,
    limits::describe,
    citations::describe,
    bibliography::describe,
    download::describe,
    documents::describe,
    search::describe,
    clinical::describe,
    folders::describe,
    exports::describe,
    shares::describe,
    shared::describe,
    promises::describe,
    voice::describe,
    transcriptions::describe,
    synthesis::describe,
    providers::describe,
    voices::describe,
    cloning::describe,
    realtime::describe,
    calls::describe,
    whip::describe,
    secrets::describe,
    ephemeral::describe,
    speech::describe,
    completions::describe,
    models::describe,
    telephony::describe,
    health::describe,
    ready::describe,
    home::describe,
    describe,
];

/// `GET /openapi.json`.
pub(super) async fn json() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| document(&table()).to_string());
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, TEXT.as_str()).into_response()
}

/// `GET /docs`.
pub(super) async fn docs() -> Response {
    static PAGE: LazyLock<(String, HeaderValue)> = LazyLock::new(|| page::of(&document(&table())));
    let (text, policy) = &*PAGE;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, policy.clone()),
    ];
    (headers, text.as_str()).into_response()
}

fn document(routes: &[Route]) -> serde_json::Value {
    let mut api = Api::new();
    RESOURCES.iter().for_each(|describe| describe(&mut api));
    api.document(routes)
}

fn describe(api: &mut Api) {
    api.get("/openapi.json", "openapi", "This description").sends(
        200,
        "application/json",
        schema::object(),
        "The document, in OpenAPI 3.1.",
    );
    api.get("/docs", "docs", "This description, for people to read").sends(
        200,
        "text/html",
        schema::text(),
        "A page that needs nothing from elsewhere.",
    );
}
