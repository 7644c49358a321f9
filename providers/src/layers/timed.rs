//! Bounds on how long a provider may take before it counts as failed with [`ErrorKind::Timeout`].
//!
//! Only the provider's own time counts: not a reader that waits, not a speaker who pauses, not a model that is slow to
//! bring the next clause.

use std::{
    borrow::Cow,
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use tokio::{sync::Notify, time::sleep};

use crate::{
    ErrorKind, LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech,
    generate::{Outlet, generate},
    llm::{LlmCapabilities, Prompt, Thought, ThoughtStream},
    realtime::{Command, Event, EventStream, Opening, RealtimeCapabilities, Step},
    stt::{SttCapabilities, SttOptions, Transcript, TranscriptStream},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// The bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Until the stream is open.
    pub open: Duration,
    /// Until the first result: a model's first thought, speech from the moment a clause was taken, the final transcript
    /// from the end of the audio, the first step of a spoken reply from the moment it was wanted.
    pub first: Duration,
    /// Between results that are owed. Speech-to-text owes none, nor does speech-to-speech between replies, but both must
    /// keep reading; it may take up to twice this long to notice that they do not.
    pub idle: Duration,
}

/// A provider that gives up in time.
pub struct Timed<T: ?Sized> {
    name: Cow<'static, str>,
    timeouts: Timeouts,
    inner: Arc<T>,
}

impl<T: ?Sized> Timed<T> {
    /// Bounds `inner`, which is configured under this name.
    pub fn new(name: impl Into<Cow<'static, str>>, timeouts: Timeouts, inner: Arc<T>) -> Self {
        Self { name: name.into(), timeouts, inner }
    }

    async fn open<S>(&self, opening: impl Future<Output = Result<S, ProviderError>>) -> Result<S, ProviderError> {
        let late = || timeout(&self.name, "to open", self.timeouts.open);
        tokio::time::timeout(self.timeouts.open, opening).await.unwrap_or_else(|_| Err(late()))
    }
}

fn timeout(name: &str, what: &str, limit: Duration) -> ProviderError {
    ProviderError::new(name.to_owned(), ErrorKind::Timeout, format!("took over {} ms {what}", limit.as_millis()))
}

impl LanguageModel for Timed<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move {
            let thoughts = self.open(self.inner.reply(prompt)).await?;
            Ok(generate(|out| think(self.name.clone(), self.timeouts, thoughts, out)))
        }
        .boxed()
    }
}

async fn think(
    name: Cow<'static, str>,
    timeouts: Timeouts,
    mut thoughts: ThoughtStream,
    out: Outlet<Thought>,
) -> Result<(), ProviderError> {
    let (mut limit, mut what) = (timeouts.first, "to the first word");
    loop {
        let next = tokio::time::timeout(limit, thoughts.next()).await;
        match next.map_err(|_| timeout(&name, what, limit))? {
            Some(thought) => out.give(thought?).await,
            None => return Ok(()),
        }
        (limit, what) = (timeouts.idle, "between words");
    }
}

impl SpeechToText for Timed<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.inner.capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        async move {
            let ear = Arc::new(Ear::default());
            let transcripts = self.open(self.inner.transcribe(options, ear.clone().listen(audio))).await?;
            Ok(generate(|out| hear(self.name.clone(), self.timeouts, ear, transcripts, out)))
        }
        .boxed()
    }
}

async fn hear(
    name: Cow<'static, str>,
    timeouts: Timeouts,
    ear: Arc<Ear>,
    mut transcripts: TranscriptStream,
    out: Outlet<Transcript>,
) -> Result<(), ProviderError> {
    let mut ended = false;
    let mut progress = ear.progress();
    let mut timer = pin!(sleep(timeouts.idle));
    loop {
        tokio::select! { biased;
            event = transcripts.next() => match event {
                Some(event) => out.give(event?).await,
                None => return Ok(()),
            },
            () = ear.ended.notified(), if !ended => {
                ended = true;
                timer.set(sleep(timeouts.first));
            }
            () = &mut timer => {
                if ended {
                    return Err(timeout(&name, "from the end of the audio to its transcript", timeouts.first));
                }
                if ear.progress() == progress && !ear.is_waiting() {
                    return Err(timeout(&name, "without reading any audio", timeouts.idle));
                }
                progress = ear.progress();
                timer.set(sleep(timeouts.idle));
            }
        }
    }
}

impl RealtimeModel for Timed<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        async move {
            let ear = Arc::new(Ear::default());
            let owed = Arc::new(Owed::default());
            let taking = owed.clone();
            let commands = ear.clone().listen(commands.inspect(move |command| taking.take(command)).boxed());
            let events = self.open(self.inner.converse(opening, commands)).await?;
            let held = Held { name: self.name.clone(), timeouts: self.timeouts, ear, owed };
            Ok(generate(|out| held.follow(events, out)))
        }
        .boxed()
    }
}

/// A conversation whose model must neither stop reading nor owe a step too long.
struct Held {
    name: Cow<'static, str>,
    timeouts: Timeouts,
    ear: Arc<Ear>,
    owed: Arc<Owed>,
}

impl Held {
    async fn follow(self, mut events: EventStream, out: Outlet<Event>) -> Result<(), ProviderError> {
        let (mut limit, mut what) = self.owed.limit(&self.timeouts);
        let mut progress = self.ear.progress();
        let (mut step, mut reading) = (pin!(sleep(limit)), pin!(sleep(self.timeouts.idle)));
        loop {
            tokio::select! { biased;
                event = events.next() => {
                    let Some(event) = event.transpose()? else { return Ok(()) };
                    self.owed.note(&event);
                    out.give(event).await;
                    // Time that the reader took is nobody's.
                    (limit, what) = self.owed.limit(&self.timeouts);
                    step.set(sleep(limit));
                }
                () = self.owed.incurred.notified() => {
                    (limit, what) = self.owed.limit(&self.timeouts);
                    step.set(sleep(limit));
                }
                // It may have been cancelled while this waited.
                () = &mut step, if self.owed.is_owed() => if self.owed.is_owed() {
                    return Err(timeout(&self.name, what, limit));
                },
                () = &mut reading => {
                    if self.ear.progress() == progress && !self.ear.is_waiting() {
                        return Err(timeout(&self.name, "without taking a command", self.timeouts.idle));
                    }
                    progress = self.ear.progress();
                    reading.set(sleep(self.timeouts.idle));
                }
            }
        }
    }
}

/// The reply of which steps are owed; 0 is none, so replies count from 1 here.
#[derive(Default)]
struct Owed {
    reply: AtomicU64,
    /// A step of it has come.
    begun: AtomicBool,
    incurred: Notify,
}

impl Owed {
    fn take(&self, command: &Command) {
        match command {
            Command::Respond { reply, .. } => {
                self.begun.store(false, Ordering::Relaxed);
                self.reply.store(reply.wrapping_add(1), Ordering::Relaxed);
                self.incurred.notify_one();
            }
            Command::Cancel => self.reply.store(0, Ordering::Relaxed),
            Command::Hear(_) | Command::Commit | Command::Discard | Command::Add(_) | Command::Truncate(_) => {}
        }
    }

    fn note(&self, event: &Event) {
        let number = event.reply.wrapping_add(1);
        if self.reply.load(Ordering::Relaxed) != number {
            return;
        }
        self.begun.store(true, Ordering::Relaxed);
        if matches!(event.step, Step::Thought(Thought::Finished(_)) | Step::Failed(_)) {
            // Unless the next one was asked for just then.
            let _ = self.reply.compare_exchange(number, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn is_owed(&self) -> bool {
        self.reply.load(Ordering::Relaxed) != 0
    }

    /// How long the next step may take, and in which words.
    fn limit(&self, timeouts: &Timeouts) -> (Duration, &'static str) {
        if self.begun.load(Ordering::Relaxed) {
            (timeouts.idle, "between steps of a reply")
        } else {
            (timeouts.first, "to the first step of a reply")
        }
    }
}

/// How far the audio, or a conversation's commands, were read.
#[derive(Default)]
struct Ear {
    frames: AtomicU64,
    /// Frames read when the reader last found none: equal to `frames` while it waits for the speaker.
    wanting: AtomicU64,
    ended: Notify,
}

impl Ear {
    fn listen<T: 'static>(self: Arc<Self>, mut audio: BoxStream<'static, T>) -> BoxStream<'static, T> {
        let watched = stream::poll_fn(move |context| {
            let polled = audio.poll_next_unpin(context);
            match &polled {
                Poll::Pending => self.wanting.store(self.frames.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
                Poll::Ready(Some(_)) => _ = self.frames.fetch_add(1, Ordering::Relaxed),
                Poll::Ready(None) => self.ended.notify_one(),
            }
            polled
        });
        watched.boxed()
    }

    fn progress(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    fn is_waiting(&self) -> bool {
        self.wanting.load(Ordering::Relaxed) == self.progress() + 1
    }
}

impl TextToSpeech for Timed<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.inner.capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        async move {
            let debt = Arc::new(Debt::default());
            let speech = self.open(self.inner.speak(voice, debt.clone().watch(text))).await?;
            Ok(generate(|out| say(self.name.clone(), self.timeouts, debt, speech, out)))
        }
        .boxed()
    }
}

async fn say(
    name: Cow<'static, str>,
    timeouts: Timeouts,
    debt: Arc<Debt>,
    mut speech: SpeechStream,
    out: Outlet<Speech>,
) -> Result<(), ProviderError> {
    let (mut limit, mut what) = (timeouts.first, "to the first sound");
    let mut timer = pin!(sleep(limit));
    loop {
        tokio::select! { biased;
            event = speech.next() => {
                let Some(event) = event.transpose()? else { return Ok(()) };
                if matches!(event, Speech::ClauseDone { .. }) {
                    debt.owed.fetch_sub(1, Ordering::Relaxed);
                }
                out.give(event).await;
                (limit, what) = (timeouts.idle, "between sounds");
                timer.set(sleep(limit));
            }
            () = debt.incurred.notified() => timer.set(sleep(limit)),
            () = &mut timer, if debt.owed.load(Ordering::Relaxed) > 0 => return Err(timeout(&name, what, limit)),
        }
    }
}

/// Clauses taken and not yet voiced, and one more once the text has ended: the end of the speech.
#[derive(Default)]
struct Debt {
    owed: AtomicI64,
    /// Something is owed where nothing was.
    incurred: Notify,
}

impl Debt {
    fn watch(self: Arc<Self>, text: BoxStream<'static, Clause>) -> BoxStream<'static, Clause> {
        let incur = move || {
            if self.owed.fetch_add(1, Ordering::Relaxed) == 0 {
                self.incurred.notify_one();
            }
        };
        let mut text = text.fuse();
        let mut over = false;
        let watched = stream::poll_fn(move |context| {
            let polled = text.poll_next_unpin(context);
            if let Poll::Ready(clause) = &polled
                && !std::mem::replace(&mut over, clause.is_none())
            {
                incur();
            }
            polled
        });
        watched.boxed()
    }
}
