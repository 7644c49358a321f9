//! A reply in the order the trait promises: text and calls that do not interleave, then the cost, then the end.

use crate::{
    llm::{Finish, Thought, Usage},
    net::events::{Broken, Progress},
};

/// A reply under way.
#[derive(Default, Debug)]
pub(crate) struct Draft {
    /// A call is open; whether it has arguments.
    call: Option<bool>,
    usage: Option<Usage>,
    finish: Option<Finish>,
}

impl Draft {
    /// More text; ends the running call.
    pub(crate) fn say(&mut self, text: &str, out: &mut Vec<Thought>) {
        if !text.is_empty() {
            self.close(out);
            out.push(Thought::Text(text.to_owned()));
        }
    }

    /// Another call begins, with an id that [fits](super::fitting); ends the running one.
    pub(crate) fn call(&mut self, call: String, name: &str, out: &mut Vec<Thought>) {
        self.close(out);
        self.call = Some(false);
        out.push(Thought::CallStarted { call, name: name.to_owned() });
    }

    /// More arguments of the running call.
    pub(crate) fn arguments(&mut self, piece: &str, out: &mut Vec<Thought>) {
        if let Some(told) = self.call.as_mut().filter(|_| !piece.is_empty()) {
            *told = true;
            out.push(Thought::CallArguments(piece.to_owned()));
        }
    }

    /// Ends the running call, if there is one; without arguments it has none.
    pub(crate) fn close(&mut self, out: &mut Vec<Thought>) {
        if let Some(told) = self.call.take() {
            if !told {
                out.push(Thought::CallArguments("{}".to_owned()));
            }
            out.push(Thought::CallDone);
        }
    }

    /// What the reply has cost so far; the last word counts.
    pub(crate) fn cost(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// The model has said why it ends.
    pub(crate) fn finish(&mut self, finish: Finish, out: &mut Vec<Thought>) {
        self.close(out);
        self.finish = Some(finish);
    }

    /// Whether the model has said why it ends.
    pub(crate) const fn progress(&self) -> Progress {
        if self.finish.is_some() { Progress::Finished } else { Progress::Open }
    }

    /// The stream is over.
    ///
    /// # Errors
    ///
    /// [`Protocol`](crate::ErrorKind::Protocol) when the model has not said why.
    pub(crate) fn end(&mut self, out: &mut Vec<Thought>) -> Result<(), Broken> {
        let finish = self.finish.ok_or_else(|| Broken::protocol("the reply ended early"))?;
        out.extend(self.usage.map(Thought::Usage));
        out.push(Thought::Finished(finish));
        Ok(())
    }

    /// Whether a call is under way.
    pub(crate) const fn calling(&self) -> bool {
        self.call.is_some()
    }
}
