//! The language models of Anthropic.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Config, wire};
use crate::{
    ErrorKind, ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    net::events::Peer,
};

/// One of Anthropic's models. Dropping a reply closes its connection, which stops the vendor's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct LanguageModel {
    peer: Peer,
    model: String,
    config: Arc<Config>,
}

impl LanguageModel {
    /// A model that reports its failures under this name, as configured: `anthropic/claude-sonnet-4-6`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        Self { peer, model: model.into(), config }
    }

    async fn open(&self, prompt: &Prompt) -> Result<ThoughtStream, ProviderError> {
        let url = self.peer.address(&self.config.base_url, "v1/messages")?;
        let body = wire::request(&self.model, &self.config, prompt);
        let response = self.peer.ask(url, self.headers()?, body, wire::verdict).await?;
        Ok(self.peer.clone().stream(response, wire::Reader::default()))
    }

    fn headers(&self) -> Result<HeaderMap, ProviderError> {
        let mut headers = self.peer.signed(HeaderName::from_static("x-api-key"), "")?;
        let version = HeaderValue::from_str(&self.config.version).map_err(|_| {
            ProviderError::new(self.peer.provider.clone(), ErrorKind::Rejected, "version makes no header")
        })?;
        headers.insert(HeaderName::from_static("anthropic-version"), version);
        Ok(headers)
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
