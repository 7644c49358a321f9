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

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn thoughts_are_in_order_whatever_a_vendor_sends(steps in proptest::collection::vec(0u8..6, 0..20)) {
            let (mut draft, mut thoughts) = (Draft::default(), Vec::new());
            for step in steps {
                match step {
                    0 => draft.say("word", &mut thoughts),
                    1 => draft.call("id".into(), "look", &mut thoughts),
                    2 => draft.arguments("{}", &mut thoughts),
                    3 => draft.close(&mut thoughts),
                    4 => draft.cost(Usage::default()),
                    _ => draft.arguments("", &mut thoughts),
                }
            }
            draft.finish(Finish::Stop, &mut thoughts);
            draft.end(&mut thoughts).unwrap();
            let (mut open, mut told) = (false, false);
            for thought in &thoughts {
                match thought {
                    Thought::Text(_) | Thought::Cited(_) | Thought::Acted(_) => proptest::prop_assert!(!open),
                    Thought::CallStarted { .. } => {
                        proptest::prop_assert!(!std::mem::replace(&mut open, true));
                        told = false;
                    }
                    Thought::CallArguments(_) => {
                        proptest::prop_assert!(open);
                        told = true;
                    }
                    Thought::CallDone => proptest::prop_assert!(std::mem::take(&mut open) && told),
                    Thought::Usage(_) | Thought::Finished(_) => proptest::prop_assert!(!open),
                }
            }
            proptest::prop_assert_eq!(thoughts.last(), Some(&Thought::Finished(Finish::Stop)));
        }
    }

    #[test]
    fn a_reply_without_a_reason_to_end_ended_early() {
        let broken = Draft::default().end(&mut Vec::new()).unwrap_err();
        assert_eq!(broken.kind, crate::ErrorKind::Protocol);
    }
}
