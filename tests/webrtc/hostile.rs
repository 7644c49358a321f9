//! What strangers and broken clients send: bounded, answered where there is somebody to answer, harmless to other calls.

use std::time::Duration;

use serde_json::json;
use tokio::{net::UdpSocket, time::timeout};

use crate::{
    caller::{Caller, Dial},
    relay::{Script, relay},
    talking::{gone, recording},
};

/// A STUN binding request (RFC 8489) for this user, without a valid integrity.
fn stun(user: &str) -> Vec<u8> {
    let mut attribute = vec![0x00, 0x06, 0x00, user.len() as u8];
    attribute.extend_from_slice(user.as_bytes());
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    let mut message = vec![0x00, 0x01, 0x00, attribute.len() as u8, 0x21, 0x12, 0xa4, 0x42];
    message.extend_from_slice(&[7; 12]);
    message.extend_from_slice(&attribute);
    message
}

#[tokio::test]
async fn strangers_get_no_answer_and_calls_go_on() {
    let relay = relay(Script::default()).await;
    let port = relay.context.calls.as_ref().unwrap().candidates()[0];
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let ufrag = relay_name(&caller).await;
    let rtp = [&[0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0x1b, 0x59][..], &[0; 100]].concat();
    let rtcp = [0x81, 201, 0, 7, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    let garbage = [
        vec![],
        vec![0; 1],
        vec![0xff; 1_400],
        stun("nobody:here"),
        stun(&format!("{ufrag}:wrong")),
        rtp,
        rtcp.to_vec(),
        vec![22, 254, 253, 0, 0],
    ];
    for round in 0..500 {
        stranger.send_to(&garbage[round % garbage.len()], port).await.unwrap();
    }
    let mut answer = [0; 2_000];
    let answered = timeout(Duration::from_millis(300), stranger.recv_from(&mut answer)).await;
    assert!(answered.is_err(), "{answered:?}");
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.stopped").await;
}

#[tokio::test]
async fn a_client_with_another_certificate_than_it_told_is_not_spoken_to() {
    let relay = relay(Script::default()).await;
    let url = format!("{}/v1/realtime/calls?model=gpt-realtime", relay.url);
    let forged = |offer: &str| {
        let line = offer.lines().find(|line| line.starts_with("a=fingerprint:")).unwrap();
        let (rest, last) = line.split_at(line.len() - 2);
        offer.replace(line, &format!("{rest}{}", if last == "00" { "01" } else { "00" }))
    };
    let mut caller = Caller::begin(Dial { change_offer: &forged, ..Dial::default() }, &url, &relay.key).await;
    gone(&relay).await;
    assert!(caller.heard().is_empty());
}

#[tokio::test]
async fn an_offer_that_nobody_follows_up_costs_its_place_for_a_while() {
    let relay = relay(Script::default()).await;
    let url = format!("{}/v1/realtime/calls?model=gpt-realtime", relay.url);
    // Candidates that lead nowhere: no check of the client ever arrives.
    let nowhere = |answer: &str| answer.replace("127.0.0.1", "192.0.2.1");
    let _caller = Caller::begin(Dial { change_answer: &nowhere, ..Dial::default() }, &url, &relay.key).await;
    assert_eq!(relay.context.engine.admission.list().len(), 1);
    gone(&relay).await;
}

/// The name the relay goes by in ICE.
async fn relay_name(caller: &Caller) -> String {
    let description = caller.connection.remote_description().await.unwrap();
    let line = description.sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    line.unwrap().trim().to_owned()
}

#[tokio::test]
async fn nonsense_over_the_channel_is_told_and_the_call_goes_on() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    caller.channel.send_text("no json").await.unwrap();
    assert_eq!(caller.next().await["error"]["code"], "invalid_json");
    caller.channel.send(bytes::BytesMut::from(&b"binary"[..])).await.unwrap();
    assert_eq!(caller.next().await["error"]["code"], "invalid_event");
    caller.send(json!({"type": "no.such.event"})).await;
    assert_eq!(caller.next().await["error"]["code"], "invalid_value");
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.stopped").await;
}

#[tokio::test]
async fn a_flood_of_events_ends_its_own_call_and_no_other() {
    let relay = relay(Script::default()).await;
    let mut calm = Caller::call(&relay.url, &relay.key).await;
    let mut wild = Caller::call(&relay.url, &relay.key).await;
    let text = "x".repeat(60_000);
    let item = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]});
    let event = json!({"type": "conversation.item.create", "item": item}).to_string();
    let flood = async {
        // As much as it takes: what the relay answers is not read meanwhile.
        for _ in 0..400 {
            if wild.channel.send_text(&event).await.is_err() {
                return;
            }
        }
    };
    flood.await;
    calm.say(&recording("question"));
    calm.until("output_audio_buffer.stopped").await;
    drop(wild.next());
}
