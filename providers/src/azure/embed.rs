//! Embedding models of Azure OpenAI: OpenAI's wire at other addresses, with another header.
//!
//! Reference: <https://learn.microsoft.com/rest/api/microsoft-foundry/azureopenai/embeddings>.

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::header::HeaderName;

use super::llm::Config;
use crate::{
    ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    net::events::Peer,
    openai::embedder::Embedder,
};

/// One deployment. Dropping the answer closes its connection.
#[derive(Debug)]
pub struct EmbeddingModel {
    config: Arc<Config>,
    embedder: Embedder,
}

impl EmbeddingModel {
    /// A deployment that reports its failures under this name, as configured: `azure/my-embeddings`.
    pub fn new(name: impl Into<Cow<'static, str>>, deployment: impl Into<String>, config: Arc<Config>) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        let embedder = Embedder { peer, model: deployment.into(), dimensions: config.dimensions };
        Self { config, embedder }
    }
}

impl crate::EmbeddingModel for EmbeddingModel {
    fn capabilities(&self) -> EmbedCapabilities {
        self.embedder.capabilities()
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        async move {
            let Embedder { peer, model, .. } = &self.embedder;
            let url = self.config.address(peer, model, "embeddings")?;
            let headers = peer.signed(HeaderName::from_static("api-key"), "")?;
            self.embedder.embed(url, headers, &texts).await
        }
        .boxed()
    }
}
