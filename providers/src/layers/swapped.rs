//! A provider that can be exchanged while it is in use: keys are rotated without dropping anybody.
//!
//! Whatever is under way goes on with the provider it began with; the next request goes to the new one.

use std::sync::{Arc, PoisonError, RwLock};

use audio::Frame;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};

use crate::{
    EmbeddingModel, LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
    stt::{SttCapabilities, SttOptions, TranscriptStream},
    tts::{Clause, SpeechStream, TtsCapabilities, Voice},
};

/// A place for a provider.
pub struct Swapped<T: ?Sized>(RwLock<Arc<T>>);

impl<T: ?Sized> Swapped<T> {
    /// Begins with this one.
    pub const fn new(inner: Arc<T>) -> Self {
        Self(RwLock::new(inner))
    }

    /// Requests from here on go to this one.
    pub fn swap(&self, inner: Arc<T>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = inner;
    }

    fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl LanguageModel for Swapped<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.current().capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let inner = self.current();
        async move { inner.reply(prompt).await }.boxed()
    }
}

impl SpeechToText for Swapped<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        self.current().capabilities()
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let inner = self.current();
        async move { inner.transcribe(options, audio).await }.boxed()
    }
}

impl TextToSpeech for Swapped<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        self.current().capabilities()
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let inner = self.current();
        async move { inner.speak(voice, text).await }.boxed()
    }
}

impl RealtimeModel for Swapped<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.current().capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        let inner = self.current();
        async move { inner.converse(opening, commands).await }.boxed()
    }
}

impl EmbeddingModel for Swapped<dyn EmbeddingModel> {
    fn capabilities(&self) -> EmbedCapabilities {
        self.current().capabilities()
    }

    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        let inner = self.current();
        async move { inner.embed(texts, purpose).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;
    use crate::{
        llm::Thought,
        scripted::{self, LlmScript, Reply},
    };

    fn says(text: &str) -> Arc<dyn LanguageModel> {
        let replies = vec![Reply::Text(text.to_owned())];
        Arc::new(scripted::LanguageModel::new(LlmScript { replies, ..LlmScript::default() }))
    }

    async fn words(thoughts: ThoughtStream) -> String {
        let thoughts: Vec<_> = thoughts.collect().await;
        thoughts
            .into_iter()
            .flatten()
            .filter_map(|t| if let Thought::Text(text) = t { Some(text) } else { None })
            .collect()
    }

    #[tokio::test]
    async fn what_is_under_way_goes_on_and_the_next_request_goes_to_the_new_one() {
        let swapped = Swapped::new(says("old"));
        let under_way = swapped.reply(Prompt::default()).await.unwrap();
        swapped.swap(says("new"));
        assert_eq!(words(under_way).await, "old");
        assert_eq!(words(swapped.reply(Prompt::default()).await.unwrap()).await, "new");
    }
}
