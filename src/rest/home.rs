//! `GET /`: what this is, for somebody who opened the URL in a browser.

use axum::response::{IntoResponse, Response};

/// Says what answers here and how to talk to it.
pub(super) async fn show() -> Response {
    concat!(
        "voice-relay ",
        env!("CARGO_PKG_VERSION"),
        "\n\nA realtime voice relay. It speaks the OpenAI Realtime protocol:\n\n",
        "  WebSocket  /v1/realtime?model=voice-relay   with `Authorization: Bearer <key>`\n",
        "  HTTP       /v1/audio/transcriptions, /v1/audio/speech, /v1/models\n",
        "  History    /api/sessions, /api/sessions/{id}/messages\n",
        "  Health     /health, /ready, /metrics\n\n",
        "Point an OpenAI SDK at this server's /v1 as its base URL, or run `voice-relay talk question.wav`.\n",
    )
    .into_response()
}
