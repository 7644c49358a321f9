//! The embedded model of meaning: all-MiniLM-L6-v2, texts to 384 numbers, offline, in pure Rust.
//!
//! A text becomes pieces of words, a network (int8 weights) turns these into vectors, and their mean at length 1 is the
//! text's, as its authors use it (Reimers & Gurevych 2019; the model card of `sentence-transformers/all-MiniLM-L6-v2`).
//! It was trained on English. Texts are computed one by one: the same text always has the same vector, whatever stands
//! beside it in a batch.

mod integers;
mod onnx;
mod wordpiece;

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use rten_tensor::NdTensor;

use self::wordpiece::WordPiece;
use super::{
    graph::{Graph, Port},
    pool::{Pool, Priority},
};
use crate::{
    EmbeddingModel, ErrorKind, ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
};

/// The embedding model. Cheap to share; it computes on the inference pool.
///
/// Of a text longer than [`MiniLm::MAX_TOKENS`] the beginning is read.
pub struct MiniLm {
    engine: Arc<Engine>,
    pool: Arc<Pool>,
}

impl MiniLm {
    /// Tokens of a text that are read, the marks of its beginning and its end among them: what it was trained on.
    pub const MAX_TOKENS: usize = 256;

    /// Numbers in a vector.
    pub const DIMENSIONS: usize = 384;

    /// Reads `minilm.onnx`; takes about 0.1 s and keeps some 70 MB, so not on a runtime thread.
    ///
    /// # Errors
    /// `Unavailable`, naming the file and the remedy, when it is missing or no model; `Protocol` when it is another.
    pub fn load(path: &Path, pool: Arc<Pool>) -> Result<Self, ProviderError> {
        let file = fs::read(path).map_err(|error| super::unusable(PROVIDER, path, error))?;
        let file = Bytes::from(file);
        let graph = integers::multiplied(file.clone()).unwrap_or_else(|| file.into());
        Self::of(graph, pool).map_err(|error| super::unusable(PROVIDER, path, error.detail))
    }

    /// Of a graph file's content.
    fn of(graph: Vec<u8>, pool: Arc<Pool>) -> Result<Self, ProviderError> {
        let graph = Graph::packed(PROVIDER, graph)?;
        let [ids, mask, kinds] =
            [graph.port("input_ids")?, graph.port("attention_mask")?, graph.port("token_type_ids")?];
        let hidden = graph.port("last_hidden_state")?;
        let engine = Engine { words: WordPiece::new(), ids, mask, kinds, hidden, graph };
        Ok(Self { engine: Arc::new(engine), pool })
    }
}

impl EmbeddingModel for MiniLm {
    fn capabilities(&self) -> EmbedCapabilities {
        EmbedCapabilities { dimensions: Some(Self::DIMENSIONS), max_tokens: Some(Self::MAX_TOKENS), batch: BATCH }
    }

    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        let priority = match purpose {
            Purpose::Question => Priority::Final,
            Purpose::Passages => Priority::Partial,
        };
        async move {
            if let Some(at) = texts.iter().position(|text| text.trim().is_empty()) {
                return Err(ProviderError::new(PROVIDER, ErrorKind::Rejected, format!("text {at} is blank")));
            }
            let key = self.pool.key();
            let job = |text: String| {
                let engine = Arc::clone(&self.engine);
                async move { self.pool.run(key, priority, move || engine.vector(&text)).await? }
            };
            // No more wait at once than can run, so that a long document does not fill the queue.
            let vectors: Vec<(Vec<f32>, usize)> =
                stream::iter(texts.into_iter().map(job)).buffered(self.pool.threads().max(1)).try_collect().await?;
            let tokens = vectors.iter().map(|(_, tokens)| *tokens as u64).sum();
            Ok(Embeddings { vectors: vectors.into_iter().map(|(vector, _)| vector).collect(), tokens: Some(tokens) })
        }
        .boxed()
    }
}

impl std::fmt::Debug for MiniLm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MiniLm")
    }
}

/// The loaded network. Immutable: any number of threads may compute with it.
struct Engine {
    graph: Graph,
    ids: Port,
    mask: Port,
    kinds: Port,
    hidden: Port,
    words: WordPiece,
}

impl Engine {
    /// The vector of a text, and how many tokens were read of it.
    fn vector(&self, text: &str) -> Result<(Vec<f32>, usize), ProviderError> {
        let ids = self.words.ids(text, MiniLm::MAX_TOKENS);
        let tokens = ids.len();
        let row = |values: Vec<i32>| NdTensor::from_data([1, tokens], values).into();
        let inputs = vec![(self.ids, row(ids)), (self.mask, row(vec![1; tokens])), (self.kinds, row(vec![0; tokens]))];
        let [hidden] = self.graph.run(inputs, [self.hidden])?;
        let ([_, rows, columns], hidden) = hidden.into_shape_vec::<f32, 3>().map_err(|e| self.graph.broken(e))?;
        if (rows, columns) != (tokens, MiniLm::DIMENSIONS) {
            return Err(self.graph.broken("vectors of another shape"));
        }
        let mut sum = vec![0.0; columns];
        for row in hidden.chunks_exact(columns) {
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
        if !(length.is_finite() && length > 0.0) {
            return Err(self.graph.broken("a vector without a direction"));
        }
        sum.iter_mut().for_each(|value| *value /= length);
        Ok((sum, tokens))
    }
}

/// How this engine is called in errors.
const PROVIDER: &str = "local/minilm";

/// Texts that are best asked for at once: enough to keep the pool busy, few enough to be begun again.
const BATCH: usize = 32;

#[cfg(test)]
mod tests;
