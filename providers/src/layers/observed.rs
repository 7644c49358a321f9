//! Reports what providers do, so that the app can count requests, failures and latencies.
//!
//! Providers know no metrics and no clock: both belong to the [`Observer`].

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::Poll,
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Consumed, Meter};
use crate::{
    EmbeddingModel, ErrorKind, LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    llm::{LlmCapabilities, Prompt, Thought, ThoughtStream},
    realtime::{Command, Event, EventStream, Opening, RealtimeCapabilities, Step},
    stt::{SttCapabilities, SttOptions, Transcript, TranscriptStream},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// Who listens to providers at work. Called on the stream's own task: it must not block.
pub trait Observer: Send + Sync {
    /// Time passed since any fixed moment.
    fn now(&self) -> Duration;

    /// Something happened to a request of this provider.
    fn observe(&self, provider: &str, role: Role, event: Observation);

    /// A provider took a request, so long after it was asked.
    fn connected(&self, _provider: &str, _role: Role, _after: Duration) {}

    /// A request consumed something, beyond what was told before; at the latest told before its end.
    fn consumed(&self, _provider: &str, _role: Role, _what: Consumed) {}

    /// A provider failed so, and this other one takes over.
    fn took_over(&self, _role: Role, _from: &str, _to: &str, _kind: ErrorKind) {}
}

/// What a provider does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Role {
    /// Speech-to-text.
    Stt,
    /// Language model.
    Llm,
    /// Text-to-speech.
    Tts,
    /// Speech-to-speech.
    Realtime,
    /// Embedding model.
    Embed,
}

/// Something that happened to a request. One `Requested` is followed by exactly one `Finished`, `Failed` or `Cancelled`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observation {
    /// It began.
    Requested,
    /// Its first result came: a model's first thought so long after the request, the first sound after the first clause
    /// was taken, the final transcript after the end of the audio, the first step of a spoken reply after it was wanted, all
    /// vectors after their texts were given.
    First {
        /// How long it took.
        after: Duration,
    },
    /// It ended well.
    Finished {
        /// Since the request.
        after: Duration,
    },
    /// It failed, opening or later.
    Failed {
        /// Since the request.
        after: Duration,
        /// As what.
        kind: ErrorKind,
    },
    /// Its reader let go of it before its end.
    Cancelled {
        /// Since the request.
        after: Duration,
    },
    /// Its breaker opened: requests are refused for a while. Not part of any one request.
    Opened {
        /// As what it failed.
        kind: ErrorKind,
    },
    /// Its breaker closed again. Not part of any one request.
    Closed,
}

/// A provider whose work is reported.
pub struct Observed<T: ?Sized> {
    name: Cow<'static, str>,
    observer: Arc<dyn Observer>,
    inner: Arc<T>,
}

impl<T: ?Sized> Observed<T> {
    /// Reports on `inner`, which is configured under this name.
    pub fn new(name: impl Into<Cow<'static, str>>, observer: Arc<dyn Observer>, inner: Arc<T>) -> Self {
        Self { name: name.into(), observer, inner }
    }

    fn begin(&self, role: Role) -> Request {
        Request::begin(self.name.clone(), role, self.observer.clone())
    }
}

impl LanguageModel for Observed<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let mut request = self.begin(Role::Llm);
        async move {
            let _ = request.awaited.set(request.since);
            let thoughts = request.opened(self.inner.reply(prompt).await)?;
            let count = |meter: &mut Meter, thought: &Thought| {
                if let Thought::Usage(usage) = thought {
                    meter.used(*usage);
                }
            };
            let last = |thought: &Thought| matches!(thought, Thought::Finished(_));
            Ok(request.follow(thoughts, Reading { result: |_| true, last, count }))
        }
        .boxed()
    }
}

impl SpeechToText for Observed<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.inner.capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let mut request = self.begin(Role::Stt);
        async move {
            let (ended, observer) = (request.awaited.clone(), request.observer.clone());
            let end = stream::poll_fn(move |_| {
                let _ = ended.set(observer.now());
                Poll::Ready(None)
            });
            let audio = request.meter.hear(audio).chain(end).boxed();
            let transcripts = request.opened(self.inner.transcribe(options, audio).await)?;
            let last = |transcript: &Transcript| matches!(transcript, Transcript::Final(_));
            Ok(request.follow(transcripts, Reading { result: last, last, count: |_, _| {} }))
        }
        .boxed()
    }
}

impl TextToSpeech for Observed<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.inner.capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let mut request = self.begin(Role::Tts);
        async move {
            let (taken, observer) = (request.awaited.clone(), request.observer.clone());
            let text = request.meter.read(text).inspect(move |_| _ = taken.get_or_init(|| observer.now()));
            let speech = request.opened(self.inner.speak(voice, text.boxed()).await)?;
            let count = |meter: &mut Meter, speech: &Speech| {
                if let Speech::Audio { clip, .. } = speech {
                    meter.spoke(clip.duration());
                }
            };
            let result = |speech: &Speech| matches!(speech, Speech::Audio { .. });
            Ok(request.follow(speech, Reading { result, last: |_| false, count }))
        }
        .boxed()
    }
}

impl EmbeddingModel for Observed<dyn EmbeddingModel> {
    fn capabilities(&self) -> EmbedCapabilities {
        self.inner.capabilities()
    }

    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        let mut request = self.begin(Role::Embed);
        async move {
            let _ = request.awaited.set(request.since);
            let made = request.opened(self.inner.embed(texts, purpose).await)?;
            request.meter.read_tokens(made.tokens.unwrap_or_default());
            request.result();
            request.end(|after| Observation::Finished { after });
            Ok(made)
        }
        .boxed()
    }
}

/// Opening a conversation is a request, which ends well when it is open; so is each reply in it. A conversation lost
/// between replies counts as one more, which failed.
impl RealtimeModel for Observed<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        let mut request = self.begin(Role::Realtime);
        async move {
            let (name, observer) = (self.name.clone(), self.observer.clone());
            let replies = Arc::new(Replies { name, observer, current: Mutex::default() });
            let told = replies.clone();
            let commands = commands.inspect(move |command| told.take(command)).boxed();
            // Of the conversation as a whole: it pays for what is said between replies too.
            let meter = Meter::begin(self.name.clone(), Role::Realtime, self.observer.clone());
            let (commands, count) = meter.converse(commands);
            let mut events = count(request.opened(self.inner.converse(opening, commands).await)?);
            request.end(|after| Observation::Finished { after });
            let followed = stream::poll_fn(move |context| {
                let polled = events.poll_next_unpin(context);
                match &polled {
                    Poll::Ready(Some(Ok(event))) => replies.note(event),
                    Poll::Ready(Some(Err(error))) => replies.lost(error.kind),
                    Poll::Ready(None) | Poll::Pending => {}
                }
                polled
            });
            Ok(followed.boxed())
        }
        .boxed()
    }
}

/// The replies of a conversation, of which one at most is under way.
struct Replies {
    name: Cow<'static, str>,
    observer: Arc<dyn Observer>,
    current: Mutex<Option<(u64, Request)>>,
}

impl Replies {
    fn current(&self) -> MutexGuard<'_, Option<(u64, Request)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Request {
        let request = Request::begin(self.name.clone(), Role::Realtime, self.observer.clone());
        let _ = request.awaited.set(request.since);
        request
    }

    fn take(&self, command: &Command) {
        match command {
            Command::Respond { reply, .. } => {
                // The one before, should it still be there, is told as cancelled first.
                *self.current() = None;
                *self.current() = Some((*reply, self.begin()));
            }
            Command::Cancel => *self.current() = None,
            Command::Hear(_) | Command::Commit | Command::Discard | Command::Add(_) | Command::Truncate(_) => {}
        }
    }

    fn note(&self, event: &Event) {
        let mut current = self.current();
        let Some((_, request)) = current.as_mut().filter(|(reply, _)| *reply == event.reply) else { return };
        match &event.step {
            Step::Failed(error) => request.end(|after| Observation::Failed { after, kind: error.kind }),
            Step::Thought(Thought::Finished(_)) => request.end(|after| Observation::Finished { after }),
            Step::Thought(_) | Step::Sound(_) if !request.first => return request.result(),
            Step::Thought(_) | Step::Sound(_) => return,
        }
        *current = None;
    }

    fn lost(&self, kind: ErrorKind) {
        let lost = self.current().take();
        let mut request = lost.map_or_else(|| self.begin(), |(_, request)| request);
        request.end(|after| Observation::Failed { after, kind });
    }
}

/// What its events mean to a request.
struct Reading<T> {
    /// This is what was waited for.
    result: fn(&T) -> bool,
    /// Nothing follows this: the request ends well, whether or not anybody waits for the end of the stream.
    last: fn(&T) -> bool,
    count: fn(&mut Meter, &T),
}

/// One request; dropped before its end, it was cancelled.
struct Request {
    name: Cow<'static, str>,
    role: Role,
    observer: Arc<dyn Observer>,
    since: Duration,
    /// When the first result began to be owed.
    awaited: Arc<OnceLock<Duration>>,
    first: bool,
    over: bool,
    meter: Meter,
}

impl Request {
    fn begin(name: Cow<'static, str>, role: Role, observer: Arc<dyn Observer>) -> Self {
        let since = observer.now();
        observer.observe(&name, role, Observation::Requested);
        let meter = Meter::begin(name.clone(), role, observer.clone());
        Self { name, role, observer, since, awaited: Arc::default(), first: false, over: false, meter }
    }

    fn opened<S>(&mut self, opened: Result<S, ProviderError>) -> Result<S, ProviderError> {
        match &opened {
            Ok(_) => self.observer.connected(&self.name, self.role, self.age()),
            Err(error) => self.end(|after| Observation::Failed { after, kind: error.kind }),
        }
        opened
    }

    fn follow<T: Send + 'static>(
        mut self,
        mut events: BoxStream<'static, Result<T, ProviderError>>,
        reading: Reading<T>,
    ) -> BoxStream<'static, Result<T, ProviderError>> {
        let followed = stream::poll_fn(move |context| {
            let polled = events.poll_next_unpin(context);
            match &polled {
                Poll::Ready(Some(Ok(event))) => {
                    (reading.count)(&mut self.meter, event);
                    if !self.first && (reading.result)(event) {
                        self.result();
                    }
                    if (reading.last)(event) {
                        self.end(|after| Observation::Finished { after });
                    }
                }
                Poll::Ready(Some(Err(error))) => self.end(|after| Observation::Failed { after, kind: error.kind }),
                Poll::Ready(None) => self.end(|after| Observation::Finished { after }),
                Poll::Pending => {}
            }
            polled
        });
        followed.boxed()
    }

    fn result(&mut self) {
        self.first = true;
        if let Some(awaited) = self.awaited.get() {
            let after = self.observer.now().saturating_sub(*awaited);
            self.observer.observe(&self.name, self.role, Observation::First { after });
        }
    }

    fn end(&mut self, how: impl FnOnce(Duration) -> Observation) {
        if !std::mem::replace(&mut self.over, true) {
            self.meter.tell();
            self.observer.observe(&self.name, self.role, how(self.age()));
        }
    }

    fn age(&self) -> Duration {
        self.observer.now().saturating_sub(self.since)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.end(|after| Observation::Cancelled { after });
    }
}
