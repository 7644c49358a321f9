//! The language models of such a server.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Config, account::Account, chat::Dialect, remote::Remote};
use crate::{
    ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
};

/// One model of one server. Dropping a reply closes its connection, which stops the server's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct LanguageModel {
    account: Account,
    remote: Remote,
}

impl LanguageModel {
    /// A model that reports its failures under this name, as configured: `openai/gpt-4o-mini`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let limit = if config.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        let dialect = Dialect { usage: config.usage, limit, ..Dialect::default() };
        let api = config.api;
        let account = Account::new(name, config);
        let remote = Remote { peer: account.peer.clone(), model: model.into(), api, dialect };
        Self { account, remote }
    }
}

impl crate::LanguageModel for LanguageModel {
    fn capabilities(&self) -> LlmCapabilities {
        self.remote.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move {
            let url = self.account.address(self.remote.function())?;
            self.remote.reply(url, self.account.headers()?, &prompt).await
        }
        .boxed()
    }
}
