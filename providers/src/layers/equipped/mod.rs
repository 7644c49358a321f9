//! A language model that has functions run here while it thinks, as often as its answer takes.
//!
//! It is told of the tools there are, asked, and asked again with what came of its calls. Text passes as it comes; calls of the
//! client's own functions pass too and end the reply. A tool that changes something is never run because a model calls it: the
//! reply ends with a question that holds what would change, in words of ours, and only the person's plain assent to it, as the
//! next thing they say, has it run. So nothing that a model reads, a document or the result of a tool, writes by itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};

use crate::{
    LanguageModel, ProviderError,
    generate::generate,
    llm::{LlmCapabilities, Message, Prompt, ThoughtStream, Tool, ToolChoice},
    tool::{Act, Offered, Toolbox, is_assent},
};

mod errand;
mod spoken;
mod work;

use work::{Kind, Work};

/// A model with the relay's own tools.
pub struct Equipped<T: ?Sized> {
    inner: Arc<T>,
    toolbox: Option<Arc<dyn Toolbox>>,
}

impl<T: ?Sized> Equipped<T> {
    /// Gives `inner` what is in `toolbox`.
    pub const fn new(inner: Arc<T>, toolbox: Option<Arc<dyn Toolbox>>) -> Self {
        Self { inner, toolbox }
    }
}

impl LanguageModel for Equipped<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.inner.capabilities()
    }

    fn reply(&self, mut prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let proposed = prompt.proposed.take();
        let Some(toolbox) = self.toolbox.clone() else { return self.inner.reply(prompt) };
        async move {
            let agreed = proposed.and_then(|act| agreed(act, &mut prompt));
            let offered = self.offer(&*toolbox, &mut prompt).await;
            if agreed.is_none() && offered.is_empty() {
                return self.inner.reply(prompt).await;
            }
            // What the person agreed to is done before the model is asked; else a model that cannot be asked is told at once.
            let first = match agreed {
                None => Some(self.inner.reply(prompt.clone()).await?),
                Some(_) => None,
            };
            let work = Work::new(Arc::clone(&self.inner), toolbox, offered, prompt);
            Ok(generate(|out| work.carry_out(agreed, first, out)))
        }
        .boxed()
    }
}

impl Equipped<dyn LanguageModel> {
    /// Tells the prompt of the tools, and returns of which kind each is, by name.
    async fn offer(&self, toolbox: &dyn Toolbox, prompt: &mut Prompt) -> BTreeMap<String, Kind> {
        let mut names = BTreeMap::new();
        if !self.inner.capabilities().tools {
            return names;
        }
        for Offered { tool, writes, confidential } in offered(toolbox, &prompt.tools, &prompt.tool_choice).await {
            names.insert(tool.name.clone(), Kind { writes, confidential });
            if confidential { prompt.withheld.tools.push(tool) } else { prompt.tools.push(tool) }
        }
        names
    }
}

/// What there is for a client with these functions. One that wants a certain call, or none, has it so; its function goes before
/// ours of the same name.
async fn offered(toolbox: &dyn Toolbox, theirs: &[Tool], choice: &ToolChoice) -> Vec<Offered> {
    if *choice != ToolChoice::Auto {
        return Vec::new();
    }
    let mut offered = tokio::time::timeout(OFFERED_WITHIN, toolbox.offered()).await.unwrap_or_default();
    offered.retain(|offered| theirs.iter().all(|known| known.name != offered.tool.name));
    offered
}

/// The proposal, if what the person said to it is a plain yes. Else the model is told that nothing was done.
fn agreed(act: Act, prompt: &mut Prompt) -> Option<Act> {
    if prompt.question().is_some_and(is_assent) {
        return Some(act);
    }
    prompt.messages.push(Message::System(NOTHING_DONE.to_owned()));
    None
}

const NOTHING_DONE: &str = "[Nothing was done about what was proposed: the person's last words are no plain yes to it. If they \
    want something else, propose that; if they want none of it, leave it.]";

/// How long a reply waits to know what tools there are.
const OFFERED_WITHIN: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests;
