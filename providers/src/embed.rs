//! Embeddings: texts in, vectors out.

use futures_util::future::BoxFuture;

use crate::ProviderError;

/// Turns texts into vectors whose nearness is nearness of meaning.
pub trait EmbeddingModel: Send + Sync {
    /// What this engine can do.
    fn capabilities(&self) -> EmbedCapabilities;

    /// The vectors of these texts, one for each, in their order. Any number of texts may be asked for at once: an
    /// implementation asks its vendor in as many requests as that takes. Dropping the answer cancels the work.
    ///
    /// # Errors
    ///
    /// One failure fails all. [`Rejected`](crate::ErrorKind::Rejected) when a text is blank, or too long for an engine that
    /// does not make do with its beginning.
    fn embed(&self, texts: Vec<String>, purpose: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>>;
}

/// What vectors are wanted for. They are the same either way; how urgent they are is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Somebody waits: a question is asked.
    Question,
    /// Nobody waits: texts are made ready to be found.
    Passages,
}

/// What an embedding engine can do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EmbedCapabilities {
    /// Numbers in a vector; `None` where only the first answer tells.
    pub dimensions: Option<usize>,
    /// Longest text in the model's tokens, of which there are never more than bytes; `None` when unknown.
    pub max_tokens: Option<usize>,
    /// Texts that go in one request; more take several.
    pub batch: usize,
}

/// Vectors, and what they took.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Embeddings {
    /// One for each text, in order, all of one length.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens of all texts, where the vendor tells.
    pub tokens: Option<u64>,
}
