//! `/telephony/vonage/answer`: Vonage asks what to do with a call, and is told in an NCCO to stream it here.
//!
//! Vonage signs its requests with a JSON Web Token (HS256) in `Authorization`:
//! <https://developer.vonage.com/en/getting-started/concepts/webhooks#validating-signed-webhooks>.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{GREETING, TOKEN, invite, off, stream_url, unsigned};
use crate::rest::{Context, body, fault::Fault};

/// How old, or how far ahead of our clock, a signature may be, in seconds.
const TOLERANCE: u64 = 300;

/// `GET` or `POST /telephony/vonage/answer`.
pub(in crate::rest) async fn answer(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    receive(&context, &headers, request).await?;
    let mut members = Map::from_iter([(TOKEN.to_owned(), invite(&context)?.into())]);
    if !context.telephony.greeting.is_empty() {
        members.insert(GREETING.to_owned(), context.telephony.greeting.as_str().into());
    }
    let endpoint = json!({
        "type": "websocket",
        "uri": stream_url(&context, &headers, "vonage"),
        "content-type": "audio/l16;rate=16000",
        "headers": members,
    });
    Ok(Json(json!([{"action": "connect", "endpoint": [endpoint]}])).into_response())
}

/// `POST /telephony/vonage/event`: Vonage wants to tell how calls go. The stream itself tells us.
pub(in crate::rest) async fn event(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Fault> {
    receive(&context, &headers, request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a request that Vonage signed.
async fn receive(context: &Arc<Context>, headers: &HeaderMap, request: Request) -> Result<Bytes, Fault> {
    let secret = &context.telephony.vonage_signature_secret;
    if secret.expose_secret().is_empty() {
        return Err(off());
    }
    let body = body::read(request, context).await?;
    if is_signed(secret, headers, &body, context.engine.clock.unix()) { Ok(body) } else { Err(unsigned("vonage")) }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    /// When it was signed.
    iat: u64,
    /// SHA-256 of the body, in hexadecimal digits.
    payload_hash: Option<String>,
}

fn is_signed(secret: &Secret, headers: &HeaderMap, body: &[u8], now: u64) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        bearer.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.is_some_and(|(_, token)| verify(secret, token.trim(), body, now).is_some())
}

fn verify(secret: &Secret, token: &str, body: &[u8], now: u64) -> Option<()> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    hmac::verify(&key, signed.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let (header, claims): (Header, Claims) = (part(header)?, part(claims)?);
    let hashed = match claims.payload_hash {
        Some(hash) => {
            let digest = Sha256::digest(body);
            let written: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            bool::from(written.as_bytes().ct_eq(hash.to_ascii_lowercase().as_bytes()))
        }
        // There is a hash wherever there is a body.
        None => body.is_empty(),
    };
    (header.alg == "HS256" && hashed && claims.iat.abs_diff(now) <= TOLERANCE).then_some(())
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"from":"442079460000","to":"447700900000","uuid":"aaaa"}"#;
    const NOW: u64 = 1_700_000_000;

    fn token(key: &str, header: &str, claims: &str) -> String {
        let signed = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn claims(body: &[u8]) -> String {
        let digest: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"iat": NOW, "iss": "Vonage", "jti": "1", "payload_hash": digest, "api_key": "abcd"}).to_string()
    }

    fn check(token: &str, body: &[u8], now: u64) -> bool {
        let value = format!("Bearer {token}").parse().unwrap();
        is_signed(&Secret::from("secret"), &HeaderMap::from_iter([(header::AUTHORIZATION, value)]), body, now)
    }

    #[test]
    fn what_vonage_signed_just_now_is_signed_and_nothing_else_is() {
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        let good = token("secret", header, &claims(BODY));
        assert!(check(&good, BODY, NOW + 300));
        assert!(!check(&good, BODY, NOW + 301), "a replay");
        assert!(!check(&good, b"{}", NOW), "another body");
        assert!(!check(&token("other", header, &claims(BODY)), BODY, NOW));
        assert!(!check(&token("secret", r#"{"alg":"none"}"#, &claims(BODY)), BODY, NOW));
        let bare = token("secret", header, &json!({"iat": NOW}).to_string());
        assert!(check(&bare, b"", NOW), "a GET has no body to hash");
        assert!(!check(&bare, BODY, NOW));
        for nonsense in ["", "a.b", "a.b.c", "...."] {
            assert!(!check(nonsense, BODY, NOW));
        }
    }
}
