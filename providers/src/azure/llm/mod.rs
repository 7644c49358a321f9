//! Language models of Azure OpenAI: OpenAI's wire at other addresses, with another header.
//!
//! The first chunk tells what the prompt's filter found, without choices; later ones may tell of the answer's.

mod config;

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::header::HeaderName;

pub use config::Config;

use crate::{
    ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    net::events::Peer,
    openai::{chat::Dialect, remote::Remote},
};

/// One deployment. Dropping a reply closes its connection, which stops the vendor's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct LanguageModel {
    config: Arc<Config>,
    remote: Remote,
}

impl LanguageModel {
    /// A deployment, `model`, that reports its failures under this name, as configured: `azure/my-gpt-4o`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        let limit = if config.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        let dialect = Dialect { limit, ..Dialect::default() };
        let remote = Remote { peer, model: model.into(), api: config.api, dialect };
        Self { config, remote }
    }

    async fn open(&self, prompt: &Prompt) -> Result<ThoughtStream, ProviderError> {
        let headers = self.remote.peer.signed(HeaderName::from_static("api-key"), "")?;
        let Remote { peer, model, .. } = &self.remote;
        let url = self.config.address(peer, model, self.remote.function())?;
        self.remote.reply(url, headers, prompt).await
    }
}

impl crate::LanguageModel for LanguageModel {
    fn capabilities(&self) -> LlmCapabilities {
        self.remote.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move { self.open(&prompt).await }.boxed()
    }
}
