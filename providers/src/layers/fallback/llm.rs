//! Language models: the next one answers if nothing was given yet. Once words have left, it must go on from them: it is
//! told what was said, and what it repeats is cut off. Only models that can go on so are asked; a call that was begun
//! cannot be gone on with.

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Attempts, Fallback, cut_short, seam::Seam, untried};
use crate::{
    LanguageModel, ProviderError,
    generate::{Outlet, generate},
    llm::{LlmCapabilities, Message, Prompt, Thought, ThoughtStream, Usage},
};

/// What a model is told that takes over in the middle of a reply.
const GO_ON: &str = "Your last message was cut off in transmission. Go on exactly where it stops, in the same sentence \
    if it is in the middle of one. Do not repeat anything of it, do not apologise, and do not mention this.";

impl LanguageModel for Fallback<dyn LanguageModel> {
    fn capabilities(&self) -> LlmCapabilities {
        self.first().capabilities()
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let mut answering =
            Answering { attempts: self.attempts(), prompt, said: String::new(), spent: None, call_begun: false };
        async move {
            let (first, thoughts) = answering.open(untried()).await?;
            Ok(generate(|out| answering.follow(first, thoughts, out)))
        }
        .boxed()
    }
}

struct Answering {
    attempts: Attempts<dyn LanguageModel>,
    prompt: Prompt,
    /// Given so far, by all models together.
    said: String,
    spent: Option<Usage>,
    call_begun: bool,
}

impl Answering {
    /// The next model that has a thought.
    async fn open(&mut self, mut error: ProviderError) -> Result<(Thought, ThoughtStream), ProviderError> {
        if self.call_begun {
            return Err(error);
        }
        let amid = !self.said.trim().is_empty();
        loop {
            let model = self.attempts.after_if(error, |model| !amid || model.capabilities().continues)?;
            error = match begun(&*model, self.question(amid)).await {
                Ok(begun) => return Ok(begun),
                Err(error) => error,
            };
        }
    }

    fn question(&self, amid: bool) -> Prompt {
        let mut prompt = self.prompt.clone();
        if amid {
            prompt.messages.push(Message::Assistant(self.said.trim_end().to_owned()));
            prompt.messages.push(Message::System(GO_ON.to_owned()));
        }
        prompt
    }

    async fn follow(
        mut self,
        first: Thought,
        thoughts: ThoughtStream,
        out: Outlet<Thought>,
    ) -> Result<(), ProviderError> {
        let mut thoughts = resumed(first, thoughts);
        let mut seam = None;
        loop {
            let error = match thoughts.next().await {
                Some(Ok(Thought::Usage(usage))) => {
                    self.spend(usage);
                    continue;
                }
                Some(Ok(Thought::Text(text))) => {
                    let text = seam.as_mut().map_or_else(|| text.clone(), |seam: &mut Seam| seam.join(text.clone()));
                    self.say(text, &out).await;
                    continue;
                }
                Some(Ok(thought)) => {
                    let held = seam.as_mut().map(Seam::close).unwrap_or_default();
                    self.say(held, &out).await;
                    if self.pass(thought, &out).await {
                        return Ok(());
                    }
                    continue;
                }
                Some(Err(error)) => error,
                None => cut_short(),
            };
            // What was held is not said: the next model begins from what was.
            let (first, rest) = self.open(error).await?;
            thoughts = resumed(first, rest);
            seam = Some(Seam::after(self.said.clone())).filter(|_| !self.said.trim().is_empty());
        }
    }

    async fn say(&mut self, text: String, out: &Outlet<Thought>) {
        if !text.is_empty() {
            self.said.push_str(&text);
            out.give(Thought::Text(text)).await;
        }
    }

    /// Hands on what is no text; whether it was the last.
    async fn pass(&mut self, thought: Thought, out: &Outlet<Thought>) -> bool {
        let last = matches!(thought, Thought::Finished(_));
        self.call_begun |= matches!(thought, Thought::CallStarted { .. });
        if last && let Some(usage) = self.spent.take() {
            out.give(Thought::Usage(usage)).await;
        }
        out.give(thought).await;
        last
    }

    /// A reply tells its cost once, whoever made it.
    fn spend(&mut self, more: Usage) {
        let spent = self.spent.get_or_insert_default();
        spent.input_tokens = spent.input_tokens.saturating_add(more.input_tokens);
        spent.cached_tokens = spent.cached_tokens.saturating_add(more.cached_tokens);
        spent.output_tokens = spent.output_tokens.saturating_add(more.output_tokens);
    }
}

/// A reply whose first thought is there.
async fn begun(model: &dyn LanguageModel, prompt: Prompt) -> Result<(Thought, ThoughtStream), ProviderError> {
    let mut thoughts = model.reply(prompt).await?;
    let first = thoughts.next().await.unwrap_or_else(|| Err(cut_short()))?;
    Ok((first, thoughts))
}

fn resumed(first: Thought, rest: ThoughtStream) -> BoxStream<'static, Result<Thought, ProviderError>> {
    stream::once(std::future::ready(Ok(first))).chain(rest).boxed()
}
