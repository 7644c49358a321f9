//! Where the relay is, as callers know it.

use axum::http::{HeaderMap, header};

use super::Context;

/// The relay's own origin: the configured one, else the one this request was made to.
pub(super) fn origin(context: &Context, headers: &HeaderMap) -> String {
    let configured = context.config.public_url.trim_end_matches('/');
    if !configured.is_empty() {
        return configured.to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("{}://{host}", if context.config.tls { "https" } else { "http" })
}

/// The same for WebSockets.
pub(super) fn socket(context: &Context, headers: &HeaderMap) -> String {
    let origin = origin(context, headers);
    origin.strip_prefix("http").map_or_else(|| format!("wss://{origin}"), |rest| format!("ws{rest}"))
}
