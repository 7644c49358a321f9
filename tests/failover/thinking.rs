//! The language model is lost before its reply, and amid it: another answers, or goes on from what was said.

use std::time::Duration;

use serde_json::json;

use crate::{
    client::{Answer, Client, recording, words_of},
    relay::Relay,
    tones,
    vendors::{Fate, Truth, Vendor, Vendors},
};

const REPLY: &str = "The sun is far away. It is very warm there, and it will stay so for a long time. Nobody has been \
    there, nobody will go, and that is for the better.";
const CHAINS: [&[&str]; 3] = [
    &["deepgram/nova-3"],
    &["anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat", "local/agent"],
    &["elevenlabs/eleven_flash_v2_5"],
];

async fn scene() -> (Vendors, Relay, Client) {
    let vendors = Vendors::start(REPLY).await;
    let relay = Relay::start(&vendors, CHAINS).await;
    let client = Client::join(&relay).await;
    (vendors, relay, client)
}

#[tokio::test]
async fn speech_is_answered_in_full_though_its_model_is_lost() {
    let (vendors, _relay, mut client) = scene().await;
    let (speech, words) = (recording("austen-0930"), words_of("austen-0930"));
    vendors.hear(Truth::Words(words.clone(), Duration::from_secs(3)));
    for fate in [Fate::Refuse(529), Fate::Reset(15)] {
        vendors.lose(Vendor::Claude, fate);
        client.speak(&speech).await;
        let answer = client.answer().await;
        assert_eq!(answer.transcript(), words);
        is_whole(&answer, fate);
        // The next words are no interruption.
        client.rest(Duration::from_millis(4_500)).await;
    }
}

#[tokio::test]
async fn a_reply_is_whole_wherever_its_model_is_lost() {
    let (vendors, relay, mut client) = scene().await;
    let mut lost = 0.0;
    // Claude's first two messages say nothing yet; a third failure in a row would rest it.
    for fates in [
        [Fate::Refuse(529), Fate::Reset(0), Fate::Well],
        [Fate::Die(2), Fate::Reset(3), Fate::Well],
        [Fate::Corrupt(7), Fate::Die(8), Fate::Well],
        [Fate::Reset(15), Fate::Corrupt(25), Fate::Well],
        [Fate::Reset(33), Fate::Die(35), Fate::Well],
    ] {
        for fate in fates {
            vendors.lose(Vendor::Claude, fate);
            is_whole(&client.asks("How far is the sun?", json!({})).await, fate);
            lost += f64::from(u8::from(fate != Fate::Well));
            assert_eq!(relay.errors_of("anthropic/claude-sonnet-4-5").await, lost, "{fate:?}");
        }
    }
    assert!(relay.log().contains("a provider failed, the next takes over"));
    assert!(!relay.log().contains("The sun is") && !relay.log().contains("planted"));
}

#[track_caller]
fn is_whole(answer: &Answer, fate: Fate) {
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY), "{fate:?}");
    assert_eq!(tones::tell(REPLY, &tones::heard(&answer.sound()), 0), Ok(()), "{fate:?}");
}

#[tokio::test]
async fn a_reply_nobody_can_go_on_with_keeps_what_was_heard() {
    let (vendors, _relay, mut client) = scene().await;
    vendors.meet(|vendor| match vendor {
        Vendor::Claude => Fate::Die(18),
        // While it is waited for, what was said is heard.
        Vendor::DeepSeek => Fate::Stall(5),
        Vendor::Ear | Vendor::Aura | Vendor::Eleven => Fate::Well,
    });
    let answer = client.asks("How far is the sun?", json!({})).await;
    assert_eq!((answer.status(), answer.code()), ("incomplete", "provider_timeout"));
    let (text, sound) = (answer.text(), tones::heard(&answer.sound()));
    assert!(REPLY.starts_with(text.trim_end()) && text.len() < REPLY.len(), "{text}");
    let said: Vec<_> = tones::words(&text).map(tones::tone).map(Some).collect();
    assert!(!sound.is_empty() && said.starts_with(&sound), "{sound:?} of {text}");

    vendors.meet(|_| Fate::Well);
    let answer = client.asks("And now?", json!({})).await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
}

#[tokio::test]
async fn a_written_reply_is_gone_on_with_as_well() {
    let (vendors, _relay, mut client) = scene().await;
    vendors.lose(Vendor::Claude, Fate::Reset(12));
    let answer = client.asks("How far is the sun?", json!({"output_modalities": ["text"]})).await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
    let asked: Vec<_> = vendors.calls().into_iter().map(|call| call.vendor).collect();
    assert_eq!(asked, [Vendor::Claude, Vendor::DeepSeek]);
}
