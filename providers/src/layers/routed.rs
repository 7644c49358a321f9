//! Which of several providers serves a request: the one it names, else the one for its language, else the usual one.

use std::{collections::BTreeMap, sync::Arc};

use audio::Frame;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    LanguageModel, ProviderError, SpeechToText, TextToSpeech,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    stt::{SttCapabilities, SttOptions, TranscriptStream},
    tts::{Clause, SpeechStream, TtsCapabilities, Voice},
};

/// Providers by name and by language.
pub struct Routed<T: ?Sized> {
    usual: Arc<T>,
    named: BTreeMap<String, Arc<T>>,
    languages: BTreeMap<String, Arc<T>>,
    /// What a name stands for, where it is none of `named` itself.
    alias: Option<Box<Alias>>,
}

/// The name of a provider that another name stands for.
type Alias = dyn Fn(&str) -> Option<String> + Send + Sync;

impl<T: ?Sized> Routed<T> {
    /// Everything to `usual`.
    pub const fn new(usual: Arc<T>) -> Self {
        Self { usual, named: BTreeMap::new(), languages: BTreeMap::new(), alias: None }
    }

    /// Requests that name this model go there.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>, provider: Arc<T>) -> Self {
        self.named.insert(name.into(), provider);
        self
    }

    /// Requests in this language, a BCP 47 primary tag in lower case, go there unless they name a model.
    #[must_use]
    pub fn with_language(mut self, tag: impl Into<String>, provider: Arc<T>) -> Self {
        self.languages.insert(tag.into(), provider);
        self
    }

    /// Requests that name something else go to the provider whose name `alias` makes of it, if any.
    #[must_use]
    pub fn with_alias(self, alias: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { alias: Some(Box::new(alias)), ..self }
    }

    fn choose(&self, name: Option<&str>, language: Option<&str>) -> &T {
        let aliased = |name| self.named.get(&self.alias.as_ref()?(name)?);
        let named = name.and_then(|name| self.named.get(name).or_else(|| aliased(name)));
        let spoken = || self.languages.get(&primary(language?));
        named.or_else(spoken).unwrap_or(&self.usual)
    }

    /// The languages of the usual provider, and those that have a way of their own. None at all means any.
    fn spoken(&self, mut usual: Vec<String>) -> Vec<String> {
        if !usual.is_empty() {
            usual.extend(self.languages.keys().filter(|tag| !usual.contains(tag)).cloned().collect::<Vec<_>>());
        }
        usual
    }
}

/// The primary tag: `es` of `es-MX`, in lower case.
fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

impl SpeechToText for Routed<dyn SpeechToText> {
    fn capabilities(&self) -> SttCapabilities {
        let usual = self.usual.capabilities();
        SttCapabilities { languages: self.spoken(usual.languages), ..usual }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let language = options.language.as_deref().or(options.likely.as_deref());
        self.choose(options.model.as_deref(), language).transcribe(options, audio)
    }
}

impl LanguageModel for Routed<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.usual.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        self.choose(prompt.model.as_deref(), prompt.language.as_deref()).reply(prompt)
    }
}

impl TextToSpeech for Routed<dyn TextToSpeech> {
    fn capabilities(&self) -> TtsCapabilities {
        let usual = self.usual.capabilities();
        TtsCapabilities { languages: self.spoken(usual.languages), ..usual }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        // A voice is named `elevenlabs/Rachel` where its provider matters.
        self.choose(Some(&voice.name), voice.language.as_deref()).speak(voice, text)
    }
}
