//! The language models of Google AI Studio.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::header::HeaderName;

use super::{Config, wire};
use crate::{
    ProviderError,
    dialogue::Echoes,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    net::events::Peer,
};

/// One Gemini model. Dropping a reply closes its connection, which stops the vendor's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct LanguageModel {
    peer: Peer,
    model: String,
    config: Arc<Config>,
    signatures: Arc<Echoes>,
}

impl LanguageModel {
    /// A model that reports its failures under this name, as configured: `gemini/gemini-2.5-flash`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        Self { peer, model: model.into(), config, signatures: Arc::default() }
    }

    async fn open(&self, prompt: &Prompt) -> Result<ThoughtStream, ProviderError> {
        // Tuned models are named with their folder.
        let folder = if self.model.contains('/') { "" } else { "models/" };
        let path = format!("{folder}{}:streamGenerateContent", self.model);
        let mut url = self.peer.address(&self.config.base_url, &path)?;
        url.set_query(Some("alt=sse"));
        let headers = self.peer.signed(HeaderName::from_static("x-goog-api-key"), "")?;
        let body = wire::request(&self.config, &self.signatures, prompt);
        let response = self.peer.ask(url, headers, body, wire::verdict).await?;
        Ok(self.peer.clone().stream(response, wire::Reader::new(self.signatures.clone())))
    }
}

impl crate::LanguageModel for LanguageModel {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities { tools: true, continues: true, models: vec![self.model.clone()] }
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move { self.open(&prompt).await }.boxed()
    }
}
