//! Where in a request a credential may stand.

use axum::http::{HeaderMap, Uri, header};
use base64::{Engine, prelude::BASE64_STANDARD};
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

    /// Reads it from the password of `Authorization: Basic`, which is what telephone exchanges can send.
    pub fn of_password(headers: &HeaderMap) -> Option<Self> {
        let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
        let decoded = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()).ok())??;
        let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Self::new(password)
    }

    /// Reads it from `?token=`, for client secrets alone: URLs end up in other people's logs.
    pub fn of_url(uri: &Uri) -> Option<Self> {
        let mut values = uri.query()?.split('&').filter_map(|pair| pair.strip_prefix("token="));
        values.find(|value| value.starts_with(fingerprint::SECRET)).and_then(Self::new)
    }

    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into()))
    }
}

impl From<Secret> for Credential {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use secrecy::ExposeSecret;

    use super::*;

    fn read(name: &'static str, value: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        Credential::of_request(&headers).map(shown)
    }

    fn shown(credential: Credential) -> String {
        credential.0.expose_secret().to_owned()
    }

    #[test]
    fn both_headers_are_read() {
        assert_eq!(read("authorization", "Bearer a").as_deref(), Some("a"));
        assert_eq!(read("authorization", "bEARER  a ").as_deref(), Some("a"));
        assert_eq!(read("api-key", "b").as_deref(), Some("b"));
        for nothing in ["Basic YTpi", "Bearer ", "Bearer", ""] {
            assert_eq!(read("authorization", nothing), None);
        }
    }

    #[test]
    fn a_password_is_read_where_it_is_asked_for() {
        let read = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
            Credential::of_password(&headers).map(shown)
        };
        assert_eq!(read("Basic cGJ4OnZyX2tleTp4").as_deref(), Some("vr_key:x"), "pbx:vr_key:x");
        for nothing in ["Bearer a", "Basic", "Basic ?", "Basic cGJ4", "Basic cGJ4Og=="] {
            assert_eq!(read(nothing), None);
        }
    }

    #[test]
    fn a_url_carries_client_secrets_alone() {
        let read = |uri: &str| Credential::of_url(&uri.parse().unwrap()).map(shown);
        assert_eq!(read("/?model=m&token=ek_d").as_deref(), Some("ek_d"));
        assert_eq!(read("/?token=vr_long-lived"), None);
        assert_eq!(read("/?api-key=ek_d"), None);
        assert_eq!(read("/"), None);
    }

    #[test]
    fn a_credential_is_not_printed() {
        assert!(!format!("{:?}", Credential::from(Secret::from("vr_hidden"))).contains("hidden"));
    }
}
