//! Another attempt with the same provider, where that is safe and may help.
//!
//! Safe: nothing was given yet, and all that was taken (audio, clauses) can be had again. May help: the provider was
//! unavailable, too busy, or slow to open. Whoever refuses a key or a request does so again, and whoever breaks its
//! protocol is better left to the fallback. A caller waits live, so the attempts are few and the pauses short; what
//! [`Fallback`](super::Fallback) can do in less time is not waited for here.

use std::{collections::hash_map::RandomState, hash::BuildHasher, sync::Arc, time::Duration};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::time::sleep;

use super::tape::Tape;
use crate::{
    ErrorKind, LanguageModel, ProviderError, SpeechToText, TextToSpeech,
    generate::{Outlet, generate},
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    stt::{SttCapabilities, SttOptions, TranscriptStream},
    tts::{Clause, SpeechStream, TtsCapabilities, Voice},
};

/// How often, and how long between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetrySettings {
    /// Attempts in all; 0 and 1 mean no other.
    pub attempts: u32,
    /// The first pause; each further one is twice as long. A random part of up to a half is left off, so that many
    /// callers who failed together do not come back together.
    pub pause: Duration,
    /// The longest that all pauses of a request may take together. A provider that asks to be left alone for longer is
    /// not asked again.
    pub patience: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { attempts: 2, pause: Duration::from_millis(100), patience: Duration::from_millis(400) }
    }
}

/// A provider that is asked again.
pub struct Retry<T: ?Sized> {
    settings: RetrySettings,
    inner: Arc<T>,
}

impl<T: ?Sized> Retry<T> {
    /// Asks `inner` again as often as the settings allow.
    pub const fn new(settings: RetrySettings, inner: Arc<T>) -> Self {
        Self { settings, inner }
    }
}

impl LanguageModel for Retry<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let inner = self.inner.clone();
        let attempt = move || {
            let (inner, prompt) = (inner.clone(), prompt.clone());
            async move { inner.reply(prompt).await }.boxed()
        };
        persist(Attempts::new(self.settings), Box::new(attempt), None::<Tape<()>>)
    }
}

impl SpeechToText for Retry<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.inner.capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let (inner, tape) = (self.inner.clone(), Tape::new(audio, FRAMES));
        let source = tape.clone();
        let attempt = move || {
            let (inner, options, audio) = (inner.clone(), options.clone(), source.replay());
            async move { inner.transcribe(options, audio).await }.boxed()
        };
        persist(Attempts::new(self.settings), Box::new(attempt), Some(tape))
    }
}

impl TextToSpeech for Retry<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.inner.capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let (inner, tape) = (self.inner.clone(), Tape::new(text, CLAUSES));
        let source = tape.clone();
        let attempt = move || {
            let (inner, voice, text) = (inner.clone(), voice.clone(), source.replay());
            async move { inner.speak(voice, text).await }.boxed()
        };
        persist(Attempts::new(self.settings), Box::new(attempt), Some(tape))
    }
}

type Events<E> = BoxStream<'static, Result<E, ProviderError>>;
type Attempt<E> = Box<dyn FnMut() -> BoxFuture<'static, Result<Events<E>, ProviderError>> + Send>;

/// Opens, again if need be, and goes on until something was given; the tape is let go of then.
fn persist<E: Send + 'static, T: Clone + Send + 'static>(
    attempts: Attempts,
    attempt: Attempt<E>,
    tape: Option<Tape<T>>,
) -> BoxFuture<'static, Result<Events<E>, ProviderError>> {
    let mut request = Request { attempts, attempt, tape };
    async move {
        let events = request.open().await?;
        Ok(generate(|out| request.follow(events, out)))
    }
    .boxed()
}

struct Request<E, T> {
    attempts: Attempts,
    attempt: Attempt<E>,
    tape: Option<Tape<T>>,
}

impl<E: Send + 'static, T: Clone + Send + 'static> Request<E, T> {
    async fn open(&mut self) -> Result<Events<E>, ProviderError> {
        loop {
            match (self.attempt)().await {
                Ok(events) => return Ok(events),
                Err(error) => self.pause(error, true).await?,
            }
        }
    }

    async fn follow(mut self, mut events: Events<E>, out: Outlet<E>) -> Result<(), ProviderError> {
        let first = loop {
            match events.next().await {
                Some(Ok(first)) => break first,
                Some(Err(error)) => {
                    // The failed attempt must let go of what it read before the next takes it up.
                    drop(std::mem::replace(&mut events, stream::empty().boxed()));
                    self.pause(error, false).await?;
                    events = self.open().await?;
                }
                None => return Ok(()),
            }
        };
        if let Some(tape) = self.tape.take() {
            tape.forget();
        }
        out.give(first).await;
        while let Some(event) = events.next().await {
            out.give(event?).await;
        }
        Ok(())
    }

    async fn pause(&mut self, error: ProviderError, opening: bool) -> Result<(), ProviderError> {
        let again =
            self.tape.as_ref().is_none_or(Tape::is_whole).then(|| self.attempts.again(&error, opening)).flatten();
        let Some(pause) = again else { return Err(error) };
        let pause_ms = pause.as_millis();
        tracing::debug!(provider = %error.provider, kind = %error.kind, pause_ms, "a provider is asked again");
        sleep(pause).await;
        Ok(())
    }
}

/// What is left of a request's attempts.
struct Attempts {
    settings: RetrySettings,
    made: u32,
    /// Spent in pauses.
    waited: Duration,
}

impl Attempts {
    const fn new(settings: RetrySettings) -> Self {
        Self { settings, made: 1, waited: Duration::ZERO }
    }

    /// How long to pause before another attempt, if there is to be one.
    fn again(&mut self, error: &ProviderError, opening: bool) -> Option<Duration> {
        let may_help = match error.kind {
            ErrorKind::Unavailable | ErrorKind::RateLimited => true,
            // Who has waited for a first result has waited long enough.
            ErrorKind::Timeout => opening,
            ErrorKind::Unauthorized | ErrorKind::Rejected | ErrorKind::Protocol => false,
        };
        let doubled = self.settings.pause.saturating_mul(1 << (self.made - 1).min(16));
        let pause = jittered(doubled).max(error.retry_after.unwrap_or_default());
        if !may_help || self.made >= self.settings.attempts || self.waited + pause > self.settings.patience {
            return None;
        }
        self.made += 1;
        self.waited += pause;
        Some(pause)
    }
}

/// Between a half and the whole of it. The standard library keys its hashes at random.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) >> 32;
    pause.mul_f64(0.5 + random as f64 / f64::from(u32::MAX) / 2.0)
}

/// Two minutes of audio, 3.8 MB, and only until the first result.
const FRAMES: usize = 6_000;
/// More than any engine reads ahead.
const CLAUSES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: ErrorKind, retry_after: Option<u64>) -> ProviderError {
        ProviderError { retry_after: retry_after.map(Duration::from_millis), ..ProviderError::new("test", kind, "no") }
    }

    #[test]
    fn pauses_double_and_vary_within_a_half() {
        let settings = RetrySettings { attempts: 9, patience: Duration::from_secs(60), ..RetrySettings::default() };
        let mut all = Vec::new();
        for _ in 0..50 {
            let mut attempts = Attempts::new(settings);
            for doubled in [100, 200, 400, 800] {
                let pause = attempts.again(&failure(ErrorKind::Unavailable, None), true).unwrap();
                assert!(pause >= Duration::from_millis(doubled / 2) && pause <= Duration::from_millis(doubled));
                all.push(pause);
            }
        }
        all.dedup();
        assert!(all.len() > 100, "they hardly vary");
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_only_within_bounds() {
        for (kind, retry_after, opening, expected) in [
            (ErrorKind::Unavailable, None, true, true),
            (ErrorKind::Unavailable, None, false, true),
            (ErrorKind::RateLimited, None, false, true),
            (ErrorKind::RateLimited, Some(400), false, true),
            (ErrorKind::RateLimited, Some(401), false, false),
            (ErrorKind::Timeout, None, true, true),
            (ErrorKind::Timeout, None, false, false),
            (ErrorKind::Unauthorized, None, true, false),
            (ErrorKind::Rejected, None, true, false),
            (ErrorKind::Protocol, None, true, false),
        ] {
            let mut attempts = Attempts::new(RetrySettings::default());
            let error = failure(kind, retry_after);
            let pause = attempts.again(&error, opening);
            assert_eq!(pause.is_some(), expected, "{kind} {retry_after:?} {opening}");
            assert!(pause.is_none_or(|pause| pause >= error.retry_after.unwrap_or_default()));
            assert_eq!(attempts.again(&error, opening), None, "two attempts in all");
        }
    }
}
