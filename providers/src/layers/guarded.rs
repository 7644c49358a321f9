//! Requests let in or refused at the door: one wrapper for every guard and every kind of provider.

use std::{sync::Arc, task::Poll};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use crate::{
    LanguageModel, ProviderError, SpeechToText, TextToSpeech,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
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
            follow(pass, self.inner.reply(prompt).await)
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
            follow(pass, self.inner.transcribe(options, audio).await)
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
            follow(pass, self.inner.speak(voice, text).await)
        }
        .boxed()
    }
}

/// Tells the guard how the request goes, and lets it out with the end of the stream, or its reader.
fn follow<T: Send + 'static>(
    mut pass: Box<dyn Pass>,
    opened: Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError>,
) -> Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError> {
    let mut events = opened.inspect_err(|error| pass.failed(error))?;
    let mut pass = Some(pass);
    let mut worked = false;
    let followed = stream::poll_fn(move |context| {
        let polled = events.poll_next_unpin(context);
        match (&polled, &mut pass) {
            (Poll::Ready(Some(Ok(_))), Some(pass)) if !std::mem::replace(&mut worked, true) => pass.worked(),
            (Poll::Ready(Some(Err(error))), Some(pass)) => pass.failed(error),
            (Poll::Ready(None), _) => pass = None,
            (Poll::Ready(Some(_)) | Poll::Pending, _) => {}
        }
        polled
    });
    Ok(followed.boxed())
}
