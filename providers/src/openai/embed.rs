//! Embedding models.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use reqwest::{
    Response, Url,
    header::{self, HeaderMap, HeaderValue},
};

use super::{Config, account::Account, wire::embedding};
use crate::{
    ErrorKind, ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    net::{events::Broken, http},
};

/// One embedding model of one server. Dropping the answer closes its connection.
#[derive(Debug)]
pub struct EmbeddingModel {
    account: Account,
    model: String,
}

impl EmbeddingModel {
    /// A model that reports its failures under this name, as configured: `openai/text-embedding-3-small`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        Self { account: Account::new(name, config), model: model.into() }
    }

    async fn batch(&self, url: Url, headers: HeaderMap, texts: &[String]) -> Result<Embeddings, ProviderError> {
        let body = embedding::request(&self.model, texts, self.account.config.dimensions);
        let peer = &self.account.peer;
        let response = peer.post(url, headers, |request| request.body(body), |_| None).await?;
        let body = self.whole(response).await?;
        embedding::read(&body, texts.len()).map_err(|broken| self.account.broken(&broken))
    }

    async fn whole(&self, mut response: Response) -> Result<Vec<u8>, ProviderError> {
        let failed = |error| http::failure(&self.account.peer.provider, error);
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(failed)? {
            self.bound(&body, &bytes)?;
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }

    fn bound(&self, body: &[u8], more: &Bytes) -> Result<(), ProviderError> {
        if body.len() + more.len() <= LARGEST {
            return Ok(());
        }
        Err(self.account.broken(&Broken::protocol("the answer is too large")))
    }
}

impl crate::EmbeddingModel for EmbeddingModel {
    fn capabilities(&self) -> EmbedCapabilities {
        let asked = self.account.config.dimensions.and_then(|count| usize::try_from(count).ok());
        EmbedCapabilities {
            dimensions: asked.or_else(|| embedding::dimensions(&self.model)),
            max_tokens: self.model.starts_with("text-embedding").then_some(embedding::LONGEST),
            batch: embedding::MOST,
        }
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        async move {
            if let Some(at) = texts.iter().position(|text| text.trim().is_empty()) {
                return Err(self.account.peer.error(ErrorKind::Rejected, &format!("text {at} is blank")));
            }
            let url = self.account.address("embeddings")?;
            let mut headers = self.account.headers()?;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let mut all = Embeddings { vectors: Vec::with_capacity(texts.len()), tokens: Some(0) };
            for range in embedding::batches(&texts) {
                let batch = self.batch(url.clone(), headers.clone(), &texts[range]).await?;
                all.vectors.extend(batch.vectors);
                all.tokens = all.tokens.zip(batch.tokens).map(|(before, more)| before + more);
            }
            Ok(all)
        }
        .boxed()
    }
}

/// Largest answer in bytes: 256 vectors of 3072 numbers of 20 digits are 16 MB.
const LARGEST: usize = 32 << 20;
