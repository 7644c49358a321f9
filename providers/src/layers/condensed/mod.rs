//! A language model whose window a conversation outgrows: its older turns are told summarised.
//!
//! Once a conversation fills most of the window, the same model is asked for a summary of its older half, beside the
//! conversation, so that it is there when it is needed. What is told is then the summary and the turns since. Where there is no
//! summary in time, whole turns are left out, the oldest first, and the model is told that they are. Only a single
//! turn that is longer than the window, many messages in a row, is begun in its middle.

mod memory;
mod record;
#[cfg(test)]
mod tests;
mod window;

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
pub use memory::{Memories, Memory};
use memory::{Older, Summary};

use crate::{
    LanguageModel, ProviderError,
    llm::{LlmCapabilities, Message, Prompt, ThoughtStream},
};

/// A model that is told no more than it can read.
pub struct Condensed {
    inner: Arc<dyn LanguageModel>,
    memory: Arc<Memory>,
    window: usize,
    patience: Duration,
}

impl Condensed {
    /// Tells `inner` at most about `window` tokens of this conversation. What it says itself comes on top.
    pub const fn new(inner: Arc<dyn LanguageModel>, memory: Arc<Memory>, window: usize) -> Self {
        Self { inner, memory, window, patience: Duration::ZERO }
    }

    /// The same, waiting so long for a summary without which turns would be left out.
    pub fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn fitted(&self, mut prompt: Prompt) -> Prompt {
        let weights: Vec<usize> = prompt.messages.iter().map(window::weigh).collect();
        let room = self.window.saturating_sub(window::fixed(&prompt)).max(self.window / 4);
        let mut summary = self.memory.known(&prompt.messages);
        if told(&weights, summary.as_ref()) > room / 4 * 3 {
            self.condense(&prompt, &weights, summary.clone(), room);
        }
        if told(&weights, summary.as_ref()) > room && !self.patience.is_zero() {
            self.memory.settled(self.patience).await;
            summary = self.memory.known(&prompt.messages);
        }
        let summarised = summary.as_ref().map_or(0, |summary| summary.messages);
        let left = room.saturating_sub(summary.as_ref().map_or(0, |summary| window::tokens(&summary.text)));
        let from = window::cut(&prompt.messages, &weights, left).max(summarised);
        let left_out = from > summarised;
        if left_out {
            tracing::info!(
                messages = from - summarised,
                "turns are left out of a prompt: it is longer than the window"
            );
        }
        prompt.messages.drain(..from);
        if let Some(note) = record::note(summary.as_ref().map(|summary| summary.text.as_str()), left_out) {
            prompt.messages.insert(0, Message::System(note));
        }
        prompt
    }

    /// Begins a summary of what leaves half of the room to the turns since, unless one is being made.
    fn condense(&self, prompt: &Prompt, weights: &[usize], earlier: Option<Summary>, room: usize) {
        let from = earlier.as_ref().map_or(0, |summary| summary.messages);
        let to = window::cut(&prompt.messages, weights, room / 2);
        if to > from {
            let older = Older {
                earlier: earlier.map(|summary| summary.text),
                messages: prompt.messages[from..to].to_vec(),
                model: prompt.model.clone(),
                language: prompt.language.clone(),
                room: room / 2,
            };
            self.memory.begin(Arc::clone(&self.inner), older, Memory::digest(&prompt.messages[..to]), to);
        }
    }
}

/// What a conversation takes with this summary of its beginning, in tokens.
fn told(weights: &[usize], summary: Option<&Summary>) -> usize {
    let since = &weights[summary.map_or(0, |summary| summary.messages)..];
    since.iter().sum::<usize>() + summary.map_or(0, |summary| window::tokens(&summary.text))
}

impl LanguageModel for Condensed {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move { self.inner.reply(self.fitted(prompt).await).await }.boxed()
    }
}
