//! The operating system's voices, where they are installed.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, TextToSpeech,
    local::command::Command,
    tts::{Clause, Speech, Voice},
};

#[tokio::test]
async fn a_voice_is_one_of_the_programs_own_or_the_usual_one() {
    for program in [Command::flite(), Command::espeak()].into_iter().filter(|program| program.available().is_ok()) {
        for voice in program.capabilities().voices.iter().map(String::as_str).chain(["alloy", "--help"]) {
            let (length, _) = say_with(&program, voice, &["Hello."], 1.0).await;
            assert!(length > Duration::from_millis(100), "{voice}");
        }
    }
}

#[tokio::test]
async fn flite_says_clauses_in_order_at_24_khz() {
    says_clauses(&Command::flite()).await;
}

#[tokio::test]
async fn espeak_says_clauses_in_order_at_24_khz() {
    says_clauses(&Command::espeak()).await;
}

async fn says_clauses(voice: &Command) {
    if let Err(missing) = voice.available() {
        assert_eq!(missing.kind, ErrorKind::Unavailable);
        assert!(missing.detail.contains("apt-get install"));
        eprintln!("\n!!! SKIPPED: {missing} !!!\n");
        return;
    }
    // What looks like an option, a command or a file is only text.
    let texts = ["Hello there, how are you?", "🎉", "-h; $(touch /tmp/never) `x` /etc/passwd"];
    let (usual, done) = say(voice, &texts, 1.0).await;
    assert_eq!(done, [0, 1, 2]);
    assert!((2.0..12.0).contains(&usual.as_secs_f64()), "{usual:?}");
    let (fast, _) = say(voice, &texts, 2.0).await;
    assert!(fast < usual.mul_f64(0.75), "{fast:?} of {usual:?}");
}

async fn say(voice: &Command, texts: &[&str], speed: f32) -> (Duration, Vec<u32>) {
    say_with(voice, "slt", texts, speed).await
}

async fn say_with(voice: &Command, name: &str, texts: &[&str], speed: f32) -> (Duration, Vec<u32>) {
    let clauses: Vec<_> = (0..).zip(texts).map(|(id, text)| Clause { id, text: (*text).to_owned() }).collect();
    let name = Voice { name: name.to_owned(), language: None, speed };
    let mut speech = voice.speak(name, stream::iter(clauses).boxed()).await.expect("speaks");
    let (mut length, mut done, mut loudest) = (Duration::ZERO, Vec::new(), 0);
    while let Some(step) = speech.next().await {
        match step.expect("goes on") {
            Speech::Audio { clip, .. } => {
                assert_eq!(clip.rate, audio::SampleRate::HZ_24000);
                assert!(clip.duration() <= Duration::from_millis(200));
                length += clip.duration();
                loudest = clip.samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0).max(loudest);
            }
            Speech::Word { .. } => panic!("these voices time no words"),
            Speech::ClauseDone { clause } => done.push(clause),
        }
    }
    assert!(loudest > 3_000);
    (length, done)
}
