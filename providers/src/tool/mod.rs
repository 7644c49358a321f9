//! Functions that are run here, not by the client, while a model thinks: what they are, what they give, what was done.
//!
//! [`Equipped`](crate::layers::Equipped) offers them and runs them. Those that change something are only proposed by a model:
//! they run when the person has agreed, in [plain words](is_assent).

mod assent;

use std::{collections::BTreeMap, fmt, sync::Arc};

pub use assent::is_assent;
use futures_util::future::BoxFuture;

use crate::{
    llm::{Call, Message, Tool},
    passage::Passage,
};

/// What a model may have done here in one conversation.
pub trait Toolbox: Send + Sync {
    /// What there is for the next reply.
    fn offered(&self) -> BoxFuture<'_, Vec<Offered>>;

    /// Runs what changes nothing. Failures are results too, in words for the model.
    fn run<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Ran>;

    /// What the person is to be asked before this call, which would change something, is run. `language` is the BCP 47 tag of
    /// what they speak, if known.
    ///
    /// # Errors
    /// It cannot be run as it is: why, in words for the model.
    fn propose<'a>(&'a self, call: &'a Call, language: Option<&'a str>) -> BoxFuture<'a, Result<Proposal, String>>;

    /// Runs the call of a [`Proposal`] to which the person agreed; a second time it does nothing.
    fn confirmed<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Ran>;
}

/// A tool a model may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    /// As models are told of it.
    pub tool: Tool,
    /// Whether it changes something: then the person is asked first.
    pub writes: bool,
    /// Whether only cleared engines may know of it, and of what it gives.
    pub confidential: bool,
}

/// What somebody is to agree to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// What will be run, to the letter. Its id is this proposal's alone in its conversation.
    pub call: Call,
    /// What the person is asked: it holds all that would change.
    pub question: String,
}

/// What came of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct Ran {
    /// What the model reads.
    pub output: String,
    /// Whether it was done.
    pub state: ActState,
    /// Passages of documents that were found: they are told with the prompt's own, and may be cited.
    pub passages: Vec<Arc<Passage>>,
}

/// A call that was run here, or that the person was asked about: kept with the words that were said after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Act {
    /// What was called.
    pub call: Call,
    /// What came of it, as the model read it; of what is [`Proposed`](ActState::Proposed) the question.
    pub output: String,
    /// Whether it was done.
    pub state: ActState,
    /// Whether it is of those that change something.
    pub writes: bool,
    /// Whether only cleared engines may know of it.
    pub confidential: bool,
}

/// Whether a call was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActState {
    /// It waits for the person's word.
    Proposed,
    /// It was begun, and nobody knows how it ended.
    Unknown,
    /// It was done.
    Done,
    /// It was not done.
    Failed,
}

impl ActState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Unknown, Self::Done, Self::Failed];

    /// As it is kept and told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl Ran {
    /// It was done.
    pub fn done(output: impl Into<String>) -> Self {
        Self { output: output.into(), state: ActState::Done, passages: Vec::new() }
    }

    /// It was not done, for this reason.
    pub fn failed(why: impl fmt::Display) -> Self {
        Self { state: ActState::Failed, ..Self::done(format!("Error: {why}")) }
    }
}

impl Act {
    /// What a model is told of it: the call and its result. Of what is confidential both go to `withheld`, and stand-ins that say
    /// nothing take their places.
    pub fn told(&self, withheld: &mut Withheld) -> [Message; 2] {
        let call = &self.call;
        let output = match self.state {
            ActState::Proposed => format!(
                "Nothing is done yet: the person was asked \"{}\" It is done when they agree, which is told as another call.",
                self.output
            ),
            ActState::Unknown | ActState::Done | ActState::Failed => self.output.clone(),
        };
        if !self.confidential {
            return [Message::Call(call.clone()), Message::Result { call: call.call.clone(), output }];
        }
        let id = format!("{WITHHELD}{}", withheld.acts.len());
        withheld.acts.insert(id.clone(), (call.clone(), output));
        let stand_in = Call { call: id.clone(), name: "withheld".to_owned(), arguments: "{}".to_owned() };
        [Message::Call(stand_in), Message::Result { call: id, output: String::new() }]
    }
}

/// What only cleared engines are told of a prompt's functions: those that are confidential, and what came of them. `Debug` prints
/// nothing of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Withheld {
    /// Functions that may be called.
    pub tools: Vec<Tool>,
    /// Calls and results, by the ids of their stand-ins.
    acts: BTreeMap<String, (Call, String)>,
}

impl Withheld {
    /// Puts all of it in its places, for an engine that is cleared. Returns the results.
    pub fn expose(self, tools: &mut Vec<Tool>, messages: &mut [Message]) -> Vec<String> {
        tools.extend(self.tools);
        let mut results = Vec::new();
        for message in messages {
            match message {
                Message::Call(call) => {
                    if let Some((made, _)) = self.acts.get(&call.call) {
                        call.clone_from(made);
                    }
                }
                Message::Result { call, output } => {
                    if let Some((made, result)) = self.acts.get(call) {
                        call.clone_from(&made.call);
                        output.clone_from(result);
                        results.push(result.clone());
                    }
                }
                Message::System(_) | Message::User(_) | Message::Assistant(_) => {}
            }
        }
        results
    }

    /// Takes the stand-ins out, for an engine that is not.
    pub fn hide(self, messages: &mut Vec<Message>) {
        messages.retain(|message| match message {
            Message::Call(Call { call, .. }) | Message::Result { call, .. } => !self.acts.contains_key(call),
            Message::System(_) | Message::User(_) | Message::Assistant(_) => true,
        });
    }
}

/// What ids of stand-ins begin with: no model's or client's begin so.
const WITHHELD: &str = "withheld:";

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[WITHHELD]")
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Act({}, {})", self.call.name, self.state.as_str())
    }
}

impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ran({})", self.state.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(state: ActState, confidential: bool) -> Act {
        let call = Call { call: "c".into(), name: "look".into(), arguments: "{}".into() };
        Act { call, output: "asthma".into(), state, writes: false, confidential }
    }

    fn expected(call: &str, output: &str) -> [Message; 2] {
        let made = Call { call: call.into(), name: "look".into(), arguments: "{}".into() };
        [Message::Call(made), Message::Result { call: call.into(), output: output.into() }]
    }

    #[test]
    fn who_is_not_cleared_is_told_nothing_of_what_is_confidential() {
        let mut withheld = Withheld::default();
        let asked = Message::User("hi".into());
        let mut messages = vec![asked.clone()];
        for state in [ActState::Done, ActState::Proposed] {
            messages.extend(act(state, true).told(&mut withheld));
        }
        let told = format!("{withheld:?} {messages:?} {:?}", act(ActState::Done, true));
        assert!(!told.contains("asthma"), "{told}");
        let mut hidden = messages.clone();
        withheld.clone().hide(&mut hidden);
        assert_eq!(hidden, std::slice::from_ref(&asked));
        let mut tools = Vec::new();
        let results = withheld.expose(&mut tools, &mut messages);
        assert_eq!((results.len(), &messages[1..3]), (2, &expected("c", "asthma")[..]));
        assert!(matches!(&messages[4], Message::Result { output, .. } if output.starts_with("Nothing is done yet")));
    }

    #[test]
    fn what_is_open_is_told_to_all() {
        let mut withheld = Withheld::default();
        assert_eq!(act(ActState::Done, false).told(&mut withheld), expected("c", "asthma"));
        assert_eq!(withheld, Withheld::default());
    }
}
