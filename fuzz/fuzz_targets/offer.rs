//! Any text as an SDP offer: it is answered or refused, and an answer has as many media as the offer.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use voice_relay_fuzz::realtime::transport::webrtc::{offer, reach::Reach};

fuzz_target!(init: str0m::crypto::from_feature_flags().install_process_default(), |text: &str| {
    let reach = Reach { udp: vec!["127.0.0.1:8080".parse().unwrap()], ..Reach::default() };
    let media = |sdp: &str| sdp.lines().filter(|line| line.starts_with("m=")).count();
    if let Ok(answered) = offer::answer(text, &reach, Instant::now()) {
        assert_eq!(media(&answered.sdp), media(text));
        assert!(!answered.name.is_empty());
    }
});
