//! From posting the offer to the first audio both ways, with a peer that does not wait: str0m as a full ICE agent.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use reqwest::{Client, header};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::SdpAnswer,
    media::{Direction, MediaKind},
    net::{Protocol, Receive},
    rtp::RtpWrite,
};
use tokio::{net::UdpSocket, time::timeout};

use crate::{
    relay::{Script, relay},
    tell,
};

const CALLS: usize = 20;

pub(crate) async fn run() {
    let relay = relay(Script::default()).await;
    let url = format!("{}/v1/realtime/calls?model=gpt-realtime", relay.url);
    let client = Client::new();
    let (mut firsts, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..CALLS {
        let (answer, first) = call(&client, &url, &relay.key).await;
        answers.push(answer);
        firsts.push(first);
    }
    tell("offer to answer", answers, "");
    tell("offer to first audio both ways", firsts, "(aim: 150)\n");
}

/// From the offer to the answer, and to the first packet heard after the first was sent.
async fn call(client: &Client, url: &str, key: &str) -> (Duration, Duration) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let began = Instant::now();
    let mut rtc = Rtc::builder().set_rtp_mode(true).clear_codecs().enable_opus(true, false).build(began);
    rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
    let mut change = rtc.sdp_api();
    let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
    change.add_channel("oai-events".into());
    let (offer, pending) = change.apply().unwrap();
    let request = client.post(url).bearer_auth(key).header(header::CONTENT_TYPE, "application/sdp");
    let response = request.body(offer.to_sdp_string()).send().await.unwrap();
    let answer = SdpAnswer::from_sdp_string(&response.text().await.unwrap()).unwrap();
    let answered = began.elapsed();
    rtc.sdp_api().accept_answer(pending, answer).unwrap();
    let mut sent = false;
    let mut buffer = [0; 2_000];
    loop {
        let until = match rtc.poll_output().unwrap() {
            Output::Transmit(transmit) => {
                socket.send_to(&transmit.contents, transmit.destination).await.unwrap();
                continue;
            }
            Output::Event(Event::Connected) => {
                let pt = rtc.codec_config().params()[0].pt();
                let mut direct = rtc.direct_api();
                let stream = direct.stream_tx_by_mid(mid, None).unwrap();
                stream.write_rtp(RtpWrite::new(pt, 1.into(), 0, Instant::now(), [0xf8, 0xff, 0xfe]));
                sent = true;
                continue;
            }
            Output::Event(Event::RtpPacket(_)) if sent => return (answered, began.elapsed()),
            Output::Event(_) => continue,
            Output::Timeout(until) => until,
        };
        let wait = until.saturating_duration_since(Instant::now());
        match timeout(wait, socket.recv_from(&mut buffer)).await {
            Ok(received) => {
                let (length, source): (usize, SocketAddr) = received.unwrap();
                let receive = Receive::new(Protocol::Udp, source, address, &buffer[..length]).unwrap();
                rtc.handle_input(Input::Receive(Instant::now(), receive)).unwrap();
            }
            Err(_) => rtc.handle_input(Input::Timeout(Instant::now())).unwrap(),
        }
    }
}
