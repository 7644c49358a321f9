//! One call, run within its time and its size.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::work::Kind;
use crate::{
    llm::Call,
    passage::Passage,
    tool::{Act, ActState, Proposal, Ran, Toolbox},
};

/// How long a call may take at most: below what a session waits for a sign of life. Tools have shorter times of their own.
const LONGEST: Duration = Duration::from_secs(45);
/// Bytes of a result that the model reads: about 8 000 tokens.
const LARGEST: usize = 32 << 10;
/// Bytes of it that are kept: each later reply of the conversation is told them anew.
const KEPT: usize = 4 << 10;

/// What came of a call.
pub(super) enum Outcome {
    Ran(Ran),
    Proposed(Proposal),
}

/// Runs what changes nothing.
pub(super) async fn run(toolbox: &dyn Toolbox, call: &Call) -> Ran {
    let late = || Ran::failed("no answer in time");
    timeout(LONGEST, toolbox.run(call)).await.unwrap_or_else(|_| late())
}

/// Finds out what to ask the person.
pub(super) async fn propose(toolbox: &dyn Toolbox, call: &Call, language: Option<&str>) -> Outcome {
    match timeout(LONGEST, toolbox.propose(call, language)).await {
        Ok(Ok(proposal)) => Outcome::Proposed(proposal),
        Ok(Err(why)) => Outcome::Ran(Ran::failed(why)),
        Err(_) => Outcome::Ran(Ran::failed("no answer in time")),
    }
}

/// Runs what the person agreed to.
pub(super) async fn confirmed(toolbox: &dyn Toolbox, call: &Call) -> Ran {
    let unknown = Ran {
        state: ActState::Unknown,
        ..Ran::done("No answer came in time: it is not known whether it was done. Do not say that it was.")
    };
    timeout(LONGEST, toolbox.confirmed(call)).await.unwrap_or(unknown)
}

/// What the model is told of a call, and the passages it found.
pub(super) fn act(call: Call, kind: Kind, ran: Ran) -> (Act, Vec<Arc<Passage>>) {
    let (Ran { output, state, passages }, Kind { writes, confidential }) = (ran, kind);
    (Act { call, output: cut(output, LARGEST), state, writes, confidential }, passages)
}

/// What is kept of it.
pub(super) fn kept(act: Act) -> Act {
    Act { output: cut(act.output, KEPT), ..act }
}

fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push_str("\n[Cut: the result is longer.]");
    }
    text
}
