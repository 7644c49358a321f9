//! The language models of DeepSeek.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::json;

use super::Config;
use crate::{
    ProviderError,
    dialogue::Echoes,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    net::events::Peer,
    openai::{Api, chat::Dialect, remote::Remote},
};

/// One of DeepSeek's models. Dropping a reply closes its connection, which stops the vendor's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct LanguageModel {
    config: Arc<Config>,
    remote: Remote,
}

impl LanguageModel {
    /// A model that reports its failures under this name, as configured: `deepseek/deepseek-v4-flash`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        let thinking = if config.thinking { "enabled" } else { "disabled" };
        let dialect = Dialect {
            extra: vec![("thinking", json!({"type": thinking}))],
            echoes: config.thinking.then(|| Arc::new(Echoes::default())),
            ..Dialect::default()
        };
        let remote = Remote { peer, model: model.into(), api: Api::Chat, dialect };
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
