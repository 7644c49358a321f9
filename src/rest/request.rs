//! What every request goes through: an id, a span, its errors spelled, its panics caught, foreign pages kept out.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tower_http::{
    CompressionLevel,
    compression::CompressionLayer,
    cors::{AllowHeaders, AllowOrigin, CorsLayer},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{Context, address, fault::Fault, headers, rates};

/// Wraps a request. The log line at its end carries the id that the client sees. Path and query may hold what callers put
/// there by mistake, credentials too, so the route's pattern is logged and neither of them.
pub(super) async fn attend(State(context): State<Arc<Context>>, mut request: Request, next: Next) -> Response {
    address::note(&mut request, &context.config.trusted_proxies);
    let id = format!("req_{}", Uuid::now_v7().simple());
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str);
    let span = tracing::info_span!("request", request.id = %id, method = %request.method(), route);
    async {
        let began = context.engine.clock.now();
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = answer.unwrap_or_else(|panic| {
            tracing::error!(panic = reason(&*panic), "a request panicked");
            Fault::internal().into_response()
        });
        if let Some(fault) = response.extensions_mut().remove::<Arc<Fault>>() {
            fault.set_status(&path, &mut response);
            fault.write(&path, &id, &mut response);
        }
        headers::complete(response.headers_mut(), context.config.public_url.starts_with("https://"));
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let elapsed = context.engine.clock.now().saturating_duration_since(began);
        tracing::debug!(status = response.status().as_u16(), elapsed_ms = elapsed.as_millis() as u64, "answered");
        response
    }
    .instrument(span)
    .await
}

fn reason(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("of unknown kind")
}

/// Lets pages of these origins call the relay. Without any, browsers keep every page of another origin out of all but
/// [`OPEN`]: what a page can do there it does by the secret it was given, never by being opened in the right browser.
pub(super) fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    let allowed = AllowOrigin::predicate(move |origin, parts| {
        let open = || OPEN.iter().any(|path| parts.uri.path().starts_with(path));
        origins.contains(origin) || origins.is_empty() && open()
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED)
        .max_age(PREFLIGHT)
}

/// Compresses text that is not already, for who takes gzip. Events are not: they are to arrive when they happen. Nor are files:
/// parts of them are asked for by their place in the whole.
pub(super) fn compression() -> CompressionLayer<impl Fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool + Clone> {
    let worthwhile = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        COMPRESSED.contains(&kind) && !headers.contains_key(header::ACCEPT_RANGES)
    };
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worthwhile)
}

/// What gets smaller.
const COMPRESSED: [&str; 5] =
    ["application/json", "application/problem+json", "text/html", "text/markdown", "text/plain"];

/// Carries the id under which the log holds what happened.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What pages of other origins may read beside the body.
const EXPOSED: [HeaderName; 7] =
    [REQUEST_ID, header::LOCATION, header::LINK, header::RETRY_AFTER, rates::LIMIT, rates::REMAINING, rates::RESET];

/// Live voice for pages of any origin, while no origins are named.
const OPEN: [&str; 3] = ["/v1/realtime/calls", "/v1/realtime/client_secrets", "/whip"];

/// How long browsers may remember a preflight; two hours is the most Chromium keeps one.
const PREFLIGHT: Duration = Duration::from_secs(7200);
