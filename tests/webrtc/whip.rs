//! WHIP (RFC 9725), pages of other origins, credentials for TURN.

use reqwest::Method;
use voice_relay::realtime::webrtc::{self, Turn};

use crate::{
    caller::Caller,
    refusals::publisher,
    relay::{Script, relay},
    server::Answer,
    talking::{gone, recording},
};

#[tokio::test]
async fn a_publisher_is_heard_until_it_deletes_its_place() {
    let relay = relay(Script::default()).await;
    let url = format!("{}/whip?model=gpt-realtime", relay.url);
    let mut caller = Caller::dial(&url, &relay.key).await;
    assert!(caller.location.starts_with("/whip/"), "{}", caller.location);
    caller.say(&recording("question"));
    caller.until("input_audio_buffer.committed").await;
    assert_eq!(relay.delete(&caller.location.clone()).await.status, 200);
    caller.is_left().await;
    gone(&relay).await;
    assert_eq!(relay.delete(&caller.location).await.status, 404);
}

#[tokio::test]
async fn a_publisher_sends_sdp_and_nothing_else() {
    let relay = relay(Script::default()).await;
    let request = relay.request(Method::POST, "/whip").header("content-type", "application/json").body("{}");
    assert_eq!(Answer::of(request).await.problem(415).0, "unsupported_media_type");
    assert_eq!(Answer::of(relay.bare(Method::POST, "/whip")).await.status, 401);
}

#[tokio::test]
async fn a_page_of_any_origin_may_call_with_the_secret_it_was_given() {
    let relay = relay(Script::default()).await;
    let preflight = |path: &'static str| {
        let request = relay.bare(Method::OPTIONS, path).header("origin", "https://app.example.org");
        let request = request.header("access-control-request-method", "POST");
        Answer::of(request.header("access-control-request-headers", "authorization, content-type, x-openai-agents-sdk"))
    };
    for path in ["/v1/realtime/calls", "/v1/realtime/client_secrets", "/whip"] {
        let answer = preflight(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org", "{path}");
        let allowed = answer.header("access-control-allow-headers");
        assert!(allowed.contains("x-openai-agents-sdk") && allowed.contains("authorization"), "{path}: {allowed}");
    }
    assert_eq!(preflight("/api/sessions").await.header("access-control-allow-origin"), "");
    let request = relay.request(Method::POST, "/v1/realtime/calls").header("origin", "https://app.example.org");
    let answer = Answer::of(request.header("content-type", "application/sdp").body("garbage")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org", "errors too");
    assert!(answer.header("access-control-expose-headers").contains("location"));
}

#[tokio::test]
async fn a_client_secret_brings_credentials_for_the_turn_server() {
    let turn = Turn { urls: vec!["turn:turn.example.org:3478".into()], secret: "north".into(), ..Turn::default() };
    let relay =
        relay(Script { webrtc: webrtc::Config { turn, ..webrtc::Config::default() }, ..Script::default() }).await;
    for issuer in ["/v1/realtime/client_secrets", "/voice/realtime-session"] {
        let answer = relay.post(issuer, serde_json::json!({})).await;
        let server = &answer.body["ice_servers"][0];
        assert_eq!(server["urls"][0], "turn:turn.example.org:3478", "{issuer}");
        assert!(server["username"].as_str().unwrap().contains(':'));
        assert!(!server["credential"].as_str().unwrap().is_empty() && !answer.body.to_string().contains("north"));
    }
    let whip = relay.request(Method::POST, "/whip?model=gpt-realtime").header("content-type", "application/sdp");
    let link = Answer::of(whip.body(publisher())).await.header("link").to_owned();
    assert!(link.starts_with("<turn:turn.example.org:3478>; rel=\"ice-server\"; username=\""), "{link}");
}
