//! Language models: the next one answers if nothing was given yet. Once a word has left, a second voice would
//! contradict the first, so the failure is the reply's.

use std::future;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};

use super::{Fallback, cut_short, untried};
use crate::{
    LanguageModel, ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
};

impl LanguageModel for Fallback<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.first().capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move {
            let mut attempts = self.attempts();
            let mut error = untried();
            loop {
                let model = attempts.after(error)?;
                error = match begun(&*model, prompt.clone()).await {
                    Ok(thoughts) => return Ok(thoughts),
                    Err(error) => error,
                };
            }
        }
        .boxed()
    }
}

/// A reply whose first thought is there.
async fn begun(model: &dyn LanguageModel, prompt: Prompt) -> Result<ThoughtStream, ProviderError> {
    let mut thoughts = model.reply(prompt).await?;
    let first = thoughts.next().await.unwrap_or_else(|| Err(cut_short()))?;
    Ok(stream::once(future::ready(Ok(first))).chain(thoughts).boxed())
}
