//! The ways a call can take: IPv6, and TCP where no UDP passes.

use voice_relay::realtime::webrtc;

use crate::{
    caller::{Caller, Dial, Way},
    relay::{Script, relay},
    talking::{gone, recording},
};

async fn converse_over(way: Way, webrtc: webrtc::Config) {
    let relay = relay(Script { webrtc, ..Script::default() }).await;
    let url = format!("{}/v1/realtime/calls?model=gpt-realtime", relay.url);
    let mut caller = Caller::begin(Dial { way, ..Dial::default() }, &url, &relay.key).await;
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.stopped").await;
    caller.connection.close().await.unwrap();
    gone(&relay).await;
}

#[tokio::test]
async fn a_call_over_ipv6_is_a_call() {
    converse_over(Way::Ipv6, webrtc::Config { listen: "[::1]:0".into(), ..webrtc::Config::default() }).await;
}

#[tokio::test]
async fn one_socket_takes_calls_of_both_families() {
    let listen = || webrtc::Config { listen: "[::]:0".into(), ..webrtc::Config::default() };
    let advertised = |address: &str| webrtc::Config { advertise: vec![address.to_owned()], ..listen() };
    converse_over(Way::Ipv6, advertised("::1")).await;
    converse_over(Way::Ipv4, advertised("127.0.0.1")).await;
}

#[tokio::test]
async fn where_no_udp_passes_a_call_goes_over_tcp() {
    converse_over(Way::Tcp, webrtc::Config { tcp_listen: "127.0.0.1:0".into(), ..webrtc::Config::default() }).await;
}
