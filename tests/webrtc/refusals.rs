//! Offers that are no use, and who may not call.

use reqwest::Method;
use serde_json::Value;

use crate::{
    relay::{Script, relay},
    server::{Answer, Server},
};

/// An offer of audio alone.
pub(crate) fn publisher() -> String {
    format!("{OFFER}{}", audio(0))
}

const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n";
const TRANSPORT: &str = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=setup:actpass\r\na=rtcp-mux\r\n";

fn media(mid: usize, line: &str, codec: &str) -> String {
    format!("m={line}\r\n{TRANSPORT}a=mid:{mid}\r\na=sendrecv\r\n{codec}")
}

fn audio(mid: usize) -> String {
    media(mid, "audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2\r\n")
}

async fn offer(relay: &Server, sdp: impl Into<String>) -> Answer {
    let request = relay.request(Method::POST, "/v1/realtime/calls?model=gpt-realtime");
    Answer::of(request.header("content-type", "application/sdp").body(sdp.into())).await
}

#[tokio::test]
async fn an_offer_that_is_no_use_is_refused_with_a_reason() {
    let relay = relay(Script::default()).await;
    let video = media(0, "video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000\r\n");
    let pcmu = media(0, "audio 9 UDP/TLS/RTP/SAVPF 0", "a=rtpmap:0 PCMU/8000\r\n");
    let channel =
        format!("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{TRANSPORT}a=mid:0\r\na=sctp-port:5000\r\n");
    let ten: String = (0..10).map(audio).collect();
    let cases = [
        ("garbage", "hello".to_owned(), "not SDP"),
        ("nothing", String::new(), "not SDP"),
        ("no audio", format!("{OFFER}{video}"), "no audio"),
        ("a channel alone", format!("{OFFER}{channel}"), "no audio"),
        ("another codec", format!("{OFFER}{pcmu}"), "no Opus"),
        ("ten media", format!("{OFFER}{ten}"), "at most 8"),
        ("no fingerprint", format!("{OFFER}{}", audio(0)).replace("a=fingerprint", "a=finger"), "fingerprint"),
        ("too long", format!("{OFFER}{}{}", audio(0), "a=x:y\r\n".repeat(10_000)), "at most 65536"),
    ];
    for (name, sdp, reason) in cases {
        let answer = offer(&relay, sdp).await;
        assert_eq!(answer.openai(400), ("invalid_offer".to_owned(), "sdp".to_owned()), "{name}");
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.contains(reason), "{name}: {message}");
    }
    assert_eq!(relay.context.engine.admission.list(), [], "no place is taken");
}

#[tokio::test]
async fn video_is_declined_and_audio_answered() {
    let relay = relay(Script::default()).await;
    let video = media(1, "video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000\r\n");
    let answer = offer(&relay, format!("{OFFER}{}{video}", audio(0)).replace("BUNDLE 0", "BUNDLE 0 1")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let Value::String(sdp) = answer.body else { panic!("no SDP") };
    assert!(sdp.contains("a=ice-lite") && sdp.contains("opus/48000/2"), "{sdp}");
    assert!(sdp.lines().any(|line| line.starts_with("m=video 0 ")), "{sdp}");
}

#[tokio::test]
async fn a_kind_of_media_nobody_knows_is_declined_in_its_place() {
    let relay = relay(Script::default()).await;
    let text = media(0, "text 9 UDP/TLS/RTP/SAVPF 98", "a=rtpmap:98 t140/1000\r\n");
    let answer = offer(&relay, format!("{OFFER}{text}{}", audio(1)).replace("BUNDLE 0", "BUNDLE 0 1")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let Value::String(sdp) = answer.body else { panic!("no SDP") };
    let media: Vec<_> = sdp.lines().filter(|line| line.starts_with("m=") || line.starts_with("a=mid:")).collect();
    assert_eq!(media[..3], ["m=text 0 UDP/TLS/RTP/SAVPF 98", "a=mid:0", "m=audio 9 UDP/TLS/RTP/SAVPF 111"], "{sdp}");
}

#[tokio::test]
async fn nobody_calls_without_a_credential_or_beyond_the_limit() {
    let relay = relay(Script {
        config: voice_relay::realtime::Config { sessions: 1, ..Default::default() },
        ..Script::default()
    })
    .await;
    let bare = relay.bare(Method::POST, "/v1/realtime/calls").header("content-type", "application/sdp").body(OFFER);
    assert_eq!(Answer::of(bare).await.status, 401);
    let sdp = format!("{OFFER}{}", audio(0));
    assert_eq!(offer(&relay, sdp.clone()).await.status, 201);
    let answer = offer(&relay, sdp).await;
    assert_eq!(answer.openai(429).0, "rate_limit_exceeded");
    assert!(!answer.header("retry-after").is_empty());
}
