//! Another attempt with the same provider, on a virtual clock: when there is one, after how long, and with what.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, LanguageModel, ProviderError, SpeechToText, TextToSpeech,
    layers::{Retry, RetrySettings, Timed, Timeouts},
    llm::{Finish, LlmCapabilities, Message, Prompt, Thought, ThoughtStream},
    scripted::{self, Fault, Faults, LlmScript},
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};
use tokio::time::Instant;

const UP: Fault = Fault::Refuse(ErrorKind::Unavailable);
const SECOND: Duration = Duration::from_secs(1);

fn model(faults: Faults) -> Arc<dyn LanguageModel> {
    Arc::new(scripted::LanguageModel::new(LlmScript { faults, ..LlmScript::default() }))
}

fn twice(model: Arc<dyn LanguageModel>) -> Retry<dyn LanguageModel> {
    Retry::new(RetrySettings::default(), model)
}

/// What came, and after how long.
#[expect(clippy::disallowed_methods, reason = "the clock is the paused runtime's")]
async fn ask(model: &dyn LanguageModel) -> (Vec<Result<Thought, ProviderError>>, Duration) {
    let since = Instant::now();
    let prompt = Prompt { messages: vec![Message::User("one two".into())], ..Prompt::default() };
    let thoughts = match model.reply(prompt).await {
        Ok(thoughts) => thoughts.collect().await,
        Err(error) => vec![Err(error)],
    };
    (thoughts, since.elapsed())
}

fn kind<T>(events: &[Result<T, ProviderError>]) -> Option<ErrorKind> {
    events.last()?.as_ref().err().map(|error| error.kind)
}

#[tokio::test(start_paused = true)]
async fn a_moment_of_weakness_costs_a_short_pause() {
    for fault in [
        UP,
        Fault::Refuse(ErrorKind::RateLimited),
        Fault::Refuse(ErrorKind::Timeout),
        Fault::Break { after: 0, kind: ErrorKind::Unavailable },
    ] {
        let (thoughts, took) = ask(&twice(model(Faults::default().on(1, fault)))).await;
        assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))), "{fault:?}");
        assert!((50..=110).contains(&took.as_millis()), "{fault:?} took {took:?}");
    }
    let (_, took) = ask(&twice(model(Faults::default()))).await;
    assert!(took < Duration::from_millis(5), "who does not fail waits for nothing");
}

#[tokio::test(start_paused = true)]
async fn what_fails_again_is_told_after_bounded_attempts() {
    let failing = Arc::new(Failing::new(ErrorKind::Unavailable, None));
    let (thoughts, took) = ask(&twice(failing.clone())).await;
    assert_eq!((kind(&thoughts), failing.calls()), (Some(ErrorKind::Unavailable), 2));
    assert!(took <= Duration::from_millis(101), "{took:?}");

    let patient = RetrySettings { attempts: 99, ..RetrySettings::default() };
    let failing = Arc::new(Failing::new(ErrorKind::Unavailable, None));
    let (thoughts, took) = ask(&Retry::<dyn LanguageModel>::new(patient, failing.clone())).await;
    assert_eq!(kind(&thoughts), Some(ErrorKind::Unavailable));
    assert!((3..=4).contains(&failing.calls()) && took <= Duration::from_millis(405), "{} {took:?}", failing.calls());
}

#[tokio::test(start_paused = true)]
async fn what_another_attempt_cannot_mend_is_told_at_once() {
    for kind in [ErrorKind::Unauthorized, ErrorKind::Rejected, ErrorKind::Protocol] {
        let failing = Arc::new(Failing::new(kind, None));
        let (_, took) = ask(&twice(failing.clone())).await;
        assert_eq!((failing.calls(), took), (1, Duration::ZERO), "{kind}");
    }
    let late = Fault::Break { after: 0, kind: ErrorKind::Timeout };
    let (thoughts, took) = ask(&twice(model(Faults::default().on(1, late)))).await;
    assert_eq!((kind(&thoughts), took), (Some(ErrorKind::Timeout), Duration::ZERO), "it had its time");
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_left_alone_for_as_long_as_it_asks_or_not_asked_again() {
    for (asked, calls, least) in [(300, 2, 300), (400, 2, 400), (1_000, 1, 0)] {
        let failing = Arc::new(Failing::new(ErrorKind::RateLimited, Some(Duration::from_millis(asked))));
        let (_, took) = ask(&twice(failing.clone())).await;
        assert_eq!((failing.calls(), took.as_millis()), (calls, least), "{asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_given_is_ever_given_again() {
    let midway = Fault::Break { after: 1, kind: ErrorKind::Unavailable };
    let (thoughts, _) = ask(&twice(model(Faults::default().on(1, midway)))).await;
    assert_eq!((thoughts.len(), kind(&thoughts)), (2, Some(ErrorKind::Unavailable)));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_time_to_open() {
    let timeouts = Timeouts { open: SECOND, first: SECOND, idle: SECOND };
    let timed = Timed::<dyn LanguageModel>::new("slow", timeouts, model(Faults::default().on(1, Fault::Ignore)));
    let (thoughts, took) = ask(&twice(Arc::new(timed))).await;
    assert_eq!(kind(&thoughts), None);
    assert!((1_050..=1_110).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn giving_up_ends_the_pause_and_lets_go_of_the_audio() {
    let ear = Retry::<dyn SpeechToText>::new(RetrySettings::default(), Arc::new(Faltering::new(9, 5)));
    let held = Arc::new(());
    let guard = held.clone();
    let audio = stream::repeat(Frame::SILENCE).inspect(move |_| _ = &guard).boxed();
    let mut transcripts = ear.transcribe(SttOptions::default(), audio).await.unwrap();
    assert!(transcripts.next().now_or_never().is_none(), "it pauses");
    drop(transcripts);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_hears_all_the_audio_once() {
    for read in [0, 1, 30, 100] {
        let faltering = Arc::new(Faltering::new(1, read));
        let ear = Retry::<dyn SpeechToText>::new(RetrySettings::default(), faltering.clone());
        let audio = stream::iter((0..100).map(|n| Frame([n; Frame::SAMPLES]))).boxed();
        let events: Vec<_> = ear.transcribe(SttOptions::default(), audio).await.unwrap().collect().await;
        let [Ok(_), Ok(Transcript::Final(last))] = &events[..] else { panic!("{read}: {events:?}") };
        assert_eq!(last.duration, Duration::from_secs(2), "{read}");
        assert_eq!(last.text, (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(" "), "{read}");
        assert_eq!(faltering.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_utterance_too_long_to_be_heard_again_fails() {
    let faltering = Arc::new(Faltering::new(1, 6_001));
    let ear = Retry::<dyn SpeechToText>::new(RetrySettings::default(), faltering.clone());
    let audio = stream::repeat(Frame::SILENCE).boxed();
    let events: Vec<_> = ear.transcribe(SttOptions::default(), audio).await.unwrap().collect().await;
    assert_eq!((kind(&events), events.len(), faltering.calls()), (Some(ErrorKind::Unavailable), 1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_says_every_clause_once() {
    for read in [0, 1, 3] {
        let faltering = Arc::new(Faltering::new(1, read));
        let mouth = Retry::<dyn TextToSpeech>::new(RetrySettings::default(), faltering.clone());
        let clauses = (0..3).map(|id| Clause { id, text: format!("Clause {id}.") });
        let voice = Voice { name: "any".into(), language: None, speed: 1.0 };
        let speech: Vec<_> = mouth.speak(voice, stream::iter(clauses).boxed()).await.unwrap().collect().await;
        assert_eq!(speech, [0, 1, 2].map(|clause| Ok(Speech::ClauseDone { clause })), "{read}");
        assert_eq!(faltering.calls(), 2);
    }
}

/// Always fails so.
struct Failing {
    error: ProviderError,
    calls: AtomicUsize,
}

impl Failing {
    fn new(kind: ErrorKind, retry_after: Option<Duration>) -> Self {
        let error = ProviderError { retry_after, ..ProviderError::new("failing", kind, "as it always does") };
        Self { error, calls: AtomicUsize::new(0) }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl LanguageModel for Failing {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities::default()
    }

    fn reply(&self, _: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        async { Err(self.error.clone()) }.boxed()
    }
}

/// Reads some of what it is given and then fails, the first few times; then tells what it read.
struct Faltering {
    failures: usize,
    read: usize,
    calls: AtomicUsize,
}

impl Faltering {
    const fn new(failures: usize, read: usize) -> Self {
        Self { failures, read, calls: AtomicUsize::new(0) }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// What comes of this call if it is to fail.
    fn fail<I: Send + 'static, E: Send + 'static>(
        &self,
        input: BoxStream<'static, I>,
    ) -> Result<BoxStream<'static, Result<E, ProviderError>>, BoxStream<'static, I>> {
        if self.calls.fetch_add(1, Ordering::SeqCst) >= self.failures {
            return Err(input);
        }
        let read = input.take(self.read).count();
        let failing = read.map(|_| Err(ProviderError::new("faltering", ErrorKind::Unavailable, "falters")));
        Ok(failing.into_stream().boxed())
    }
}

impl SpeechToText for Faltering {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities::default()
    }

    fn transcribe(
        &self,
        _: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let told = self.fail(audio).unwrap_or_else(|mut audio| {
            // A partial transcript while much is still to be read again.
            let first = async move {
                let first = audio.next().await.map(|frame| frame.0[0]);
                let partial = Transcript::Partial { stable: String::new(), tentative: "hm".into() };
                stream::iter([Ok(partial)]).chain(whole(first, audio).into_stream())
            };
            first.flatten_stream().boxed()
        });
        async { Ok(told) }.boxed()
    }
}

async fn whole(first: Option<i16>, audio: BoxStream<'static, Frame>) -> Result<Transcript, ProviderError> {
    let rest: Vec<i16> = audio.map(|frame| frame.0[0]).collect().await;
    let heard: Vec<_> = first.into_iter().chain(rest).collect();
    let text = heard.iter().map(i16::to_string).collect::<Vec<_>>().join(" ");
    let duration = Frame::DURATION * heard.len() as u32;
    Ok(Transcript::Final(FinalTranscript { text, duration, ..FinalTranscript::default() }))
}

impl TextToSpeech for Faltering {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities::default()
    }

    fn speak(&self, _: Voice, text: BoxStream<'static, Clause>) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let told = self
            .fail(text)
            .unwrap_or_else(|text| text.map(|clause| Ok(Speech::ClauseDone { clause: clause.id })).boxed());
        async { Ok(told) }.boxed()
    }
}
