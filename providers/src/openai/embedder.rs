//! An embedding model behind OpenAI's wire, wherever it is: OpenAI's own, a compatible server's, Azure's.

use bytes::Bytes;
use reqwest::{
    Response, Url,
    header::{self, HeaderMap, HeaderValue},
};

use super::wire::embedding;
use crate::{
    ErrorKind, ProviderError,
    embed::{EmbedCapabilities, Embeddings},
    net::{
        events::{Broken, Peer},
        http,
    },
};

/// One model, and how many numbers its vectors are to have; `None`: as many as it likes.
#[derive(Debug)]
pub(crate) struct Embedder {
    pub(crate) peer: Peer,
    pub(crate) model: String,
    pub(crate) dimensions: Option<u32>,
}

impl Embedder {
    pub(crate) fn capabilities(&self) -> EmbedCapabilities {
        let asked = self.dimensions.and_then(|count| usize::try_from(count).ok());
        EmbedCapabilities {
            dimensions: asked.or_else(|| embedding::dimensions(&self.model)),
            max_tokens: self.model.starts_with("text-embedding").then_some(embedding::LONGEST),
            batch: embedding::MOST,
        }
    }

    /// Asks there, with these headers, in as many requests as it takes.
    pub(crate) async fn embed(
        &self,
        url: Url,
        mut headers: HeaderMap,
        texts: &[String],
    ) -> Result<Embeddings, ProviderError> {
        if let Some(at) = texts.iter().position(|text| text.trim().is_empty()) {
            return Err(self.peer.error(ErrorKind::Rejected, &format!("text {at} is blank")));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut all = Embeddings { vectors: Vec::with_capacity(texts.len()), tokens: Some(0) };
        for range in embedding::batches(texts) {
            let batch = self.batch(url.clone(), headers.clone(), &texts[range]).await?;
            all.vectors.extend(batch.vectors);
            all.tokens = all.tokens.zip(batch.tokens).map(|(before, more)| before + more);
        }
        Ok(all)
    }

    async fn batch(&self, url: Url, headers: HeaderMap, texts: &[String]) -> Result<Embeddings, ProviderError> {
        let body = embedding::request(&self.model, texts, self.dimensions);
        let response = self.peer.post(url, headers, |request| request.body(body), |_| None).await?;
        let body = self.whole(response).await?;
        embedding::read(&body, texts.len()).map_err(|broken| self.broken(&broken))
    }

    async fn whole(&self, mut response: Response) -> Result<Vec<u8>, ProviderError> {
        let failed = |error| http::failure(&self.peer.provider, error);
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
        Err(self.broken(&Broken::protocol("the answer is too large")))
    }

    fn broken(&self, broken: &Broken) -> ProviderError {
        self.peer.error(broken.kind, &broken.detail)
    }
}

/// Largest answer in bytes: 256 vectors of 3072 numbers of 20 digits are 16 MB.
const LARGEST: usize = 32 << 20;
