//! Phone networks prove themselves, and nobody else is told anything or let in.

use std::time::Duration;

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use voice_relay::rest::telephony::Config;

use crate::{
    gateway::{Gateway, Socket, dial, of},
    server::{PATIENCE, Script, Server},
    vendors::{ALL, Vendor},
};

const ORIGIN: &str = "https://relay.example.org";
const AUTH_TOKEN: &str = "12345";

fn config() -> Config {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    Config {
        session: toml::from_str("instructions = 'You are a receptionist.'").unwrap(),
        greeting: "Say \"hello\" & ask.".to_owned(),
        twilio_auth_token: AUTH_TOKEN.into(),
        telnyx_public_key: BASE64_STANDARD.encode(pair.public_key().as_ref()),
        vonage_signature_secret: "vonage-secret".into(),
        public_url: ORIGIN.to_owned(),
    }
}

fn twilio_signature(signed: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, AUTH_TOKEN.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

async fn ask_twilio(server: &Server, signature: &str) -> Response {
    let request =
        server.bare(Method::POST, "/telephony/twilio/voice").body("From=%2B14158675309&CallSid=CA1&To=%2B1800");
    request.header("x-twilio-signature", signature).send().await.unwrap()
}

/// The value of a `<Parameter>`.
fn parameter(markup: &str, name: &str) -> String {
    let (_, rest) = markup.split_once(&format!(r#"name="{name}" value=""#)).unwrap_or_else(|| panic!("{markup}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn code(answer: Response, status: StatusCode) -> String {
    assert_eq!(answer.status(), status);
    answer.json::<Value>().await.unwrap()["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn twilio_is_told_to_stream_with_a_token_that_lets_the_call_in() {
    let server = Server::start(Script { telephony: config(), replies: vec!["Hello."], ..Script::default() }).await;
    let good = twilio_signature(&format!("{ORIGIN}/telephony/twilio/voiceCallSidCA1From+14158675309To+1800"));
    let answer = ask_twilio(&server, &good).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/xml; charset=utf-8");
    let twiml = answer.text().await.unwrap();
    assert!(twiml.contains(r#"<Connect><Stream url="wss://relay.example.org/telephony/twilio">"#), "{twiml}");
    assert_eq!(parameter(&twiml, "greeting"), "Say &quot;hello&quot; &amp; ask.");
    let token = parameter(&twiml, "token");
    assert!(token.starts_with("ek_"));
    let parameters = json!({"token": token, "greeting": "Say hello."});
    let mut call = Gateway::call_with(&server.url, Vendor::Twilio, parameters, Duration::from_millis(60)).await;
    call.until("the greeting", |heard| heard.played > 10).await;
}

#[tokio::test]
async fn who_is_not_twilio_is_told_nothing() {
    let server = Server::start(Script { telephony: config(), ..Script::default() }).await;
    let other_url =
        twilio_signature("https://evil.example.org/telephony/twilio/voiceCallSidCA1From+14158675309To+1800");
    let other_form = twilio_signature(&format!("{ORIGIN}/telephony/twilio/voiceCallSidCA2From+14158675309To+1800"));
    for wrong in [other_url.as_str(), other_form.as_str(), "", "AAAA", "no base64"] {
        assert_eq!(code(ask_twilio(&server, wrong).await, StatusCode::FORBIDDEN).await, "invalid_signature");
    }
    let without = Server::start(Script::default()).await;
    assert_eq!(code(ask_twilio(&without, "AAAA").await, StatusCode::NOT_FOUND).await, "not_configured");
}

#[tokio::test]
async fn twilios_signature_of_the_handshake_is_enough() {
    let server = Server::start(Script { telephony: config(), replies: vec!["Hello."], ..Script::default() }).await;
    let good = twilio_signature("wss://relay.example.org/telephony/twilio");
    let mut socket = dial(&server.url, "/telephony/twilio", &[("x-twilio-signature", &good)]).await;
    for message in Vendor::Twilio.begin(&json!({})) {
        socket.send(message).await.unwrap();
    }
    // The configured greeting, since nobody else said what to do.
    let message = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(message.to_text().unwrap().contains(r#""event":"media""#), "{message:?}");
}

#[tokio::test]
async fn telnyx_is_told_to_stream_both_ways_when_it_signed() {
    let server = Server::start(Script { telephony: config(), ..Script::default() }).await;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let ask = async |body: &str, at: u64| {
        let signed = format!("{at}|CallSid=v3%3A1");
        let signature = BASE64_STANDARD.encode(pair.sign(signed.as_bytes()));
        let request = server.bare(Method::POST, "/telephony/telnyx/voice").body(body.to_owned());
        let request = request.header("telnyx-timestamp", at.to_string());
        request.header("telnyx-signature-ed25519", signature).send().await.unwrap()
    };
    let now = server.context.engine.clock.unix();
    let texml = ask("CallSid=v3%3A1", now).await.text().await.unwrap();
    assert!(texml.contains(r#"bidirectionalMode="rtp" bidirectionalCodec="PCMU""#), "{texml}");
    let token = parameter(&texml, "token");
    assert!(texml.contains(&format!(r#"url="wss://relay.example.org/telephony/telnyx?token={token}""#)), "{texml}");
    for (body, at) in [("CallSid=v3%3A2", now), ("CallSid=v3%3A1", now - 1_000)] {
        assert_eq!(code(ask(body, at).await, StatusCode::FORBIDDEN).await, "invalid_signature");
    }
    // The token in the URL is enough.
    let mut socket = dial(&server.url, &format!("/telephony/telnyx?token={token}"), &[]).await;
    for message in Vendor::Telnyx.begin(&json!(null)) {
        socket.send(message).await.unwrap();
    }
    socket.send(Vendor::Telnyx.sound(1, &[255; 160])).await.unwrap();
    socket.send(Vendor::Telnyx.stop().unwrap()).await.unwrap();
    assert_eq!(goodbye(&mut socket).await.0, 1000);
}

#[tokio::test]
async fn vonage_is_told_to_connect_when_it_signed() {
    let server = Server::start(Script { telephony: config(), ..Script::default() }).await;
    let now = server.context.engine.clock.unix();
    let token = |key: &str, at: u64| {
        let parts = [json!({"alg": "HS256", "typ": "JWT"}), json!({"iat": at, "iss": "Vonage"})];
        let signed = parts.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
    };
    let ask = async |token: String| {
        let request = server.bare(Method::GET, "/telephony/vonage/answer?from=1&to=2&uuid=3");
        request.bearer_auth(token).send().await.unwrap()
    };
    let ncco: Value = ask(token("vonage-secret", now)).await.json().await.unwrap();
    let endpoint = &ncco[0]["endpoint"][0];
    assert_eq!((&ncco[0]["action"], &endpoint["type"]), (&json!("connect"), &json!("websocket")));
    assert_eq!(endpoint["uri"], "wss://relay.example.org/telephony/vonage");
    assert_eq!(endpoint["content-type"], "audio/l16;rate=16000");
    assert!(endpoint["headers"]["token"].as_str().unwrap().starts_with("ek_"));
    for wrong in [token("other", now), token("vonage-secret", now - 1_000), "nonsense".to_owned()] {
        assert_eq!(code(ask(wrong).await, StatusCode::FORBIDDEN).await, "invalid_signature");
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let server = Server::start(Script { telephony: config(), ..Script::default() }).await;
    let key = server.context.auth.create_key(server.context.auth.owner().id, "t", "speech".parse().unwrap(), None);
    let speech_only = secrecy::ExposeSecret::expose_secret(&key.await.unwrap().secret).to_owned();
    for vendor in ALL {
        let path = format!("/telephony/{}", vendor.path());
        for (parameters, headers) in [
            (json!({}), vec![]),
            (json!({"token": "ek_wrong"}), vec![]),
            (json!({"token": speech_only}), vec![]),
            (json!({}), vec![("x-twilio-signature", "AAAA")]),
        ] {
            let mut socket = dial(&server.url, &path, &headers).await;
            for message in vendor.begin(&parameters) {
                socket.send(message).await.unwrap();
            }
            assert_eq!(goodbye(&mut socket).await.0, 1008, "{vendor:?} {parameters}");
        }
    }
    assert!(server.context.engine.admission.list().is_empty());
    assert_eq!(server.get("/api/sessions").await["items"], json!([]));
}

#[tokio::test]
async fn an_exchange_gets_in_by_a_key_as_its_password() {
    let server = Server::start(Script { telephony: config(), ..Script::default() }).await;
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("pbx:{}", server.key)));
    let headers = [("authorization", basic.as_str()), ("sec-websocket-protocol", "media")];
    let mut socket = dial(&server.url, "/telephony/asterisk", &headers).await;
    socket.send(Message::text("MEDIA_START connection_id:1 channel:WebSocket/r/1 format:slin")).await.unwrap();
    socket.send(Message::binary(vec![0; 320])).await.unwrap();
    socket.send(Message::text("DTMF_END channel_id:1 digit:1")).await.unwrap();
    let live = async {
        while server.context.engine.admission.list().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, live).await.expect("the call is live");
    assert_eq!(server.context.engine.admission.list()[0].transport, "asterisk");
}

#[tokio::test]
async fn a_full_house_takes_no_call() {
    let server = Server::start(Script { calls: Some(1), ..Script::default() }).await;
    let token = server.token(json!({"type": "realtime"})).await;
    let raw = Vendor::Raw(audio::Encoding::Ulaw, 8_000);
    let mut first = Gateway::call(&server.url, raw, &token, Duration::from_millis(60)).await;
    first.until("the first call", |heard| of(heard, "session.created").count() == 1).await;
    let other = server.token(json!({"type": "realtime"})).await;
    let mut socket = dial(&server.url, "/telephony/raw", &[]).await;
    for message in raw.begin(&json!({"token": other})) {
        socket.send(message).await.unwrap();
    }
    assert_eq!(goodbye(&mut socket).await.0, 1013);
}

/// Reads to the goodbye.
pub(crate) async fn goodbye(socket: &mut Socket) -> (u16, String) {
    let reading = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of a goodbye"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("no goodbye")
}
