//! All of a kind are lost: the response fails with a reason, the session lives, what needs none of that kind goes on, and
//! after their return so does the rest.

use std::time::Duration;

use serde_json::json;

use crate::{
    client::{Client, recording, words_of},
    relay::Relay,
    tones,
    vendors::{Fate, Truth, Vendor, Vendors},
};

const REPLY: &str = "All is well again. Thank you.";
const CHAINS: [&[&str]; 3] = [
    &["deepgram/nova-3", "deepgram/nova-2"],
    &["anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat"],
    &["elevenlabs/eleven_flash_v2_5", "deepgram/aura-2-thalia-en"],
];

async fn scene(lost: fn(Vendor) -> bool, fate: Fate) -> (Vendors, Relay, Client) {
    let vendors = Vendors::start(REPLY).await;
    vendors.hear(Truth::Words(words_of("cards-005"), Duration::from_secs(3)));
    vendors.meet(move |vendor| if lost(vendor) { fate } else { Fate::Well });
    let relay = Relay::start(&vendors, CHAINS).await;
    let client = Client::join(&relay).await;
    (vendors, relay, client)
}

async fn all_is_well(vendors: &Vendors, client: &mut Client) {
    vendors.meet(|_| Fate::Well);
    client.speak(&recording("cards-005")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
    assert_eq!(answer.transcript(), words_of("cards-005"));
    assert_eq!(tones::tell(REPLY, &tones::heard(&answer.sound()), 0), Ok(()));
}

#[tokio::test]
async fn without_ears_one_can_still_type() {
    for fate in [Fate::Refuse(503), Fate::Reset(3)] {
        let (vendors, relay, mut client) = scene(|vendor| vendor == Vendor::Ear, fate).await;
        client.speak(&recording("cards-005")).await;
        let answer = client.answer().await;
        assert_eq!(answer.count("conversation.item.input_audio_transcription.failed"), 1);
        // Words that were promised before the loss are answered.
        if matches!(fate, Fate::Refuse(_)) {
            assert_eq!((answer.status(), answer.code()), ("failed", "transcription_failed"));
        }
        let answer = client.asks("Can you read this?", json!({})).await;
        assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
        client.rest(Duration::from_secs(1)).await;
        all_is_well(&vendors, &mut client).await;
        assert_eq!(relay.errors_of("deepgram/nova-3").await + relay.errors_of("deepgram/nova-2").await, 2.0);
    }
}

#[tokio::test]
async fn without_minds_the_response_fails_and_the_next_is_answered() {
    let lost = |vendor| matches!(vendor, Vendor::Claude | Vendor::DeepSeek);
    for (fate, code) in [
        (Fate::Refuse(503), "provider_unavailable"),
        (Fate::Refuse(429), "rate_limit_exceeded"),
        (Fate::Corrupt(0), "provider_error"),
    ] {
        let (vendors, relay, mut client) = scene(lost, fate).await;
        client.speak(&recording("cards-005")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.code()), ("failed", code), "{fate:?}");
        assert_eq!(answer.transcript(), words_of("cards-005"));
        // Who is rate limited is left alone for 5 s.
        client.rest(Duration::from_millis(if code == "rate_limit_exceeded" { 5_500 } else { 500 })).await;
        all_is_well(&vendors, &mut client).await;
        assert_eq!(relay.errors_of("deepseek/deepseek-chat").await, 1.0);
    }
}

#[tokio::test]
async fn without_mouths_one_can_still_read() {
    let lost = |vendor| matches!(vendor, Vendor::Eleven | Vendor::Aura);
    let (vendors, relay, mut client) = scene(lost, Fate::Refuse(503)).await;
    client.speak(&recording("cards-005")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.code()), ("failed", "provider_unavailable"));
    assert!(REPLY.starts_with(answer.text().trim_end()), "{}", answer.text());
    let answer = client.asks("Can you write it?", json!({"output_modalities": ["text"]})).await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
    all_is_well(&vendors, &mut client).await;
    assert_eq!(relay.errors_of("elevenlabs/eleven_flash_v2_5").await, 1.0);
    assert!(!relay.log().contains("planted"), "no key is told");
}
