//! Where in a request a credential may stand.

use axum::http::{HeaderMap, Uri, header};
use providers::Secret;

use super::fingerprint;

/// A key or client secret as a caller presented it. Not known to be good; `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct Credential(pub(super) Secret);

impl Credential {
    /// Reads it from `Authorization: Bearer`, else `api-key`.
    pub fn of_request(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| {
            let (scheme, token) = value.trim().split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        Self::new(bearer.or_else(|| text("api-key"))?)
    }

    /// As [`of_request`](Self::of_request), else the subprotocol `openai-insecure-api-key.…`, else `?token=` for client
    /// secrets alone: browsers cannot set headers on a WebSocket, and URLs end up in other people's logs.
    pub fn of_websocket(headers: &HeaderMap, uri: &Uri) -> Option<Self> {
        let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
        let offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let subprotocol = || offered.filter_map(|name| name.trim().strip_prefix(SUBPROTOCOL)).find_map(Self::new);
        let token = || {
            let pairs = uri.query()?.split('&').filter_map(|pair| pair.strip_prefix("token="));
            pairs.filter(|value| value.starts_with(fingerprint::SECRET)).find_map(Self::new)
        };
        Self::of_request(headers).or_else(subprotocol).or_else(token)
    }

    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }
}

const SUBPROTOCOL: &str = "openai-insecure-api-key.";

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use secrecy::ExposeSecret;

    use super::*;

    fn read(headers: &[(&'static str, &'static str)], uri: &str) -> Option<String> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let found = Credential::of_websocket(&headers, &uri.parse().unwrap());
        found.map(|credential| credential.0.expose_secret().to_owned())
    }

    #[test]
    fn every_form_is_read_and_headers_come_first() {
        assert_eq!(read(&[("authorization", "Bearer a")], "/").as_deref(), Some("a"));
        assert_eq!(read(&[("authorization", "bEARER  a ")], "/").as_deref(), Some("a"));
        assert_eq!(read(&[("api-key", "b")], "/").as_deref(), Some("b"));
        let offered = ("sec-websocket-protocol", "realtime, openai-insecure-api-key.c, openai-beta.realtime-v1");
        assert_eq!(read(&[offered], "/").as_deref(), Some("c"));
        assert_eq!(read(&[("authorization", "Bearer a"), offered], "/").as_deref(), Some("a"));
        assert_eq!(read(&[], "/?model=m&token=ek_d").as_deref(), Some("ek_d"));
    }

    #[test]
    fn nothing_is_read_where_nothing_of_use_stands() {
        assert_eq!(read(&[("authorization", "Basic YTpi")], "/?api-key=x"), None);
        assert_eq!(read(&[("authorization", "Bearer ")], "/?token=vr_long-lived"), None);
        assert_eq!(read(&[("sec-websocket-protocol", "realtime,openai-insecure-api-key.")], "/"), None);
    }
}
