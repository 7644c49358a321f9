//! Whose account a request is on: a session's, for instance.
//!
//! [`Metered`] goes outermost, [`Observed`](super::Observed) tells what was consumed. Between the two a chain decides which
//! provider serves, so the account travels with the polling, as a tracing span does, and not with the request: every request
//! begun while a metered one is polled is on its account. Nothing between the two may hand its work to a task of its own.

use std::sync::Arc;

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Consumed, Role};
use crate::{
    LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
    stt::{SttCapabilities, SttOptions, TranscriptStream},
    tts::{Clause, SpeechStream, TtsCapabilities, Voice},
};

/// Whoever bears the cost of requests. Called on the stream's own task: it must not block.
pub trait Account: Send + Sync {
    /// A request to this provider begins; of several in a chain, the last one answers.
    fn opened(&self, _provider: &str) {}

    /// A request consumed something, for the first time or beyond what was told before.
    fn consumed(&self, provider: &str, role: Role, what: Consumed);

    /// A request is over, and all that it consumed was told. Every `opened` is followed by one.
    fn closed(&self) {}
}

tokio::task_local! {
    static PAYER: Arc<dyn Account>;
}

/// Who pays for what is polled now.
pub(super) fn payer() -> Option<Arc<dyn Account>> {
    PAYER.try_with(Arc::clone).ok()
}

/// A provider whose requests are on an account.
pub struct Metered<T: ?Sized> {
    account: Arc<dyn Account>,
    inner: Arc<T>,
}

impl<T: ?Sized> Metered<T> {
    /// Puts all that is asked of `inner` through this on `account`.
    pub fn new(account: Arc<dyn Account>, inner: Arc<T>) -> Self {
        Self { account, inner }
    }

    fn paid<'a, E: Send + 'static>(
        &'a self,
        ask: impl FnOnce(&'a T) -> BoxFuture<'a, Opened<E>> + Send + 'a,
    ) -> BoxFuture<'a, Opened<E>>
    where
        T: Sync + Send,
    {
        let account = self.account.clone();
        async move {
            let mut events = PAYER.scope(account.clone(), async { ask(&*self.inner).await }).await?;
            let paid =
                stream::poll_fn(move |context| PAYER.sync_scope(account.clone(), || events.poll_next_unpin(context)));
            Ok(paid.boxed())
        }
        .boxed()
    }
}

/// A request's events, or why there are none.
type Opened<E> = Result<BoxStream<'static, Result<E, ProviderError>>, ProviderError>;

impl LanguageModel for Metered<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        self.paid(|model| model.reply(prompt))
    }
}

impl SpeechToText for Metered<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.inner.capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        self.paid(|ear| ear.transcribe(options, audio))
    }
}

impl TextToSpeech for Metered<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.inner.capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        self.paid(|mouth| mouth.speak(voice, text))
    }
}

impl RealtimeModel for Metered<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        self.paid(|model| model.converse(opening, commands))
    }
}
