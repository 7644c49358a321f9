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
        atomic::{AtomicI64, AtomicU64, Ordering},
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
    EmbeddingModel, ErrorKind, LanguageModel, ProviderError, SpeechToText, TextToSpeech,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    generate::{Outlet, generate},
    llm::{LlmCapabilities, Prompt, Thought, ThoughtStream},
    stt::{SttCapabilities, SttOptions, Transcript, TranscriptStream},
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// The bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Until the stream is open.
    pub open: Duration,
    /// Until the first result: a model's first thought, speech from the moment a clause was taken, the final transcript
    /// from the end of the audio, the first step of a spoken reply from the moment it was wanted, the vector of a question.
    pub first: Duration,
    /// Between results that are owed. Speech-to-text owes none, nor does speech-to-speech between replies, but both must
    /// keep reading; it may take up to twice this long to notice that they do not. The vectors of passages, for which nobody
    /// waits, are due after this.
    pub idle: Duration,
}

/// A provider that gives up in time.
pub struct Timed<T: ?Sized> {
    pub(super) name: Cow<'static, str>,
    pub(super) timeouts: Timeouts,
    pub(super) inner: Arc<T>,
}

impl<T: ?Sized> Timed<T> {
    /// Bounds `inner`, which is configured under this name.
    pub fn new(name: impl Into<Cow<'static, str>>, timeouts: Timeouts, inner: Arc<T>) -> Self {
        Self { name: name.into(), timeouts, inner }
    }

    pub(super) async fn open<S>(
        &self,
        opening: impl Future<Output = Result<S, ProviderError>>,
    ) -> Result<S, ProviderError> {
        let late = || timeout(&self.name, "to open", self.timeouts.open);
        tokio::time::timeout(self.timeouts.open, opening).await.unwrap_or_else(|_| Err(late()))
    }
}

pub(super) fn timeout(name: &str, what: &str, limit: Duration) -> ProviderError {
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

/// How far the audio, or a conversation's commands, were read.
#[derive(Default)]
pub(super) struct Ear {
    frames: AtomicU64,
    /// Frames read when the reader last found none: equal to `frames` while it waits for the speaker.
    wanting: AtomicU64,
    ended: Notify,
}

impl Ear {
    pub(super) fn listen<T: 'static>(self: Arc<Self>, mut audio: BoxStream<'static, T>) -> BoxStream<'static, T> {
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

    pub(super) fn progress(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    pub(super) fn is_waiting(&self) -> bool {
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

impl EmbeddingModel for Timed<dyn EmbeddingModel> {
    fn capabilities(&self) -> EmbedCapabilities {
        self.inner.capabilities()
    }

    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        let (limit, what) = match purpose {
            Purpose::Question => (self.timeouts.first, "to embed a question"),
            Purpose::Passages => (self.timeouts.idle, "to embed passages"),
        };
        async move {
            let made = tokio::time::timeout(limit, self.inner.embed(texts, purpose)).await;
            made.unwrap_or_else(|_| Err(timeout(&self.name, what, limit)))
        }
        .boxed()
    }
}
