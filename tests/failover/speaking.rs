//! The voice is lost amid its reply: what it has not voiced goes to the next, clause by clause, and nothing is dropped.

use serde_json::json;

use crate::{
    client::{Client, wrong},
    relay::{Relay, can_embed},
    tones,
    vendors::{Call, Fate, Vendor, Vendors},
};

const REPLY: &str = "The sun is far away. It is very warm there, and it will stay so for a long time. Nobody has been \
    there, nobody will go, and that is for the better.";
const ELEVEN: &str = "elevenlabs/eleven_flash_v2_5";
const AURA: &str = "deepgram/aura-2-thalia-en";

async fn scene(tts: &[&str]) -> (Vendors, Relay, Client) {
    let vendors = Vendors::start(REPLY).await;
    let stt = if tts.contains(&"local/hibari") { "local/whisper-base" } else { "deepgram/nova-3" };
    let relay = Relay::start(&vendors, [&[stt], &["deepseek/deepseek-chat"], tts]).await;
    let client = Client::join(&relay).await;
    (vendors, relay, client)
}

#[tokio::test]
async fn with_word_times_no_word_is_dropped_and_none_is_repeated() {
    let (vendors, relay, mut client) = scene(&[ELEVEN, AURA]).await;
    let mut lost = 0.0;
    for fates in [
        [Fate::Refuse(503), Fate::Die(1), Fate::Well],
        [Fate::Reset(3), Fate::Corrupt(6), Fate::Well],
        [Fate::Die(12), Fate::Die(20), Fate::Well],
    ] {
        for fate in fates {
            vendors.lose(Vendor::Eleven, fate);
            let answer = client.asks("How far is the sun?", json!({})).await;
            assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY), "{fate:?}");
            assert_eq!(tones::tell(REPLY, &tones::heard(&answer.sound()), 0), Ok(()), "{fate:?}");
            lost += f64::from(u8::from(fate != Fate::Well));
            assert_eq!(relay.errors_of(ELEVEN).await, lost, "{fate:?}");
        }
    }
    assert!(relay.log().contains("a provider failed, the next takes over"));
}

#[tokio::test]
async fn without_word_times_a_clause_is_voiced_again_and_the_others_are_not() {
    let (vendors, _relay, mut client) = scene(&[AURA, ELEVEN]).await;
    for lost in [2, 9] {
        vendors.lose(Vendor::Aura, Fate::Reset(lost));
        let before = vendors.calls().len();
        let answer = client.asks("How far is the sun?", json!({})).await;
        assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
        assert_eq!(tones::tell(REPLY, &tones::heard(&answer.sound()), 1), Ok(()));
        let calls = vendors.calls().split_off(before);
        let of = |vendor| -> Vec<String> {
            let said = calls.iter().filter(|call: &&Call| call.vendor == vendor);
            said.map(|call| call.text.trim().to_owned()).collect()
        };
        let (first, second) = (of(Vendor::Aura), of(Vendor::Eleven));
        let voiced = &first[..first.len() - 1];
        assert_eq!([voiced, &second].concat().join(" "), REPLY, "each clause goes to one that voices it");
        assert_eq!(first.last(), second.first(), "the clause that was broken off is said again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_voice_says_what_both_vendors_left_unsaid() {
    if !can_embed() {
        return;
    }
    let (vendors, relay, mut client) = scene(&[ELEVEN, AURA, "local/hibari"]).await;
    vendors.meet(|vendor| match vendor {
        Vendor::Eleven => Fate::Die(4),
        Vendor::Aura => Fate::Die(2),
        Vendor::Ear | Vendor::Claude | Vendor::DeepSeek => Fate::Well,
    });
    let answer = client.asks("How far is the sun?", json!({})).await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
    let sound = answer.sound();
    let tones: Vec<_> = tones::heard(&sound).into_iter().map_while(|tone| tone).collect();
    let told: Vec<_> = tones::words(REPLY).map(tones::tone).collect();
    // Four words by the first, and "away." by the second, whose clause is finished by it.
    assert_eq!(tones, told[..tones.len()], "no word of the vendors is repeated");
    assert!(tones.len() >= 5, "{tones:?}");
    let rest: Vec<_> = tones::words(REPLY).skip(5).collect();
    let spoken = relay.transcribed(&sound[tones.len() * 4_800..]).await;
    println!("{} tones, then: {spoken}", tones.len());
    let (errors, of) = wrong(&rest.join(" "), &spoken);
    assert!(errors * 10 <= of * 2, "{errors} of {of} words are wrong in {spoken:?}");
}
