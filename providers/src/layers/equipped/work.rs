//! The rounds of one reply: what the model says, what it calls, and what it is told of that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{StreamExt, future::join_all};

use super::errand::{self, Outcome};
use crate::{
    LanguageModel, ProviderError,
    generate::Outlet,
    llm::{Call, Finish, Message, Prompt, Thought, ThoughtStream, ToolChoice, Usage},
    passage::Passage,
    tool::{Act, ActState, Ran, Toolbox},
};

/// Rounds in which tools are run; then the model has to answer with what it has.
pub(super) const MOST_ROUNDS: usize = 5;
/// Calls of one round that are run; the others are refused.
pub(super) const MOST_CALLS: usize = 8;
/// Passages that a reply may know: their numbers have two digits.
const MOST_PASSAGES: usize = 99;
/// Bytes of one call's arguments: what is longer is no call that anybody meant.
pub(super) const LONGEST_ARGUMENTS: usize = 16 << 10;

/// A reply being made.
pub(super) struct Work {
    model: Arc<dyn LanguageModel>,
    toolbox: Arc<dyn Toolbox>,
    /// The tools that are run here.
    offered: BTreeMap<String, Kind>,
    prompt: Prompt,
    usage: Option<Usage>,
    /// Numbers of passages that were told as cited.
    cited: BTreeSet<u32>,
    /// What was said last, if anything was.
    last: Option<char>,
}

/// Of which kind a tool is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kind {
    /// Whether it changes something.
    pub(super) writes: bool,
    /// Whether only cleared engines may know of it.
    pub(super) confidential: bool,
}

/// What the model made of one prompt.
#[derive(Default)]
struct Round {
    said: String,
    calls: Vec<Call>,
    /// Whether it called functions of the client.
    theirs: bool,
    /// `None`: it broke off.
    finish: Option<Finish>,
}

impl Work {
    pub(super) const fn new(
        model: Arc<dyn LanguageModel>,
        toolbox: Arc<dyn Toolbox>,
        offered: BTreeMap<String, Kind>,
        prompt: Prompt,
    ) -> Self {
        Self { model, toolbox, offered, prompt, usage: None, cited: BTreeSet::new(), last: None }
    }

    /// Does what was agreed to, then has the model answer. `first` is its reply to the prompt, if it was asked already.
    pub(super) async fn carry_out(
        mut self,
        agreed: Option<Act>,
        mut first: Option<ThoughtStream>,
        out: Outlet<Thought>,
    ) -> Result<(), ProviderError> {
        if let Some(act) = agreed {
            self.keep_word(act, &out).await;
        }
        for round in 0..=MOST_ROUNDS {
            let thoughts = match first.take() {
                Some(thoughts) => thoughts,
                None => self.model.reply(self.prompt.clone()).await?,
            };
            let Round { said, calls, theirs, finish } = self.listen(thoughts, &out).await?;
            let Some(finish) = finish else { return Ok(()) };
            let called = round < MOST_ROUNDS && !calls.is_empty();
            let asked = called && self.run(said, calls, &out).await;
            if !called || asked || theirs || finish != Finish::Stop {
                return self.finish(finish, &out).await;
            }
            if round + 1 == MOST_ROUNDS {
                self.prompt.tool_choice = ToolChoice::None;
            }
        }
        Ok(())
    }

    /// Passes on what the model says until it has said all, but for calls that are run here.
    async fn listen(&mut self, mut thoughts: ThoughtStream, out: &Outlet<Thought>) -> Result<Round, ProviderError> {
        let (mut round, mut running) = (Round::default(), None::<Call>);
        while let Some(thought) = thoughts.next().await {
            match thought? {
                Thought::Text(text) => {
                    let begins = round.said.is_empty();
                    round.said.push_str(&text);
                    self.say(text, begins, out).await;
                }
                Thought::Cited(citation) => {
                    if self.cited.insert(citation.number) {
                        out.give(Thought::Cited(citation)).await;
                    }
                }
                Thought::CallStarted { call, name } if self.offered.contains_key(&name) => {
                    running = Some(Call { call, name, arguments: String::new() });
                }
                Thought::CallArguments(delta) => match &mut running {
                    Some(call) if call.arguments.len() + delta.len() <= LONGEST_ARGUMENTS => {
                        call.arguments.push_str(&delta);
                    }
                    // Cut, it is no JSON, which is told.
                    Some(_) => {}
                    None => out.give(Thought::CallArguments(delta)).await,
                },
                Thought::CallDone => match running.take() {
                    Some(call) => round.calls.push(call),
                    None => out.give(Thought::CallDone).await,
                },
                Thought::Usage(usage) => self.spend(usage),
                Thought::Finished(finish) => {
                    round.finish = Some(finish);
                    break;
                }
                thought @ (Thought::CallStarted { .. } | Thought::Acted(_)) => {
                    round.theirs |= matches!(thought, Thought::CallStarted { .. });
                    out.give(thought).await;
                }
            }
        }
        Ok(round)
    }

    /// Words of the model or of ours; what begins a round does not stick to what was said before.
    async fn say(&mut self, text: String, begins: bool, out: &Outlet<Thought>) {
        let Some(end) = text.chars().next_back() else { return };
        let apart = !begins || self.last.is_none_or(char::is_whitespace) || text.starts_with(char::is_whitespace);
        self.last = Some(end);
        out.give(Thought::Text(if apart { text } else { format!(" {text}") })).await;
    }

    /// Runs a round's calls and tells the model; whether the person was asked something, which ends the reply.
    async fn run(&mut self, said: String, calls: Vec<Call>, out: &Outlet<Thought>) -> bool {
        if !said.is_empty() {
            self.prompt.messages.push(Message::Assistant(said));
        }
        let first_write = calls.iter().position(|call| self.kind(call).writes);
        let language = self.prompt.language.clone();
        let each = calls.into_iter().enumerate().map(|(at, call)| {
            let (toolbox, language) = (Arc::clone(&self.toolbox), language.as_deref());
            let kind = self.kind(&call);
            async move {
                let outcome = match kind.writes {
                    _ if at >= MOST_CALLS => Outcome::Ran(Ran::failed("too many calls at once: call it again")),
                    false => Outcome::Ran(errand::run(&*toolbox, &call).await),
                    true if Some(at) == first_write => errand::propose(&*toolbox, &call, language).await,
                    true => Outcome::Ran(Ran::failed("one change at a time: call it when the person has answered")),
                };
                (call, kind, outcome)
            }
        });
        let mut question = None;
        for (call, kind, outcome) in join_all(each).await {
            match outcome {
                Outcome::Ran(ran) => {
                    let (act, passages) = errand::act(call, kind, ran);
                    self.tell(&act, passages);
                    out.give(Thought::Acted(errand::kept(act))).await;
                }
                Outcome::Proposed(proposal) => question = Some((proposal, kind.confidential)),
            }
        }
        let Some((proposal, confidential)) = question else { return false };
        self.say(proposal.question.clone(), true, out).await;
        let (output, state) = (proposal.question, ActState::Proposed);
        out.give(Thought::Acted(Act { call: proposal.call, output, state, writes: true, confidential })).await;
        true
    }

    /// Does what the person agreed to. Who is cut off in the middle has it kept that it was begun.
    async fn keep_word(&mut self, act: Act, out: &Outlet<Thought>) {
        // The proposal stands in the conversation under its own id.
        let call = Call { call: done_id(&act.call.call), ..act.call.clone() };
        let output = "It was begun, and it is not known whether it was done.".to_owned();
        out.give(Thought::Acted(Act { call: call.clone(), output, state: ActState::Unknown, ..act.clone() })).await;
        let ran = errand::confirmed(&*self.toolbox, &act.call).await;
        let kind = Kind { writes: true, confidential: act.confidential };
        let (act, passages) = errand::act(call, kind, ran);
        self.tell(&act, passages);
        out.give(Thought::Acted(errand::kept(act))).await;
    }

    /// Tells the model what came of a call, and of passages that were found the numbers they are cited by.
    fn tell(&mut self, act: &Act, passages: Vec<Arc<Passage>>) {
        let mut numbers = Vec::new();
        if !passages.is_empty() {
            let mut known = self.prompt.passages.take().unwrap_or_default().to_vec();
            for passage in passages {
                let at = known.iter().position(|known| known.id == passage.id).unwrap_or(known.len());
                if at == known.len() && at < MOST_PASSAGES {
                    known.push(passage);
                }
                numbers.extend((at < known.len()).then(|| format!("[{}]", at + 1)));
            }
            self.prompt.passages = Some(known.into());
        }
        let [call, mut result] = act.told(&mut self.prompt.withheld);
        if let Message::Result { output, .. } = &mut result
            && !numbers.is_empty()
        {
            output.push_str(&format!("\nThey stand among the passages as {}.", numbers.join(", ")));
        }
        self.prompt.messages.extend([call, result]);
    }

    /// Only calls of what was offered are run here.
    fn kind(&self, call: &Call) -> Kind {
        self.offered.get(&call.name).copied().unwrap_or(Kind { writes: true, confidential: true })
    }

    fn spend(&mut self, usage: Usage) {
        let sum = self.usage.get_or_insert_default();
        sum.input_tokens = sum.input_tokens.saturating_add(usage.input_tokens);
        sum.cached_tokens = sum.cached_tokens.saturating_add(usage.cached_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(usage.output_tokens);
    }

    async fn finish(&mut self, finish: Finish, out: &Outlet<Thought>) -> Result<(), ProviderError> {
        if let Some(usage) = self.usage.take() {
            out.give(Thought::Usage(usage)).await;
        }
        out.give(Thought::Finished(finish)).await;
        Ok(())
    }
}

/// What the call is known by that does what was proposed by this id: adapters pair calls and results by their ids, of at most
/// 32 characters.
fn done_id(proposal: &str) -> String {
    let kept = proposal.ceil_char_boundary(proposal.len().saturating_sub(27));
    format!("done_{}", &proposal[kept..])
}
