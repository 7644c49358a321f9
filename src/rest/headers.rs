//! What browsers are told about every answer, whatever is in it, where the answer itself says nothing else.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Adds what is missing. `https` says that nobody reaches the relay otherwise.
pub(super) fn complete(headers: &mut HeaderMap, https: bool) {
    let usual = USUAL.into_iter().chain(https.then_some(HTTPS));
    for (name, value) in usual {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Answers are data: nothing in them runs or is framed, no copy of them is kept, no site hears where somebody came from, and
/// no other site's page embeds them. The pages that are more say so themselves.
const USUAL: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// RFC 6797; half a year.
const HTTPS: (HeaderName, &str) = (header::STRICT_TRANSPORT_SECURITY, "max-age=15552000");
