//! The embedded agent: a set of rules in the place of a language model, and honest about it.
//!
//! It greets, tells the time and the date, does sums, converts units, spells, counts, repeats, recalls what was said,
//! says what it is and how a model takes its place, calls functions the words ask for, reads out what fits from passages
//! of the person's documents, and otherwise says what it heard and that it cannot help. It streams word by word, answers at once, and knows nothing but the prompt and the
//! clock it was given. Instructions in the prompt are not followed: it could only pretend to.

mod heard;
mod intents;
mod quantity;
mod scene;
mod tools;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use jiff::Zoned;

use self::{heard::Heard, scene::Scene, tools::Wanted};
use crate::{
    ErrorKind, LanguageModel, ProviderError,
    generate::{Outlet, generate},
    llm::{Finish, LlmCapabilities, Message, Prompt, Thought, ThoughtStream, ToolChoice, Usage},
};

const NAME: &str = "local/agent";

/// A rule-based language model. Tokens are words.
pub struct Agent {
    clock: Box<dyn Fn() -> Zoned + Send + Sync>,
    pace: Duration,
    calls: AtomicU64,
}

impl Agent {
    /// An agent that reads this clock.
    pub fn new(clock: impl Fn() -> Zoned + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), pace: Duration::ZERO, calls: AtomicU64::new(0) }
    }

    /// Waits so long between words; at once by default.
    #[must_use]
    pub fn with_pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Unique in this process and, by the time in it, across restarts; 29 characters.
    fn call_id(&self, now: &Zoned) -> String {
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        format!("call_{:016x}{:08x}", now.timestamp().as_microsecond(), count as u32)
    }
}

impl LanguageModel for Agent {
    fn capabilities(&self) -> LlmCapabilities {
        // Its rules answer a question; they know nothing of sentences half said.
        LlmCapabilities { tools: true, continues: false, models: vec!["agent".to_owned()] }
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        let now = (self.clock)();
        let call = self.call_id(&now);
        let pace = self.pace;
        async move {
            let budget = Budget { read: words_in(&prompt), left: prompt.max_output_tokens.unwrap_or(u32::MAX), pace };
            // A long conversation takes milliseconds to search: too long for a thread that others wait for.
            let plan = if budget.read > QUICK {
                let planned = tokio::task::spawn_blocking(move || plan(&prompt, &now, call)).await;
                let cut = |_| ProviderError::new(NAME, ErrorKind::Unavailable, "the answer was cut off");
                planned.map_err(cut)??
            } else {
                plan(&prompt, &now, call)?
            };
            Ok(generate(|out| plan.carry_out(budget, out)))
        }
        .boxed()
    }
}

fn plan(prompt: &Prompt, now: &Zoned, call: String) -> Result<Plan, ProviderError> {
    let turn = Turn::of(&prompt.messages);
    if let Some((function, output)) = turn.result(&prompt.tool_choice) {
        return Ok(Plan::Say(tools::tell(function, output)));
    }
    let scene = Scene::new(now, turn.past);
    let heard = Heard::new(turn.said.unwrap_or_default());
    if let Some(wanted) = tools::wanted(&heard, prompt, now)? {
        return Ok(Plan::Call(wanted, call));
    }
    Ok(Plan::Say(match turn.said {
        Some(_) => intents::answer(&heard, &scene, prompt.passages.as_ref()),
        None => intents::greeting(&scene),
    }))
}

/// Words of a prompt that are answered in well under half a millisecond.
const QUICK: u32 = 1_000;

/// The words to answer, what came before, and what functions have answered since.
struct Turn<'a> {
    past: &'a [Message],
    said: Option<&'a str>,
    since: &'a [Message],
}

impl<'a> Turn<'a> {
    fn of(messages: &'a [Message]) -> Self {
        let last = messages.iter().enumerate().rev().find_map(|(at, message)| match message {
            Message::User(text) => Some((at, text.as_str())),
            Message::System(_) | Message::Assistant(_) | Message::Call(_) | Message::Result { .. } => None,
        });
        match last {
            Some((at, text)) => Self { past: &messages[..at], said: Some(text), since: &messages[at + 1..] },
            None => Self { past: messages, said: None, since: messages },
        }
    }

    /// The newest result of this turn, with its function's name, that has not been told yet. A function demanded by name
    /// is told only about its own results; with `required`, any result means that the demand was met.
    fn result(&self, choice: &ToolChoice) -> Option<(&'a str, &'a str)> {
        let untold = self.since.iter().rev().take_while(|message| !matches!(message, Message::Assistant(_)));
        untold.into_iter().find_map(|message| {
            let Message::Result { call, output } = message else { return None };
            let name = self.since.iter().find_map(|message| match message {
                Message::Call(made) if made.call == *call => Some(made.name.as_str()),
                Message::System(_)
                | Message::User(_)
                | Message::Assistant(_)
                | Message::Call(_)
                | Message::Result { .. } => None,
            });
            let name = name.unwrap_or("");
            let other = matches!(choice, ToolChoice::Function(demanded) if demanded != name);
            (!other).then_some((name, output.as_str()))
        })
    }
}

/// What to do about a prompt.
enum Plan {
    Say(String),
    Call(Wanted, String),
}

/// What a reply may cost.
struct Budget {
    read: u32,
    left: u32,
    pace: Duration,
}

impl Plan {
    async fn carry_out(self, budget: Budget, out: Outlet<Thought>) -> Result<(), ProviderError> {
        let (text, wrap): (_, fn(String) -> Thought) = match &self {
            Self::Say(text) => (text.as_str(), Thought::Text),
            Self::Call(wanted, call) => {
                out.give(Thought::CallStarted { call: call.clone(), name: wanted.name.clone() }).await;
                (wanted.arguments.as_str(), Thought::CallArguments)
            }
        };
        let mut written = 0;
        let mut finish = Finish::Stop;
        for token in text.split_inclusive(' ') {
            if written == budget.left {
                finish = Finish::Length;
                break;
            }
            if written > 0 && !budget.pace.is_zero() {
                tokio::time::sleep(budget.pace).await;
            }
            out.give(wrap(token.to_owned())).await;
            written += 1;
        }
        if let Self::Call(..) = self {
            out.give(Thought::CallDone).await;
        }
        out.give(Thought::Usage(Usage { input_tokens: budget.read, cached_tokens: 0, output_tokens: written })).await;
        out.give(Thought::Finished(finish)).await;
        Ok(())
    }
}

fn words_in(prompt: &Prompt) -> u32 {
    let words = prompt.messages.iter().map(|message| match message {
        Message::System(text) | Message::User(text) | Message::Assistant(text) => text.split_whitespace().count(),
        Message::Call(call) => call.arguments.split_whitespace().count(),
        Message::Result { output, .. } => output.split_whitespace().count(),
    });
    u32::try_from(prompt.instructions.split_whitespace().count() + words.sum::<usize>()).unwrap_or(u32::MAX)
}
