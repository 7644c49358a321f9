//! What a vendor's refusal says, fit for a log: its status, its own words where they are short, never a key.

use reqwest::Response;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    events::{Judge, Verdict},
    http,
};
use crate::{ProviderError, Secret};

/// What an answer of another status than success means, where the body may know better than the status. Reads the body,
/// up to [`LONGEST_BODY`].
pub(crate) async fn judged(provider: &str, response: Response, key: Option<&Secret>, judge: Judge) -> ProviderError {
    let status = response.status();
    let retry_after = http::retry_after(response.headers());
    let body = read_body(response).await.unwrap_or_default();
    let detail = unkeyed(&format!("status {}: {}", status.as_u16(), said(&body)), key);
    let verdict = serde_json::from_slice(&body).ok().and_then(|body| judge(&body));
    let verdict = verdict.unwrap_or(Verdict { kind: http::kind_of(status), retry_after: None });
    let retry_after = retry_after.or(verdict.retry_after);
    ProviderError { provider: provider.to_owned().into(), kind: verdict.kind, retry_after, detail }
}

/// A body of bounded length: what is longer is cut, and then no JSON.
pub(crate) async fn read_body(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        body.extend_from_slice(&bytes);
        if body.len() > LONGEST_BODY {
            break;
        }
    }
    Ok(body)
}

/// The reason in the body of a refusal, wherever vendors put it, on one short line.
pub(crate) fn said(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let reason = reason(&value).unwrap_or_default();
    plain(reason)
}

/// Looks under the names vendors use: OpenAI, Anthropic and Google `error.message`, Deepgram `err_msg`, ElevenLabs
/// `detail.message`, FastAPI `detail`.
fn reason(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(values) => values.iter().find_map(reason),
        Value::Object(fields) => {
            let names = ["message", "err_msg", "error", "detail", "reason", "description", "msg"];
            names.iter().find_map(|name| fields.get(*name).and_then(reason))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The text without our own key, should a server quote it.
pub(crate) fn unkeyed(text: &str, key: Option<&Secret>) -> String {
    match key.map(ExposeSecret::expose_secret) {
        Some(key) if !key.is_empty() => text.replace(key, "[…]"),
        Some(_) | None => text.to_owned(),
    }
}

/// A server's message as one short line without anything that looks like a key.
pub(crate) fn plain(message: &str) -> String {
    let words = message.split_whitespace().map(|word| {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let key = KEYS.iter().any(|prefix| core.starts_with(prefix));
        if key || core.len() > LONGEST_WORD { "[…]" } else { word }
    });
    let line = words.take(60).collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_DETAIL).collect();
    if line.is_empty() { "no reason given".to_owned() } else { line }
}

/// Far above any refusal, far below what hurts.
const LONGEST_BODY: usize = 1 << 20;
/// Enough to tell what is wrong, too short to leak a conversation.
const LONGEST_DETAIL: usize = 200;
/// Longer words are no words.
const LONGEST_WORD: usize = 48;
/// How vendors' keys begin.
const KEYS: [&str; 8] = ["sk-", "key-", "gsk_", "hf_", "vr_", "ek_", "AIza", "sk_"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_wherever_vendors_put_it() {
        for (body, expected) in [
            (r#"{"error":{"message":"slow down","type":"rate_limit_error"}}"#, "slow down"),
            (
                r#"{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"x"}"#,
                "Invalid credentials.",
            ),
            (r#"{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}"#, "Invalid API key"),
            (r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, "field required"),
            (r#"[{"error":{"code":429,"message":"Quota exceeded"}}]"#, "Quota exceeded"),
            (r#""no""#, "no"),
            ("<html>oops</html>", "no reason given"),
            ("", "no reason given"),
        ] {
            assert_eq!(said(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn nothing_that_looks_like_a_key_is_repeated() {
        assert_eq!(plain("Incorrect key: sk-abcdef."), "Incorrect key: […]");
        assert_eq!(plain(&"x".repeat(60)), "[…]");
        assert_eq!(unkeyed("your key tiger is bad", Some(&"tiger".into())), "your key […] is bad");
    }
}
