//! Embedding models.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Config, account::Account, embedder::Embedder};
use crate::{
    ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
};

/// One embedding model of one server. Dropping the answer closes its connection.
#[derive(Debug)]
pub struct EmbeddingModel {
    account: Account,
    embedder: Embedder,
}

impl EmbeddingModel {
    /// A model that reports its failures under this name, as configured: `openai/text-embedding-3-small`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let dimensions = config.dimensions;
        let account = Account::new(name, config);
        Self { embedder: Embedder { peer: account.peer.clone(), model: model.into(), dimensions }, account }
    }
}

impl crate::EmbeddingModel for EmbeddingModel {
    fn capabilities(&self) -> EmbedCapabilities {
        self.embedder.capabilities()
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        async move {
            let (url, headers) = (self.account.address("embeddings")?, self.account.headers()?);
            self.embedder.embed(url, headers, &texts).await
        }
        .boxed()
    }
}
