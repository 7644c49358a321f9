//! `/telephony/telnyx/voice`: Telnyx asks what to do with a call, and is told in TeXML to stream it here.
//!
//! Telnyx signs its requests with Ed25519 over `timestamp|body`:
//! <https://developers.telnyx.com/docs/development/api-fundamentals/webhooks>.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{invite, markup, off, stream_url, unsigned};
use crate::rest::{Context, body, fault::Fault};

/// Where the signature and its time stand.
const SIGNATURE: &str = "telnyx-signature-ed25519";
const TIMESTAMP: &str = "telnyx-timestamp";

/// How old, or how far ahead of our clock, a signature may be, in seconds: Telnyx' own advice.
const TOLERANCE: u64 = 300;

/// `POST /telephony/telnyx/voice`.
pub(in crate::rest) async fn answer(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Fault> {
    let key = key(&context.telephony.telnyx_public_key).ok_or_else(off)?;
    let body = body::read(request, &context).await?;
    if !is_signed(&key, &headers, &body, context.engine.clock.unix()) {
        return Err(unsigned("telnyx"));
    }
    let token = invite(&context)?;
    // Streams carry the parameters of their markup, and keep the query of their URL.
    let stream = format!("{}?token={token}", stream_url(&context, &headers, "telnyx"));
    let both_ways = r#" bidirectionalMode="rtp" bidirectionalCodec="PCMU""#;
    let texml = markup(&stream, both_ways, &token, &context.telephony.greeting);
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], texml).into_response())
}

/// The public key in the spelling of Telnyx' portal.
pub(super) fn key(text: &str) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

fn is_signed(key: &[u8; 32], headers: &HeaderMap, body: &[u8], now: u64) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(timestamp), Some(signature)) = (text(TIMESTAMP), text(SIGNATURE)) else { return false };
    let fresh = timestamp.parse().is_ok_and(|at: u64| at.abs_diff(now) <= TOLERANCE);
    let Some(signature) = BASE64_STANDARD.decode(signature).ok().filter(|_| fresh) else { return false };
    let signed = [timestamp.as_bytes(), b"|", body].concat();
    UnparsedPublicKey::new(&ED25519, key).verify(&signed, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    #[test]
    fn what_telnyx_signed_just_now_is_signed_and_nothing_else_is() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let body = b"CallSid=v3%3A1&From=%2B13122010094";
        let signature = BASE64_STANDARD.encode(pair.sign(&[b"1700000000|", &body[..]].concat()));
        let headers = |timestamp: &str, signature: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(TIMESTAMP, timestamp.parse().unwrap());
            headers.insert(SIGNATURE, signature.parse().unwrap());
            headers
        };
        let good = headers("1700000000", &signature);
        assert!(is_signed(&key, &good, body, 1_700_000_300));
        assert!(!is_signed(&key, &good, body, 1_700_000_301), "a replay");
        assert!(!is_signed(&key, &good, b"CallSid=other", 1_700_000_000));
        assert!(!is_signed(&[1; 32], &good, body, 1_700_000_000));
        assert!(!is_signed(&key, &headers("1700000001", &signature), body, 1_700_000_000));
        assert!(!is_signed(&key, &headers("x", &signature), body, 1_700_000_000));
        assert!(!is_signed(&key, &HeaderMap::new(), body, 1_700_000_000));
    }
}
