//! The ear is lost while somebody speaks: the next one hears the utterance from its start, and its transcript is neither
//! cut nor doubled.

use std::time::Duration;

use audio::Encoding;

use crate::{
    client::{Client, recording, words_of, wrong},
    relay::{Relay, can_embed},
    vendors::{Fate, Truth, Vendor, Vendors},
};

const REPLY: &str = "I have heard it all.";
const EAR: &str = "deepgram/nova-3";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speech_whose_ear_is_lost_is_heard_whole_by_the_next() {
    if !can_embed() {
        return;
    }
    let vendors = Vendors::start(REPLY).await;
    let chains = [&[EAR, "local/whisper-base"][..], &["deepseek/deepseek-chat"], &["elevenlabs/eleven_flash_v2_5"]];
    let relay = Relay::start(&vendors, chains).await;
    let mut client = Client::join(&relay).await;
    let mut lost = 0.0;
    // What Whisper makes of the whole utterance is the measure. Two losses in a row at most: three would rest the ear.
    for (name, fates) in [
        ("austen-0880", [Fate::Reset(9), Fate::Well, Fate::Die(12), Fate::Well]),
        ("austen-0870", [Fate::Corrupt(20), Fate::Well, Fate::Reset(30), Fate::Well]),
    ] {
        let (speech, words) = (recording(name), words_of(name));
        let length = Duration::from_secs_f64(speech.len() as f64 / 24_000.0);
        vendors.hear(Truth::Words(words.clone(), length));
        vendors.lose(Vendor::Ear, Fate::Refuse(503));
        let mut sound = Vec::new();
        Encoding::Pcm16.encode(&speech, &mut sound);
        let (alone, _) = wrong(&words, &relay.transcribed(&sound).await);
        lost += 1.0;
        for fate in fates {
            vendors.lose(Vendor::Ear, fate);
            client.speak(&speech).await;
            let answer = client.answer().await;
            let (errors, of) = wrong(&words, answer.transcript());
            println!("{name}, {fate:?}: {errors} of {of} words wrong: {}", answer.transcript());
            assert_eq!(answer.count("conversation.item.input_audio_transcription.completed"), 1);
            assert_eq!(answer.count("conversation.item.input_audio_transcription.failed"), 0);
            assert_eq!((answer.status(), answer.text().as_str()), ("completed", REPLY));
            let promised = answer.promised();
            assert!(answer.transcript().starts_with(promised.trim_end()), "{promised:?} was promised");
            if fate == Fate::Well {
                assert_eq!(errors, 0);
            } else {
                lost += 1.0;
                assert_eq!(relay.errors_of(EAR).await, lost, "{fate:?}");
                assert!(errors <= alone, "{fate:?}: {errors} of {of}, where Whisper alone has {alone}");
            }
            client.rest(Duration::from_millis(600)).await;
        }
    }
    assert!(relay.log().contains("a provider failed, the next takes over"), "{}", relay.log());
    assert!(!relay.log().contains("planted"), "no key is told");
}
