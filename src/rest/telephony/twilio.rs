//! `/telephony/twilio/voice`: Twilio asks what to do with a call, and is told in TwiML to stream it here.
//!
//! Twilio signs its requests, and the handshake of its streams, with the account's auth token:
//! <https://www.twilio.com/docs/usage/security#validating-requests>.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use providers::Secret;
use secrecy::ExposeSecret;

use super::{invite, markup, off, stream_url, unsigned, url};
use crate::rest::{Context, body, fault::Fault};

/// Where the signature stands.
const SIGNATURE: &str = "x-twilio-signature";

/// `GET` or `POST /telephony/twilio/voice`.
pub(in crate::rest) async fn answer(
    State(context): State<Arc<Context>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    let token = context.telephony.twilio_auth_token.clone();
    if token.expose_secret().is_empty() {
        return Err(off());
    }
    let bytes = if method == Method::POST { body::read(request, &context).await? } else { Default::default() };
    let form: Vec<(String, String)> = form_urlencoded::parse(&bytes).into_owned().collect();
    if !is_signed(&token, &headers, &url(&context, &headers, &uri), &form) {
        return Err(unsigned("twilio"));
    }
    let (stream, invitation) = (stream_url(&context, &headers, "twilio"), invite(&context)?);
    let twiml = markup(&stream, "", &invitation, &context.telephony.greeting);
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], twiml).into_response())
}

/// Whether Twilio signed the handshake of a stream to this URL.
pub(super) fn signed_stream(context: &Context, headers: &HeaderMap, uri: &Uri) -> bool {
    let token = &context.telephony.twilio_auth_token;
    if token.expose_secret().is_empty() {
        return false;
    }
    let url = url(context, headers, uri);
    let socket = url.replacen("http", "ws", 1);
    [socket, url].iter().any(|url| is_signed(token, headers, url, &[]))
}

/// Whether the request carries Twilio's signature for this URL and form.
fn is_signed(token: &Secret, headers: &HeaderMap, url: &str, form: &[(String, String)]) -> bool {
    let signature = headers.get(SIGNATURE).and_then(|value| BASE64_STANDARD.decode(value.as_bytes()).ok());
    let Some(signature) = signature else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose_secret().as_bytes());
    let mut form: Vec<_> = form.iter().collect();
    form.sort();
    form.dedup();
    spellings(url).iter().any(|url| {
        let mut signed = url.clone();
        form.iter().for_each(|(name, value)| signed.extend([name.as_str(), value.as_str()]));
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
    })
}

/// The URL with and without its scheme's own port, of which Twilio may sign either.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return spellings };
    let port = if matches!(scheme, "https" | "wss") { "443" } else { "80" };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match host.rsplit_once(':') {
        Some((bare, given)) if given == port => spellings.push(format!("{scheme}://{bare}{path}")),
        Some((_, given)) if given.bytes().all(|byte| byte.is_ascii_digit()) => {}
        Some(_) | None => spellings.push(format!("{scheme}://{host}:{port}{path}")),
    }
    spellings
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// The example of Twilio's documentation and of its libraries' tests.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const VALID: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    fn example() -> Vec<(String, String)> {
        let pairs = [
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Digits", "1234"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn check(signature: &'static str, url: &str, form: &[(String, String)]) -> bool {
        let headers = [(header::HeaderName::from_static(SIGNATURE), HeaderValue::from_static(signature))];
        is_signed(&Secret::from("12345"), &HeaderMap::from_iter(headers), url, form)
    }

    #[test]
    fn the_documented_example_is_signed_and_nothing_else_is() {
        assert!(check(VALID, URL, &example()));
        assert!(check(VALID, "https://mycompany.com:443/myapp.php?foo=1&bar=2", &example()));
        assert!(!check(VALID, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", &example()));
        assert!(!check(VALID, "https://mycompany.com/myapp.php?foo=1&bar=3", &example()));
        assert!(!check(VALID, URL, &example()[1..]));
        assert!(!check("RSOYDt4T1cUTdK1PDd93/VVr8B9=", URL, &example()));
        for nothing in ["", "not base64", "AAAA"] {
            assert!(!check(nothing, URL, &example()));
        }
        assert!(!is_signed(&Secret::from("12345"), &HeaderMap::new(), URL, &example()));
    }
}
