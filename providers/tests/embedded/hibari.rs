//! The embedded voice with its real model: what it says, how long it takes to say it, and when it stops.
//!
//! Needs `hibari/` in VOICE_RELAY_MODELS, else in voice-relay/models of the user's data folder.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use providers::{
    TextToSpeech,
    local::{hibari::Hibari, pool::Pool},
    tts::{Clause, Speech, SpeechStream, Voice},
};

#[tokio::test]
async fn a_sentence_is_heard_for_as_long_as_it_takes_to_say() {
    let Some(voice) = voice() else { return };
    for (text, shortest, longest) in [
        ("Hello there.", 0.6, 1.5),
        ("The quick brown fox jumps over the lazy dog.", 2.0, 3.5),
        ("At 9:30am, Dr. Smith paid $3.2 billion for 5 mg.", 4.0, 7.0),
        ("Kubernetes runs lisinopril for Zbigniew.", 2.0, 4.5),
    ] {
        let heard = say(&voice, &[text], 1.0).await;
        let seconds = heard.seconds();
        assert!((shortest..longest).contains(&seconds), "{text:?} took {seconds} s");
        assert!(heard.loudness() > 500.0, "{text:?} is too quiet: {}", heard.loudness());
        assert!(heard.samples.iter().all(|s| s.unsigned_abs() < 32_000), "{text:?} clips");
        assert!(heard.longest_clip <= Duration::from_millis(200));
        assert_eq!(heard.done, [0]);
    }
}

#[tokio::test]
async fn the_same_text_gives_the_same_samples() {
    let Some(voice) = voice() else { return };
    let text = ["Same text,", "same sound."];
    assert_eq!(say(&voice, &text, 1.0).await.samples, say(&voice, &text, 1.0).await.samples);
}

#[tokio::test]
async fn words_are_timed_in_order_within_the_sound_and_cover_the_text() {
    let Some(voice) = voice() else { return };
    let text = "On Nov 22, the price rose by 5% to $3.50. Really? Yes, it did.";
    let heard = say(&voice, &[text], 1.0).await;
    let said: Vec<_> = heard.words.iter().map(|(range, _, _)| &text[range.clone()]).collect();
    assert_eq!(
        said,
        ["On", "Nov 22,", "the", "price", "rose", "by", "5%", "to", "$3.50.", "Really?", "Yes,", "it", "did."]
    );
    let mut before = Duration::ZERO;
    for (range, start, end) in &heard.words {
        assert!(*start >= before && end > start, "{range:?} {start:?} {end:?}");
        before = *end;
    }
    assert!(before.as_secs_f64() <= heard.seconds());
    assert!(before.as_secs_f64() > heard.seconds() * 0.8);
    // Sound lies where the words are said to be: the pause after "$3.50." is quieter than the words around it.
    let stop = heard.words[8].2;
    let loud = heard.loudness_between(heard.words[3].1, heard.words[3].2);
    assert!(loud > 4.0 * heard.loudness_between(stop.saturating_sub(Duration::from_millis(150)), stop));
}

#[tokio::test]
async fn a_clause_with_nothing_to_say_is_done_without_sound() {
    let Some(voice) = voice() else { return };
    let heard = say(&voice, &["", "...", "🎉👍", "  \n ", "你好", "Yes."], 1.0).await;
    assert_eq!(heard.done, [0, 1, 2, 3, 4, 5]);
    assert!(heard.clauses.iter().all(|clause| *clause == 5));
    assert!(heard.seconds() > 0.3);
}

#[tokio::test]
async fn five_thousand_characters_are_spoken_to_the_end() {
    let Some(voice) = voice() else { return };
    let text = "and then they walked on through the old town without a word of their own ".repeat(69);
    let heard = say(&voice, &[&text], 2.0).await;
    assert_eq!(heard.done, [0]);
    assert!(heard.seconds() > 100.0, "{} s", heard.seconds());
    assert_eq!(heard.words.len(), text.split_whitespace().count());
}

#[tokio::test]
async fn the_pace_follows_the_speed_asked_for() {
    let Some(voice) = voice() else { return };
    let text = ["The weather is lovely today, and so are you."];
    let usual = say(&voice, &text, 1.0).await.seconds();
    for speed in [0.25, 0.5, 0.8, 1.5, 2.0, 4.0] {
        let heard = say(&voice, &text, speed).await;
        let ratio = usual / heard.seconds();
        assert!((ratio / f64::from(speed) - 1.0).abs() < 0.35, "{speed} gave {ratio}");
        assert!(heard.loudness() > 300.0);
        assert_eq!(heard.words.len(), 9);
    }
}

#[tokio::test]
async fn synthesis_waits_for_its_listener() {
    let Some(voice) = voice() else { return };
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let clauses = stream::iter((0..1000).map(move |id| {
        counter.fetch_add(1, Ordering::Relaxed);
        Clause { id, text: "One more.".to_owned() }
    }));
    let mut speech = voice.speak(heart(1.0), clauses.boxed()).await.expect("speaks");
    while !matches!(speech.next().await, Some(Ok(Speech::ClauseDone { clause: 2 }))) {}
    // Whatever may be made ahead is made before a second voice, which takes turns with the first, has said its piece.
    say(&voice, &["A somewhat longer sentence, to give it all the time it needs.", "And another."], 1.0).await;
    assert!(asked.load(Ordering::Relaxed) <= 3 + 4, "{}", asked.load(Ordering::Relaxed));
}

#[tokio::test]
async fn dropping_the_speech_ends_its_work_and_its_text() {
    let Some(voice) = voice() else { return };
    struct Text(Arc<()>);
    let alive = Arc::new(());
    let text = Text(Arc::clone(&alive));
    let clauses = stream::iter(0..1_000_000).map(move |id| {
        let _held = &text.0;
        Clause { id, text: "Never mind.".to_owned() }
    });
    let mut speech = voice.speak(heart(1.0), clauses.boxed()).await.expect("speaks");
    assert!(matches!(speech.next().await, Some(Ok(_))));
    drop(speech);
    while Arc::strong_count(&alive) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_replies_at_once_sound_like_one() {
    let Some(voice) = voice() else { return };
    let text = ["Four people ask at once.", "All of them are answered."];
    let alone = say(&voice, &text, 1.0).await.samples;
    let (a, b, c, d) = tokio::join!(
        say(&voice, &text, 1.0),
        say(&voice, &text, 1.0),
        say(&voice, &text, 1.0),
        say(&voice, &text, 1.0)
    );
    for heard in [a, b, c, d] {
        assert!(heard.samples == alone);
        assert_eq!(heard.done, [0, 1]);
    }
}

/// All that one reply gave.
#[derive(Default)]
struct Heard {
    samples: Vec<i16>,
    longest_clip: Duration,
    clauses: Vec<u32>,
    words: Vec<(std::ops::Range<usize>, Duration, Duration)>,
    done: Vec<u32>,
}

impl Heard {
    fn seconds(&self) -> f64 {
        self.samples.len() as f64 / 24_000.0
    }

    fn loudness(&self) -> f64 {
        loudness(&self.samples)
    }

    fn loudness_between(&self, from: Duration, to: Duration) -> f64 {
        let at = |time: Duration| ((time.as_secs_f64() * 24_000.0) as usize).min(self.samples.len());
        loudness(&self.samples[at(from)..at(to)])
    }
}

fn loudness(samples: &[i16]) -> f64 {
    (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

async fn say(voice: &Hibari, clauses: &[&str], speed: f32) -> Heard {
    let clauses: Vec<_> = (0..).zip(clauses).map(|(id, text)| Clause { id, text: (*text).to_owned() }).collect();
    let speech: SpeechStream = voice.speak(heart(speed), stream::iter(clauses).boxed()).await.expect("speaks");
    let mut heard = Heard::default();
    let mut steps = speech;
    while let Some(step) = steps.next().await {
        match step.expect("goes on") {
            Speech::Audio { clause, clip } => {
                heard.clauses.push(clause);
                heard.longest_clip = heard.longest_clip.max(clip.duration());
                heard.samples.extend(clip.samples);
            }
            Speech::Word { range, start, end, .. } => heard.words.push((range, start, end)),
            Speech::ClauseDone { clause } => heard.done.push(clause),
        }
    }
    heard
}

fn heart(speed: f32) -> Voice {
    Voice { name: "heart".to_owned(), language: None, speed }
}

/// The voice, loaded once; none, said loudly, where its model is not installed.
fn voice() -> Option<Arc<Hibari>> {
    static VOICE: OnceLock<Option<Arc<Hibari>>> = OnceLock::new();
    let voice = VOICE.get_or_init(|| {
        let dir = models().join("hibari");
        if !dir.join("hibari.onnx").exists() {
            eprintln!("\n!!! SKIPPED: no voice model in {}; install it or set VOICE_RELAY_MODELS !!!\n", dir.display());
            return None;
        }
        Some(Arc::new(Hibari::load(&dir, Pool::new(2, 64)).expect("loads")))
    });
    voice.clone()
}

fn models() -> PathBuf {
    let var = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    var("VOICE_RELAY_MODELS").unwrap_or_else(|| {
        let data = var("XDG_DATA_HOME").unwrap_or_else(|| var("HOME").unwrap_or_default().join(".local/share"));
        data.join("voice-relay/models")
    })
}
