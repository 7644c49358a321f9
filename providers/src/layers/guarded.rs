//! Requests let in or refused at the door: one wrapper for every guard and every kind of provider.

use std::{sync::Arc, task::Poll};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use crate::{
    EmbeddingModel, LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    realtime::{Command, Event, EventStream, Opening, RealtimeCapabilities, Step},
    stt::{SttCapabilities, SttOptions, TranscriptStream},
    tts::{Clause, SpeechStream, TtsCapabilities, Voice},
};

/// Decides who may bother a provider.
pub trait Guard: Send + Sync {
    /// Lets a request in, perhaps after a wait, or refuses it. Dropping the future gives up the place in the queue.
    fn enter(&self) -> BoxFuture<'_, Result<Box<dyn Pass>, ProviderError>>;
}

/// A request that was let in. Dropping it tells that the request is over.
pub trait Pass: Send {
    /// It had a result: the provider works.
    fn worked(&mut self) {}

    /// It failed, opening or later.
    fn failed(&mut self, _: &ProviderError) {}
}

/// A provider behind a guard.
pub struct Guarded<T: ?Sized> {
    guard: Arc<dyn Guard>,
    inner: Arc<T>,
}

impl<T: ?Sized> Guarded<T> {
    /// Puts `guard` before `inner`. A guard may stand before several providers: they then share its bounds.
    pub fn new(guard: Arc<dyn Guard>, inner: Arc<T>) -> Self {
        Self { guard, inner }
    }
}

impl LanguageModel for Guarded<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move {
            let pass = self.guard.enter().await?;
            follow(pass, self.inner.reply(prompt).await, |_| None)
        }
        .boxed()
    }
}

impl SpeechToText for Guarded<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.inner.capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        async move {
            let pass = self.guard.enter().await?;
            follow(pass, self.inner.transcribe(options, audio).await, |_| None)
        }
        .boxed()
    }
}

impl TextToSpeech for Guarded<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.inner.capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        async move {
            let pass = self.guard.enter().await?;
            follow(pass, self.inner.speak(voice, text).await, |_| None)
        }
        .boxed()
    }
}

/// A conversation is one request, in until it is hung up. A reply that fails in it counts as a failure.
impl RealtimeModel for Guarded<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        async move {
            let pass = self.guard.enter().await?;
            follow(pass, self.inner.converse(opening, commands).await, failed_step)
        }
        .boxed()
    }
}

impl EmbeddingModel for Guarded<dyn EmbeddingModel> {
    fn capabilities(&self) -> EmbedCapabilities {
        self.inner.capabilities()
    }

    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        async move {
            let mut pass = self.guard.enter().await?;
            let made = self.inner.embed(texts, purpose).await;
            match &made {
                Ok(_) => pass.worked(),
                Err(error) => pass.failed(error),
            }
            made
        }
        .boxed()
    }
}

fn failed_step(event: &Event) -> Option<&ProviderError> {
    match &event.step {
        Step::Failed(error) => Some(error),
        Step::Thought(_) | Step::Sound(_) => None,
    }
}

/// Tells the guard how the request goes, and lets it out with the end of the stream, or its reader. `failure` finds the
/// failures after which the stream goes on.
fn follow<T: Send + 'static>(
    mut pass: Box<dyn Pass>,
    opened: Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError>,
    failure: fn(&T) -> Option<&ProviderError>,
) -> Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError> {
    let mut events = opened.inspect_err(|error| pass.failed(error))?;
    let mut pass = Some(pass);
    let mut worked = false;
    let followed = stream::poll_fn(move |context| {
        let polled = events.poll_next_unpin(context);
        match (&polled, &mut pass) {
            (Poll::Ready(Some(event)), Some(pass)) => match event.as_ref().map(failure) {
                Ok(None) if worked => {}
                Ok(None) => {
                    worked = true;
                    pass.worked();
                }
                Ok(Some(error)) | Err(error) => {
                    worked = false;
                    pass.failed(error);
                }
            },
            (Poll::Ready(None), _) => pass = None,
            (Poll::Ready(Some(_)), None) | (Poll::Pending, _) => {}
        }
        polled
    });
    Ok(followed.boxed())
}
