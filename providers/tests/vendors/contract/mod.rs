//! One behaviour suite for every provider of a kind: the promises of the traits, whoever keeps them.

mod hear;
mod live;
mod models;
mod players;
mod speak;
mod stage;
mod vendors;
mod wire;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError, SpeechToText, TextToSpeech,
    layers::{Fallback, Observation, Observed, Observer, Role, Timed, Timeouts},
    scripted::{self, SttScript, TtsScript},
    stt::{SttOptions, Transcript},
    tts::{Clause, Speech, Voice},
};

// Who is tested.

struct Deaf;

impl Observer for Deaf {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn observe(&self, _: &str, _: Role, _: Observation) {}
}

const LIMITS: Timeouts =
    Timeouts { open: Duration::from_secs(5), first: Duration::from_secs(5), idle: Duration::from_secs(5) };

fn ears() -> Vec<(&'static str, Arc<dyn SpeechToText>)> {
    let engine = || {
        let partials = Some(Duration::from_millis(60));
        let texts = vec!["go forward ten meters".to_owned(); 9];
        Arc::new(scripted::SpeechToText::new(SttScript { partials, texts, ..SttScript::default() }))
            as Arc<dyn SpeechToText>
    };
    vec![
        ("scripted", engine()),
        ("timed", Arc::new(Timed::<dyn SpeechToText>::new("timed", LIMITS, engine()))),
        ("observed", Arc::new(Observed::<dyn SpeechToText>::new("observed", Arc::new(Deaf), engine()))),
        ("fallback", Arc::new(Fallback::new(engine(), vec![engine()]))),
    ]
}

fn mouths() -> Vec<(&'static str, Arc<dyn TextToSpeech>)> {
    let engine = || {
        let script = TtsScript { words: true, ..TtsScript::default() };
        Arc::new(scripted::TextToSpeech::new(script)) as Arc<dyn TextToSpeech>
    };
    vec![
        ("scripted", engine()),
        ("timed", Arc::new(Timed::<dyn TextToSpeech>::new("timed", LIMITS, engine()))),
        ("observed", Arc::new(Observed::<dyn TextToSpeech>::new("observed", Arc::new(Deaf), engine()))),
        ("fallback", Arc::new(Fallback::new(engine(), vec![engine()]))),
    ]
}

// Speech-to-text.

/// So many frames, each counted when taken; then silence without end, or the end. Counts down when dropped.
fn frames(count: usize, ends: bool, taken: Arc<AtomicUsize>, alive: Arc<AtomicUsize>) -> BoxStream<'static, Frame> {
    alive.fetch_add(1, Ordering::SeqCst);
    let guard = Guard(alive);
    let mut left = count;
    stream::poll_fn(move |_| {
        let _held = &guard;
        if left == 0 {
            return if ends { Poll::Ready(None) } else { Poll::Pending };
        }
        left -= 1;
        taken.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(Some(Frame::SILENCE))
    })
    .boxed()
}

struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn interim() -> SttOptions {
    SttOptions { interim: true, ..SttOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn an_utterance_has_growing_partials_and_one_final() {
    for (name, ear) in ears() {
        let events: Vec<_> = ear
            .transcribe(interim(), frames(50, true, Arc::default(), Arc::default()))
            .await
            .unwrap()
            .map(Result::unwrap)
            .collect()
            .await;
        let (last, partials) = events.split_last().unwrap();
        let mut told = String::new();
        for partial in partials {
            let Transcript::Partial { stable, .. } = partial else { panic!("{name}: {events:?}") };
            assert!(stable.starts_with(&told), "{name}: {stable:?} after {told:?}");
            told.clone_from(stable);
        }
        let Transcript::Final(last) = last else { panic!("{name}: {events:?}") };
        assert!(last.text.starts_with(&told), "{name}");
        assert_eq!(last.duration, Duration::from_secs(1), "{name}");
        assert!(last.words.iter().all(|word| word.start <= word.end && word.end <= last.duration), "{name}");
        assert!(!partials.is_empty() || !ear.capabilities().interim_results, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_audio_is_a_final_transcript_too() {
    for (name, ear) in ears() {
        let audio = frames(0, true, Arc::default(), Arc::default());
        let events: Vec<_> = ear.transcribe(interim(), audio).await.unwrap().collect().await;
        assert!(matches!(events[..], [Ok(Transcript::Final(_))]), "{name}: {events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_transcripts_lets_go_of_the_audio() {
    for (name, ear) in ears() {
        let alive = Arc::new(AtomicUsize::new(0));
        let mut events = ear.transcribe(interim(), frames(10, false, Arc::default(), alive.clone())).await.unwrap();
        assert!(events.next().await.unwrap().is_ok(), "{name}");
        assert_eq!(alive.load(Ordering::SeqCst), 1, "{name}");
        drop(events);
        tokio::task::yield_now().await;
        assert_eq!(alive.load(Ordering::SeqCst), 0, "{name}");
    }
}

// Text-to-speech.

fn clauses(texts: &[&str], taken: Arc<AtomicUsize>) -> BoxStream<'static, Clause> {
    let clauses: Vec<_> = texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).to_owned() }).collect();
    stream::iter(clauses).inspect(move |_| _ = taken.fetch_add(1, Ordering::SeqCst)).boxed()
}

fn voice(speed: f32) -> Voice {
    Voice { name: "nobody".into(), language: None, speed }
}

#[tokio::test(start_paused = true)]
async fn each_clause_is_sound_then_its_end_in_order() {
    let texts = ["Hello.", "How are you?", "", "Fine – thanks."];
    for (name, mouth) in mouths() {
        let text = clauses(&texts, Arc::default());
        let speech: Vec<_> = mouth.speak(voice(1.0), text).await.unwrap().map(Result::unwrap).collect().await;
        let mut clause = 0;
        let mut sounded = Duration::ZERO;
        for event in &speech {
            match event {
                Speech::Audio { clause: of, clip } => {
                    assert_eq!(*of, clause, "{name}");
                    sounded += clip.duration();
                }
                Speech::Word { clause: of, range, start, end } => {
                    assert!(texts[*of as usize].get(range.clone()).is_some(), "{name}: {range:?}");
                    assert!(start <= end, "{name}");
                }
                Speech::ClauseDone { clause: of } => {
                    assert_eq!(*of, clause, "{name}");
                    assert!(sounded > Duration::ZERO || texts[clause as usize].is_empty(), "{name}");
                    (clause, sounded) = (clause + 1, Duration::ZERO);
                }
            }
        }
        assert_eq!(clause, 4, "{name}: every clause is done");
    }
}

#[tokio::test(start_paused = true)]
async fn speed_shortens_the_speech() {
    for (name, mouth) in mouths() {
        let mut lengths = Vec::new();
        for speed in [1.0, 2.0] {
            let text = clauses(&["A clause of some length."], Arc::default());
            let speech: Vec<_> = mouth.speak(voice(speed), text).await.unwrap().collect().await;
            let clips = speech
                .iter()
                .flatten()
                .filter_map(|event| if let Speech::Audio { clip, .. } = event { Some(clip.duration()) } else { None });
            lengths.push(clips.sum::<Duration>());
        }
        assert!(lengths[1].as_secs_f64() < 0.7 * lengths[0].as_secs_f64(), "{name}: {lengths:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_holds_the_voice_back() {
    for (name, mouth) in mouths() {
        let taken = Arc::new(AtomicUsize::new(0));
        let text = clauses(&["One clause of the many."; 40], taken.clone());
        let mut speech = mouth.speak(voice(1.0), text).await.unwrap();
        assert!(speech.next().await.unwrap().is_ok(), "{name}");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(taken.load(Ordering::SeqCst) <= 8, "{name} ran {} clauses ahead", taken.load(Ordering::SeqCst));
    }
}

#[tokio::test(start_paused = true)]
async fn the_voice_waits_for_a_slow_model() {
    for (name, mouth) in mouths() {
        let pending = stream::once(async { Clause { id: 0, text: "Hm.".into() } }).chain(stream::pending());
        let mut speech = mouth.speak(voice(1.0), pending.boxed()).await.unwrap();
        let mut done = false;
        while let Some(event) = speech.next().now_or_never() {
            done |= matches!(event, Some(Ok(Speech::ClauseDone { clause: 0 })));
        }
        assert!(done, "{name}: a clause is voiced before the next is known");
    }
}

// Everyone.

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

/// Waits until there are no more tasks than there were.
async fn settled(name: &str, before: usize) {
    let settled = async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(5), settled).await;
    assert!(settled.is_ok(), "{name}: {} tasks where {before} were", tasks());
}

#[tokio::test]
async fn only_what_waits_for_no_timer_is_at_once() {
    let moment = Duration::from_millis(1);
    assert_eq!(crate::support::untimed(moment, tokio::time::sleep(moment)).await, None);
    assert_eq!(crate::support::untimed(moment, std::future::pending::<()>()).await, None);
    crate::support::at_once(tokio::task::yield_now()).await;
}

// Errors.

#[test]
fn errors_say_who_failed_and_how() {
    let error = ProviderError::new("openai/m", ErrorKind::RateLimited, "status 429: slow down");
    assert_eq!(error.to_string(), "openai/m: rate limited: status 429: slow down");
}
