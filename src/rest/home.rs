//! `GET /`: the page to talk on for browsers, and in a few lines what this is for everybody else.

use axum::{
    extract::Path,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{
    embedded::{FILES, find},
    fault::Fault,
    openapi::{Api, schema},
};

/// Whether there is a page in this binary.
pub fn has_page() -> bool {
    !FILES.is_empty()
}

/// The page, for whoever takes HTML; else what answers here and how to talk to it.
pub(super) async fn show(headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok()).unwrap_or_default();
    let page = if accepted.contains("text/html") { find(FILES, "index.html", &headers) } else { None };
    page.unwrap_or_else(|| text().into_response())
}

/// `GET /assets/{name}`: what the page is made of.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Fault> {
    find(FILES, &format!("assets/{name}"), &headers).ok_or_else(Fault::not_found)
}

fn text() -> String {
    let page = if has_page() { PAGE } else { NO_PAGE };
    format!("voice-relay {}\n\n{TEXT}\n{page}\n", env!("CARGO_PKG_VERSION"))
}

const TEXT: &str = "\
A realtime voice relay. It speaks the OpenAI Realtime protocol:

  WebSocket  /v1/realtime?model=voice-relay   with `Authorization: Bearer <key>`
  HTTP       /v1/audio/transcriptions, /v1/audio/speech, /v1/models
  History    /api/sessions, /api/sessions/{id}/messages
  Health     /health, /ready, /metrics
  All of it  /docs, /openapi.json

Point an OpenAI SDK at this server's /v1 as its base URL, or run `voice-relay talk question.wav`.
";
const PAGE: &str = "Open this address in a browser to talk.";
const NO_PAGE: &str =
    "There is no page to talk on in this binary: `scripts/web` builds it, then `cargo build` puts it in.";

pub(super) fn describe(api: &mut Api) {
    api.get("/", "home", "The page to talk on, or what answers here")
        .sends(200, "text/html", schema::text(), "The page, for those who take HTML; else a few lines.")
        .sends(200, "text/plain", schema::text(), "")
        .says_nothing(304, "The caller has it.");
    api.get("/assets/{name}", "asset", "What the page is made of")
        .sends(200, "*/*", schema::bytes(), "The file.")
        .says_nothing(304, "The caller has it.");
}
