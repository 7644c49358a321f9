//! Connections that wait for the next turn, through the whole relay.

use std::time::Duration;

use crate::{
    client::{Client, recording, words_of},
    relay::{Relay, configuration, eventually},
    tones,
    vendors::{Fate, Truth, Vendor, Vendors},
};

const REPLY: &str = "All is well again. Thank you.";
const ELEVEN: [&[&str]; 3] = [&["deepgram/nova-3"], &["deepseek/deepseek-chat"], &["elevenlabs/eleven_flash_v2_5"]];
const AURA: [&[&str]; 3] = [&["deepgram/nova-3"], &["deepseek/deepseek-chat"], &["deepgram/aura-2-thalia-en"]];

async fn is_answered(client: &mut Client) {
    client.speak(&recording("cards-005")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
    assert_eq!(answer.transcript(), words_of("cards-005"));
    assert_eq!(tones::tell(REPLY, &tones::heard(&answer.sound()), 0), Ok(()));
    client.rest(Duration::from_millis(answer.sound().len() as u64 / 48 + 500)).await;
}

#[tokio::test]
async fn the_second_turn_needs_no_handshake_of_its_own() {
    for (chains, mouth) in [(ELEVEN, Vendor::Eleven), (AURA, Vendor::Aura)] {
        let vendors = Vendors::start(REPLY).await;
        vendors.hear(Truth::Words(words_of("cards-005"), Duration::from_secs(3)));
        let sections = vendors.sections(|vendor| format!("api_key = \"planted-{vendor}-key\"\n"));
        let relay = Relay::launch(&configuration(chains, "", &sections), &[]).await;
        let mut client = Client::join(&relay).await;
        is_answered(&mut client).await;
        let connections = || [vendors.keys(Vendor::Ear).len(), vendors.keys(mouth).len()];
        eventually("the next ones are open", Duration::from_secs(5), async || connections() == [2, 2]).await;
        // None is to be had any more.
        vendors.meet(move |vendor| match vendor {
            Vendor::Ear | Vendor::Eleven | Vendor::Aura => Fate::Refuse(503),
            Vendor::Claude | Vendor::DeepSeek => Fate::Well,
        });
        is_answered(&mut client).await;
        for engine in chains.concat() {
            assert_eq!(relay.errors_of(engine).await, 0.0, "{engine}");
        }
        vendors.meet(|_| Fate::Well);
        // One that could not be opened early is opened when it is needed.
        is_answered(&mut client).await;
        client.leave().await;
    }
}

#[tokio::test]
async fn where_that_is_declined_each_turn_has_its_own() {
    let vendors = Vendors::start(REPLY).await;
    vendors.hear(Truth::Words(words_of("cards-005"), Duration::from_secs(3)));
    let relay = Relay::start(&vendors, ELEVEN).await;
    let mut client = Client::join(&relay).await;
    for turn in 1..3 {
        is_answered(&mut client).await;
        assert_eq!([vendors.keys(Vendor::Ear).len(), vendors.keys(Vendor::Eleven).len()], [turn, turn]);
    }
}
