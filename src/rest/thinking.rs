//! What a language model says to one prompt, thought by thought.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel,
    llm::{Prompt, Thought, ThoughtStream},
};
use tokio::time::timeout;

use super::{Context, fault::Fault, provider};
use crate::metrics::{self, Latency, Role};

/// A reply being made. Dropping it cancels the model.
pub(super) struct Thinking {
    first: Option<Thought>,
    /// `None` once it ended.
    thoughts: Option<ThoughtStream>,
    patience: Duration,
}

impl Thinking {
    /// Asks a model. Answers once there is a first thought, so that a failure before that is told as one.
    pub(super) async fn begin(context: &Context, model: Arc<dyn LanguageModel>, prompt: Prompt) -> Result<Self, Fault> {
        let (clock, patience) = (&context.engine.clock, context.engine.config.patience());
        let asked = clock.now();
        let opened = timeout(patience, model.reply(prompt)).await.map_err(|_| silent(ErrorKind::Timeout))?;
        let thoughts = opened.map_err(|error| provider::failed(Role::Think, &error))?;
        let mut thinking = Self { first: None, thoughts: Some(thoughts), patience };
        let first = thinking.next().await.ok_or_else(|| silent(ErrorKind::Protocol))??;
        metrics::measured(Latency::FirstToken, clock.now().saturating_duration_since(asked));
        thinking.first = Some(first);
        Ok(thinking)
    }

    /// The next thought; none after the last, which is [`Thought::Finished`], or after a failure.
    pub(super) async fn next(&mut self) -> Option<Result<Thought, Fault>> {
        if let Some(first) = self.first.take() {
            self.end_with(&first);
            return Some(Ok(first));
        }
        let thoughts = self.thoughts.as_mut()?;
        let thought = match timeout(self.patience, thoughts.next()).await {
            Ok(Some(Ok(thought))) => Ok(thought),
            Ok(Some(Err(error))) => Err(provider::failed(Role::Think, &error)),
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

fn silent(kind: ErrorKind) -> Fault {
    provider::silent(Role::Think, kind)
}
