//! What a language model says to one prompt, thought by thought.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel, ProviderError,
    llm::{Prompt, Thought, ThoughtStream},
};
use tokio::time::timeout;

use crate::{
    metrics::{self, Latency, Role},
    realtime::Engine,
};

/// A reply being made. Dropping it cancels the model.
pub(crate) struct Thinking {
    first: Option<Thought>,
    /// `None` once it ended.
    thoughts: Option<ThoughtStream>,
    patience: Duration,
}

impl Thinking {
    /// Asks a model. Answers once there is a first thought, so that a failure before that is told as one.
    pub(crate) async fn begin(
        engine: &Engine,
        model: Arc<dyn LanguageModel>,
        prompt: Prompt,
    ) -> Result<Self, ProviderError> {
        let (clock, patience) = (&engine.clock, engine.config.patience());
        let asked = clock.now();
        let thoughts = timeout(patience, model.reply(prompt)).await.map_err(|_| silent(ErrorKind::Timeout))??;
        let mut thinking = Self { first: None, thoughts: Some(thoughts), patience };
        let first = thinking.next().await.ok_or_else(|| silent(ErrorKind::Protocol))??;
        metrics::measured(Latency::FirstToken, clock.now().saturating_duration_since(asked));
        thinking.first = Some(first);
        Ok(thinking)
    }

    /// The next thought; none after the last, which is [`Thought::Finished`], or after a failure.
    pub(crate) async fn next(&mut self) -> Option<Result<Thought, ProviderError>> {
        if let Some(first) = self.first.take() {
            self.end_with(&first);
            return Some(Ok(first));
        }
        let thoughts = self.thoughts.as_mut()?;
        let thought = match timeout(self.patience, thoughts.next()).await {
            Ok(Some(thought)) => thought,
            Ok(None) => Err(silent(ErrorKind::Protocol)),
            Err(_) => Err(silent(ErrorKind::Timeout)),
        };
        match &thought {
            Ok(thought) => self.end_with(thought),
            Err(_) => self.thoughts = None,
        }
        Some(thought)
    }

    fn end_with(&mut self, thought: &Thought) {
        if matches!(thought, Thought::Finished(_)) {
            self.thoughts = None;
        }
    }
}

/// The model gave nothing at all for too long, or ended without an answer.
pub(super) fn silent(kind: ErrorKind) -> ProviderError {
    metrics::provider_failed(Role::Think, "relay", kind);
    ProviderError::new("relay", kind, "no answer came")
}
