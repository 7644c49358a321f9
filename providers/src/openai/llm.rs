//! The language models of such a server.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Config, chat::Dialect, remote::Remote};
use crate::{
    ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    net::events::Peer,
};

/// One model of one server. Dropping a reply closes its connection, which stops the server's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct LanguageModel {
    config: Arc<Config>,
    remote: Remote,
}

impl LanguageModel {
    /// A model that reports its failures under this name, as configured: `openai/gpt-4o-mini`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        let limit = if config.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        let dialect = Dialect { usage: config.usage, limit, ..Dialect::default() };
        let remote = Remote { peer, model: model.into(), api: config.api, dialect };
        Self { config, remote }
    }
}

impl crate::LanguageModel for LanguageModel {
    fn capabilities(&self) -> LlmCapabilities {
        self.remote.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move { self.remote.reply_at(&self.config.base_url, &prompt).await }.boxed()
    }
}
