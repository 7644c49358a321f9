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
    /// Whether only cleared engines may read the output.
    pub confidential: bool,
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
    /// Whether only cleared engines may read the output.
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
        Self { output: output.into(), state: ActState::Done, passages: Vec::new(), confidential: false }
    }

    /// It was not done, for this reason.
    pub fn failed(why: impl fmt::Display) -> Self {
        Self { state: ActState::Failed, ..Self::done(format!("Error: {why}")) }
    }
}

impl Act {
    /// What a model is told of it: the call and its result, of which what is confidential goes to `withheld`.
    pub fn told(&self, withheld: &mut Withheld) -> [Message; 2] {
        let call = self.call.call.clone();
        let output = match self.state {
            ActState::Proposed => format!(
                "Nothing is done yet: the person was asked \"{}\" It is done when they agree, which is told as another call.",
                self.output
            ),
            ActState::Unknown | ActState::Done | ActState::Failed if self.confidential => {
                withheld.0.insert(call.clone(), Arc::from(&*self.output));
                NOT_CLEARED.to_owned()
            }
            ActState::Unknown | ActState::Done | ActState::Failed => self.output.clone(),
        };
        [Message::Call(self.call.clone()), Message::Result { call, output }]
    }
}

/// Results of calls that only cleared engines may read, by the calls' ids. `Debug` prints nothing of them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Withheld(BTreeMap<String, Arc<str>>);

impl Withheld {
    /// Puts the results in their places. Returns what was put there.
    pub fn expose(self, messages: &mut [Message]) -> Vec<Arc<str>> {
        let mut told = Vec::new();
        for message in messages {
            if let Message::Result { call, output } = message
                && output == NOT_CLEARED
                && let Some(result) = self.0.get(call)
            {
                result.as_ref().clone_into(output);
                told.push(Arc::clone(result));
            }
        }
        told
    }
}

/// What an engine that is not cleared reads instead.
const NOT_CLEARED: &str = "(The result is confidential: this model may not read it.)";

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

    #[test]
    fn what_is_confidential_stands_in_its_place_for_who_is_cleared_alone() {
        let mut withheld = Withheld::default();
        let mut messages = act(ActState::Done, true).told(&mut withheld);
        assert!(matches!(&messages[1], Message::Result { output, .. } if output == NOT_CLEARED));
        assert!(!format!("{withheld:?} {:?}", act(ActState::Done, true)).contains("asthma"));
        assert_eq!(withheld.expose(&mut messages), [Arc::from("asthma")]);
        assert!(matches!(&messages[1], Message::Result { output, .. } if output == "asthma"));
    }

    #[test]
    fn what_is_open_is_told_to_all_and_what_is_proposed_is_not_told_as_done() {
        let mut withheld = Withheld::default();
        let [_, result] = act(ActState::Done, false).told(&mut withheld);
        assert!(matches!(result, Message::Result { output, .. } if output == "asthma"));
        let [_, result] = act(ActState::Proposed, true).told(&mut withheld);
        assert!(matches!(result, Message::Result { output, .. } if output.starts_with("Nothing is done yet")));
        assert_eq!(withheld, Withheld::default());
    }
}
