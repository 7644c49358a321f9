//! Layers over scripted providers: who takes over, what is kept, who is timed out, what is reported.

mod continuing;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use audio::Frame;
use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, LanguageModel, ProviderError, SpeechToText, TextToSpeech,
    layers::{Fallback, Observation, Observed, Observer, Role, Timed, Timeouts},
    llm::{Finish, Message, Prompt, Thought},
    scripted::{self, Fault, Faults, Length, LlmScript, SttScript, TtsScript},
    stt::{SttOptions, Transcript},
    tts::{Clause, Speech, Voice},
};

const UP: Fault = Fault::Refuse(ErrorKind::Unavailable);

fn faults() -> [Fault; 6] {
    let kind = ErrorKind::Unavailable;
    let unopened = [UP, Fault::Break { after: 0, kind }, Fault::Vanish { after: 0 }];
    let [a, b, c] = unopened;
    [a, b, c, Fault::Break { after: 1, kind }, Fault::Vanish { after: 1 }, Fault::Break { after: 3, kind }]
}

fn llm(faults: Faults) -> Arc<dyn LanguageModel> {
    Arc::new(scripted::LanguageModel::new(LlmScript { faults, ..LlmScript::default() }))
}

fn stt(faults: Faults, text: &str) -> Arc<dyn SpeechToText> {
    let partials = Some(Duration::from_millis(100));
    Arc::new(scripted::SpeechToText::new(SttScript {
        faults,
        partials,
        texts: vec![text.into()],
        ..SttScript::default()
    }))
}

fn tts(faults: Faults, words: bool) -> Arc<dyn TextToSpeech> {
    Arc::new(scripted::TextToSpeech::new(TtsScript { faults, words, ..TtsScript::default() }))
}

async fn think(model: &dyn LanguageModel) -> Result<Vec<Result<Thought, ProviderError>>, ProviderError> {
    let prompt = Prompt { messages: vec![Message::User("one two".into())], ..Prompt::default() };
    Ok(model.reply(prompt).await?.collect().await)
}

async fn hear(
    engine: &dyn SpeechToText,
    frames: usize,
) -> Result<Vec<Result<Transcript, ProviderError>>, ProviderError> {
    let audio = stream::iter(vec![Frame::SILENCE; frames]).boxed();
    let options = SttOptions { interim: true, ..SttOptions::default() };
    Ok(engine.transcribe(options, audio).await?.collect().await)
}

async fn speak(engine: &dyn TextToSpeech, texts: &[&str]) -> Result<Vec<Result<Speech, ProviderError>>, ProviderError> {
    let clauses: Vec<_> = texts.iter().zip(0..).map(|(text, id)| Clause { id, text: (*text).into() }).collect();
    let voice = Voice { name: "any".into(), language: None, speed: 1.0 };
    Ok(engine.speak(voice, stream::iter(clauses).boxed()).await?.collect().await)
}

/// For each clause how long it sounded and how often it was done.
fn voiced(speech: &[Result<Speech, ProviderError>], clauses: u32) -> Vec<(Duration, usize)> {
    let of = |clause: u32| {
        let sound = speech.iter().flatten().filter_map(|event| match event {
            Speech::Audio { clause: of, clip } if *of == clause => Some(clip.duration()),
            Speech::Audio { .. } | Speech::Word { .. } | Speech::ClauseDone { .. } => None,
        });
        let done = speech.iter().flatten().filter(|event| **event == Speech::ClauseDone { clause }).count();
        (sound.sum(), done)
    };
    (0..clauses).map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_model_answers_if_nothing_was_said() {
    for fault in faults() {
        let model = Fallback::new(llm(Faults::always(fault)), vec![llm(Faults::default())]);
        let thoughts = think(&model).await.unwrap();
        let spoken = matches!(fault, Fault::Break { after: 1.., .. } | Fault::Vanish { after: 1.. });
        let whole = thoughts.last() == Some(&Ok(Thought::Finished(Finish::Stop)));
        assert_eq!(whole, !spoken, "{fault:?}: {thoughts:?}");
        if whole {
            assert_eq!(thoughts.len(), 6, "{fault:?}: nothing twice");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_models_error_is_told() {
    let model =
        Fallback::new(llm(Faults::always(UP)), vec![llm(Faults::always(Fault::Refuse(ErrorKind::RateLimited)))]);
    assert_eq!(think(&model).await.unwrap_err().kind, ErrorKind::RateLimited);
}

#[tokio::test(start_paused = true)]
async fn the_next_ear_hears_the_utterance_from_its_start() {
    for fault in faults() {
        let engine = Fallback::new(
            stt(Faults::always(fault), "one two three four"),
            vec![stt(Faults::default(), "one two three four")],
        );
        let events = hear(&engine, 50).await.unwrap();
        let Some(Ok(Transcript::Final(last))) = events.last() else { panic!("{fault:?}: {events:?}") };
        assert_eq!((last.text.as_str(), last.duration), ("one two three four", Duration::from_secs(1)), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn promised_words_stay_when_the_next_ear_hears_others() {
    let fault = Fault::Break { after: 3, kind: ErrorKind::Unavailable };
    let engine = Fallback::new(
        stt(Faults::always(fault), "turn on the light"),
        vec![stt(Faults::default(), "learn off the lamp")],
    );
    let events = hear(&engine, 50).await.unwrap();
    let mut stable = String::new();
    for event in &events {
        let next = match event.as_ref().unwrap() {
            Transcript::Partial { stable, .. } => stable,
            Transcript::Final(last) => &last.text,
        };
        assert!(next.starts_with(&stable), "{next:?} after {stable:?}");
        stable.clone_from(next);
    }
    assert_eq!(stable, "turn on the lamp");
}

#[tokio::test(start_paused = true)]
async fn an_utterance_too_long_to_keep_fails_for_good() {
    let fault = Fault::Break { after: 60, kind: ErrorKind::Unavailable };
    let long = "word ".repeat(2_000);
    let engine = Fallback::new(stt(Faults::always(fault), &long), vec![stt(Faults::default(), "never asked")]);
    let events = hear(&engine, 6_500).await.unwrap();
    assert!(matches!(events.last(), Some(Ok(_))), "6 s were kept: {:?}", events.last());
    let late = Fault::Break { after: 1_250, kind: ErrorKind::Unavailable };
    let engine = Fallback::new(stt(Faults::always(late), &long), vec![stt(Faults::default(), "never asked")]);
    let events = hear(&engine, 6_500).await.unwrap();
    assert!(matches!(events.last(), Some(Err(_))), "125 s were not: {:?}", events.last());
}

#[tokio::test(start_paused = true)]
async fn every_clause_is_voiced_once_whoever_fails() {
    let kind = ErrorKind::Unavailable;
    // With the default script a clause of two characters is 120 ms: two clips and its end.
    let alone = voiced(&speak(&*tts(Faults::default(), false), &["ab", "cd", "ef"]).await.unwrap(), 3);
    for after in [0, 3, 6] {
        for fault in [Fault::Break { after, kind }, Fault::Vanish { after }, Fault::Garbage { after }] {
            let engine = Fallback::new(tts(Faults::always(fault), false), vec![tts(Faults::default(), false)]);
            let speech = speak(&engine, &["ab", "cd", "ef"]).await.unwrap();
            assert!(speech.iter().all(Result::is_ok), "{fault:?}: {speech:?}");
            assert_eq!(voiced(&speech, 3), alone, "{fault:?}");
        }
    }
    let engine = Fallback::new(tts(Faults::always(UP), false), vec![tts(Faults::default(), false)]);
    assert_eq!(voiced(&speak(&engine, &["ab", "cd", "ef"]).await.unwrap(), 3), alone);
}

#[tokio::test(start_paused = true)]
async fn a_clause_broken_off_without_word_times_is_voiced_again() {
    let fault = Fault::Break { after: 1, kind: ErrorKind::Unavailable };
    let engine = Fallback::new(tts(Faults::always(fault), false), vec![tts(Faults::default(), false)]);
    let speech = speak(&engine, &["ab", "cd"]).await.unwrap();
    let millis = Duration::from_millis;
    assert_eq!(voiced(&speech, 2), [(millis(100 + 120), 1), (millis(120), 1)]);
}

#[tokio::test(start_paused = true)]
async fn with_word_times_only_the_words_not_voiced_are_voiced() {
    // "one two three" is 13 characters: three word times, then clips of 100 ms; four of them hold "one two" (420 ms ends
    // at the fifth), so 3 words + 5 clips cut inside "three".
    let fault = Fault::Break { after: 3 + 5, kind: ErrorKind::Unavailable };
    let engine = Fallback::new(tts(Faults::always(fault), true), vec![tts(Faults::default(), true)]);
    let speech = speak(&engine, &["one two three"]).await.unwrap();
    let (sound, done) = voiced(&speech, 1)[0];
    // The rest is " three", 6 characters.
    assert_eq!((sound, done), (Duration::from_millis(500 + 360), 1));
    let words: Vec<_> = speech
        .iter()
        .flatten()
        .filter_map(|event| match event {
            Speech::Word { range, start, .. } => Some((&"one two three"[range.clone()], *start)),
            Speech::Audio { .. } | Speech::ClauseDone { .. } => None,
        })
        .collect();
    let last = words.last().unwrap();
    assert!(last.0 == "three" && last.1 >= Duration::from_millis(500), "{words:?}");
}

fn limits() -> Timeouts {
    Timeouts { open: Duration::from_secs(1), first: Duration::from_secs(2), idle: Duration::from_secs(3) }
}

#[tokio::test(start_paused = true)]
async fn who_hangs_is_given_up() {
    for fault in [Fault::Ignore, Fault::Hang { after: 0 }, Fault::Hang { after: 2 }] {
        let model = Timed::<dyn LanguageModel>::new("slow", limits(), llm(Faults::always(fault)));
        let error = match think(&model).await {
            Err(error) => error,
            Ok(thoughts) => thoughts.last().unwrap().clone().unwrap_err(),
        };
        assert_eq!((error.kind, &*error.provider), (ErrorKind::Timeout, "slow"), "{fault:?}");

        let ear = Timed::<dyn SpeechToText>::new("slow", limits(), stt(Faults::always(fault), "one two three"));
        let error = match hear(&ear, 50).await {
            Err(error) => error,
            Ok(events) => events.last().unwrap().clone().unwrap_err(),
        };
        assert_eq!(error.kind, ErrorKind::Timeout, "{fault:?}");

        let mouth = Timed::<dyn TextToSpeech>::new("slow", limits(), tts(Faults::always(fault), false));
        let error = match tokio::time::timeout(Duration::from_secs(60), speak(&mouth, &["abc"])).await {
            Ok(Err(error)) => error,
            Ok(Ok(events)) => events.last().unwrap().clone().unwrap_err(),
            // A provider that takes no clause owes nothing.
            Err(_) => {
                assert_eq!(fault, Fault::Hang { after: 0 });
                continue;
            }
        };
        assert_eq!(error.kind, ErrorKind::Timeout, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_speaker_who_pauses_is_no_timeout() {
    let pauses = stream::iter(0..4).then(|_| async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Frame::SILENCE
    });
    let ear = Timed::<dyn SpeechToText>::new("slow", limits(), stt(Faults::default(), "one"));
    let events: Vec<_> = ear.transcribe(SttOptions::default(), pauses.boxed()).await.unwrap().collect().await;
    assert!(matches!(events[..], [Ok(Transcript::Final(_))]), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_model_slow_to_bring_clauses_is_no_timeout_of_the_voice() {
    let clauses = stream::iter(0..3).then(|id| async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Clause { id, text: "abc".into() }
    });
    let mouth = Timed::<dyn TextToSpeech>::new("slow", limits(), tts(Faults::default(), false));
    let voice = Voice { name: "any".into(), language: None, speed: 1.0 };
    let speech: Vec<_> = mouth.speak(voice, clauses.boxed()).await.unwrap().collect().await;
    assert!(speech.iter().all(Result::is_ok));
    assert_eq!(voiced(&speech, 3).iter().map(|(_, done)| done).sum::<usize>(), 3);
}

#[derive(Default)]
struct Ledger(Mutex<Vec<(Role, Observation)>>);

impl Observer for Ledger {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.lock().unwrap().len() as u64)
    }

    fn observe(&self, provider: &str, role: Role, event: Observation) {
        assert_eq!(provider, "watched");
        self.0.lock().unwrap().push((role, event));
    }
}

impl Ledger {
    fn take(&self) -> Vec<Observation> {
        self.0.lock().unwrap().drain(..).map(|(_, event)| event).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_is_reported_from_its_beginning_to_its_end() {
    use Observation::{Cancelled, Failed, Finished, First, Requested};
    let ledger = Arc::new(Ledger::default());
    let watch = |faults| Observed::<dyn LanguageModel>::new("watched", ledger.clone(), llm(faults));
    think(&watch(Faults::default())).await.unwrap();
    assert!(matches!(ledger.take()[..], [Requested, First { .. }, Finished { .. }]));
    think(&watch(Faults::always(UP))).await.unwrap_err();
    assert!(matches!(ledger.take()[..], [Requested, Failed { kind: ErrorKind::Unavailable, .. }]));
    think(&watch(Faults::always(Fault::Break { after: 1, kind: ErrorKind::Protocol }))).await.unwrap();
    assert!(matches!(ledger.take()[..], [Requested, First { .. }, Failed { kind: ErrorKind::Protocol, .. }]));
    let watched = watch(Faults::default());
    let mut thoughts = watched.reply(Prompt::default()).await.unwrap();
    thoughts.next().await;
    drop(thoughts);
    assert!(matches!(ledger.take()[..], [Requested, First { .. }, Cancelled { .. }]));

    let mouth = Observed::<dyn TextToSpeech>::new("watched", ledger.clone(), tts(Faults::default(), false));
    speak(&mouth, &["abc"]).await.unwrap();
    assert!(matches!(ledger.take()[..], [Requested, First { .. }, Finished { .. }]));
    let ear = Observed::<dyn SpeechToText>::new("watched", ledger.clone(), stt(Faults::default(), "one"));
    hear(&ear, 20).await.unwrap();
    assert!(matches!(ledger.take()[..], [Requested, First { .. }, Finished { .. }]));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_provider_is_timed_out_and_replaced() {
    let slow =
        Arc::new(Timed::<dyn LanguageModel>::new("slow", limits(), llm(Faults::always(Fault::Hang { after: 0 }))));
    let model = Fallback::new(slow as Arc<dyn LanguageModel>, vec![llm(Faults::default())]);
    assert_eq!(think(&model).await.unwrap().len(), 6);
    let script = TtsScript {
        faults: Faults::always(Fault::Hang { after: 2 }),
        length: Length::Fixed(Duration::from_secs(1)),
        ..TtsScript::default()
    };
    let slow: Arc<dyn TextToSpeech> = Arc::new(scripted::TextToSpeech::new(script));
    let slow: Arc<dyn TextToSpeech> = Arc::new(Timed::<dyn TextToSpeech>::new("slow", limits(), slow));
    let speech = speak(&Fallback::new(slow, vec![tts(Faults::default(), false)]), &["ab", "cd"]).await.unwrap();
    assert_eq!(voiced(&speech, 2).iter().map(|(_, done)| *done).collect::<Vec<_>>(), [1, 1]);
}
