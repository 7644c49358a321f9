//! Conversations mended: every call directly followed by its result, and its arguments an object.
//!
//! Vendors insist on both; a conversation that was interrupted has neither.

use std::borrow::Cow;

use serde_json::Value;

use crate::llm::{Call, Message};

/// One entry of a mended conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step<'a> {
    /// Standing instructions.
    System(Cow<'a, str>),
    /// What the person said.
    User(&'a str),
    /// What the assistant said, and the calls it made next; their results belong right behind them.
    Assistant {
        /// May be empty if there are calls.
        text: &'a str,
        /// In order.
        calls: Vec<Made<'a>>,
    },
}

/// A call with its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Made<'a> {
    /// The call's id.
    pub(crate) id: &'a str,
    /// The function.
    pub(crate) name: &'a str,
    /// JSON text of an object.
    pub(crate) arguments: &'a str,
    /// What the function answered, or that it has not.
    pub(crate) output: &'a str,
}

impl Made<'_> {
    /// The arguments as an object.
    pub(crate) fn object(&self) -> Value {
        serde_json::from_str(self.arguments).unwrap_or_default()
    }
}

/// The conversation, mended. Texts may be empty.
pub(crate) fn steps(all: &[Message]) -> Vec<Step<'_>> {
    let mut out = Vec::new();
    let mut rest = all;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            Message::System(text) => out.push(Step::System(Cow::Borrowed(text))),
            Message::User(text) => out.push(Step::User(text)),
            Message::Assistant(text) => rest = assistant(text, after, all, &mut out),
            Message::Call(_) => rest = assistant("", &all[all.len() - after.len() - 1..], all, &mut out),
            // Told together with its call; without one, the model still should know.
            Message::Result { call, output } if !is_called(call, all) => {
                out.push(Step::System(Cow::Owned(format!("Result of an earlier function call: {output}"))));
            }
            Message::Result { .. } => {}
        }
    }
    out
}

/// What the assistant said and the calls it made next; returns what follows them.
fn assistant<'a>(text: &'a str, next: &'a [Message], all: &'a [Message], out: &mut Vec<Step<'a>>) -> &'a [Message] {
    let calls: Vec<_> = next.iter().map_while(|message| called(message).map(|call| made(call, all))).collect();
    let rest = &next[calls.len()..];
    out.push(Step::Assistant { text, calls });
    rest
}

fn made<'a>(call: &'a Call, all: &'a [Message]) -> Made<'a> {
    let valid = serde_json::from_str::<Value>(&call.arguments).is_ok_and(|arguments| arguments.is_object());
    Made {
        id: &call.call,
        name: &call.name,
        arguments: if valid { &call.arguments } else { "{}" },
        output: result_of(&call.call, all).unwrap_or("(no result yet)"),
    }
}

fn called(message: &Message) -> Option<&Call> {
    match message {
        Message::Call(call) => Some(call),
        Message::System(_) | Message::User(_) | Message::Assistant(_) | Message::Result { .. } => None,
    }
}

fn result_of<'a>(id: &str, all: &'a [Message]) -> Option<&'a str> {
    all.iter().find_map(|message| match message {
        Message::Result { call, output } if call == id => Some(output.as_str()),
        Message::Result { .. } | Message::System(_) | Message::User(_) | Message::Assistant(_) | Message::Call(_) => {
            None
        }
    })
}

fn is_called(id: &str, all: &[Message]) -> bool {
    all.iter().filter_map(called).any(|call| call.call == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, arguments: &str) -> Message {
        Message::Call(Call { call: id.into(), name: "look".into(), arguments: arguments.into() })
    }

    fn result(id: &str) -> Message {
        Message::Result { call: id.into(), output: format!("result {id}") }
    }

    #[test]
    fn every_call_is_followed_by_its_result() {
        let messages = vec![
            Message::User("Look twice".into()),
            Message::Assistant("Looking.".into()),
            call("a", r#"{"at":1}"#),
            call("b", "{\"half"),
            Message::User("Well?".into()),
            result("a"),
            result("orphan"),
            call("c", "[]"),
        ];
        let made = |id, arguments, output| Made { id, name: "look", arguments, output };
        let expected = [
            Step::User("Look twice"),
            Step::Assistant {
                text: "Looking.",
                calls: vec![made("a", r#"{"at":1}"#, "result a"), made("b", "{}", "(no result yet)")],
            },
            Step::User("Well?"),
            Step::System("Result of an earlier function call: result orphan".into()),
            Step::Assistant { text: "", calls: vec![made("c", "{}", "(no result yet)")] },
        ];
        assert_eq!(steps(&messages), expected);
    }
}
