//! `/telephony`: where phone networks ask what to do with a call, and where its sound comes in.
//!
//! A map. A vendor's webhook (`twilio`, `telnyx`, `vonage`) proves by its signature that the vendor asks, and is told to open a
//! stream with a `token` in hand: a client secret good for a minute, which `stream` asks for once the stream has started.
//! What calls are like stands in `config`. Nobody gets in without a token or a vendor's signature.

mod config;
pub(super) mod stream;
pub(super) mod telnyx;
pub(super) mod twilio;
pub(super) mod vonage;

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, Uri, header};
pub use config::{Config, VARIABLES};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{
    Context,
    fault::Fault,
    openapi::{Api, Operation, schema},
};
use crate::realtime::Dialect;

/// How long the stream may take to open after the vendor asked: it opens as soon as the call is answered.
const INVITATION: Duration = Duration::from_secs(60);

/// A call's own credential.
const TOKEN: &str = "token";

/// What the assistant does first.
const GREETING: &str = "greeting";

/// A token for one call, which begins with the configured session.
fn invite(context: &Context) -> Result<String, Fault> {
    let issued = context.auth.invite(context.telephony.session_json().into(), INVITATION).map_err(|full| {
        let message = format!("No call can be taken now: {full}.");
        Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(Duration::from_secs(10))
    })?;
    Ok(issued.secret.expose_secret().to_owned())
}

/// The URL this request was made to, as its sender knows it: the configured one, else what the request says of itself.
fn url(context: &Context, headers: &HeaderMap, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
    format!("{}{path}", origin(context, headers))
}

/// The relay's own origin: `https://relay.example.org`.
fn origin(context: &Context, headers: &HeaderMap) -> String {
    if !context.telephony.public_url.is_empty() {
        return context.telephony.public_url.trim_end_matches('/').to_owned();
    }
    // Vendors call https alone, whatever a proxy makes of it.
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("https://{host}")
}

/// Where a vendor is to open the stream of its dialect: `wss://relay.example.org/telephony/twilio`.
fn stream_url(context: &Context, headers: &HeaderMap, dialect: &str) -> String {
    let origin = origin(context, headers);
    let socket = match origin.split_once("://") {
        Some(("http", host)) => format!("ws://{host}"),
        Some((_, host)) => format!("wss://{host}"),
        None => format!("wss://{origin}"),
    };
    format!("{socket}/telephony/{dialect}")
}

/// A webhook of a vendor whose secret is not configured.
fn off() -> Fault {
    let message = "Calls of this vendor are not set up here: docs/telephony.md tells how.";
    Fault::new(StatusCode::NOT_FOUND, "not_configured", message)
}

/// A webhook that the vendor did not sign, or not for this URL, or long ago.
fn unsigned(vendor: &'static str) -> Fault {
    tracing::warn!(vendor, "a webhook's signature is missing or wrong");
    let message = "The signature is missing or wrong: see docs/telephony.md, also about server.public_url.";
    Fault::new(StatusCode::FORBIDDEN, "invalid_signature", message)
}

/// Text as the value of an XML attribute.
fn attribute(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            // Not allowed in XML at all.
            control if control.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

/// TwiML and TeXML: a stream with its parameters.
fn markup(url: &str, attributes: &str, token: &str, greeting: &str) -> String {
    let mut parameters = format!(r#"<Parameter name="{TOKEN}" value="{}"/>"#, attribute(token));
    if !greeting.is_empty() {
        parameters.push_str(&format!(r#"<Parameter name="{GREETING}" value="{}"/>"#, attribute(greeting)));
    }
    let url = attribute(url);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Response><Connect><Stream url="{url}"{attributes}>{parameters}</Stream></Connect></Response>"#
    )
}

pub(super) fn describe(api: &mut Api) {
    let dialects = schema::one_of(&Dialect::ALL.map(Dialect::name));
    let (ncco, answer) = (json!({"type": "array", "items": {"type": "object"}}), "What to do with the call.");
    api.chapter("Telephony", "What phone networks call: docs/telephony.md.");
    api.get("/telephony/{dialect}", "stream_call", "Streams a call over WebSocket")
        .part("dialect", dialects, "How the gateway speaks.")
        .query("token", schema::text(), "A client secret, where the gateway has no other place for it.")
        .says_nothing(101, "The call is streamed from here on.")
        .refuses(426, "Calls are streamed over WebSocket.");
    xml(api.get("/telephony/twilio/voice", "twilio_get", "Twilio asks what to do with a call"));
    xml(form(api.post("/telephony/twilio/voice", "twilio_post", "Twilio asks what to do with a call")));
    xml(form(api.post("/telephony/telnyx/voice", "telnyx", "Telnyx asks what to do with a call")));
    asked(api.get("/telephony/vonage/answer", "vonage_get", "Vonage asks what to do with a call").sends(
        200,
        "application/json",
        ncco.clone(),
        answer,
    ));
    told(api.post("/telephony/vonage/answer", "vonage_post", "Vonage asks what to do with a call").sends(
        200,
        "application/json",
        ncco,
        answer,
    ));
    told(
        api.post("/telephony/vonage/event", "vonage_event", "Vonage tells how a call goes").says_nothing(204, "Heard."),
    );
}

/// A vendor's question, which it signs.
fn asked(operation: Operation<'_>) -> Operation<'_> {
    operation
        .refuses(403, "The vendor did not sign it.")
        .refuses(404, "Calls of this vendor are not set up here.")
        .refuses(429, "There are too many client secrets.")
}

/// One that is answered in TwiML or TeXML.
fn xml(operation: Operation<'_>) -> Operation<'_> {
    asked(operation.sends(200, "text/xml", schema::text(), "What to do with the call: stream it here."))
}

/// One that comes as a form.
fn form(operation: Operation<'_>) -> Operation<'_> {
    let media = "application/x-www-form-urlencoded";
    operation.takes_as(media, schema::object(), Value::Null, false).refuses(400, "The body broke off.")
}

/// One that comes as JSON.
fn told(operation: Operation<'_>) -> Operation<'_> {
    let body = operation.takes_as("application/json", schema::object(), json!({"uuid": "aaaa"}), false);
    asked(body.refuses(400, "The body broke off."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_into_an_attribute_stays_in_it() {
        assert_eq!(attribute("a\"><Dial>1\u{0}&\n"), "a&quot;&gt;&lt;Dial&gt;1&amp;&#10;");
        let markup = markup("wss://a/b?c=1&d=2", "", "ek_1", "Say \"hi\"");
        assert!(markup.contains(r#"url="wss://a/b?c=1&amp;d=2""#) && markup.contains(r#"value="Say &quot;hi&quot;""#));
    }
}
