//! Function calls as language models want to read them: each call followed by its answer.
//!
//! Models refuse a call without an answer and an answer without its call; a conversation has both, because tools take
//! their time and clients replay parts of an earlier session.

use std::collections::BTreeMap;

use providers::llm::{Call, Message};

use super::{
    ids::CallId,
    item::{Body, Item},
};

/// What a model reads where a function has not answered.
const PENDING: &str = "(no answer yet)";

/// The answers in a conversation, by call.
pub(super) struct Answers<'a> {
    calls: BTreeMap<&'a CallId, Option<&'a str>>,
}

impl<'a> Answers<'a> {
    /// Collects calls and answers, wherever they stand.
    pub(super) fn of(items: impl Iterator<Item = &'a Item> + Clone) -> Self {
        let mut calls = BTreeMap::new();
        for item in items.clone() {
            if let Body::Call { call, .. } = &item.body {
                calls.insert(call, None);
            }
        }
        for item in items {
            if let Body::Output { call, output } = &item.body
                && let Some(answer) = calls.get_mut(call)
            {
                *answer = Some(output.as_str());
            }
        }
        Self { calls }
    }

    /// A call and its answer.
    pub(super) fn call(&self, call: &CallId, name: &str, arguments: &str) -> [Message; 2] {
        let output = self.calls.get(call).copied().flatten().unwrap_or(PENDING).to_owned();
        let id = call.as_str().to_owned();
        [
            Message::Call(Call { call: id.clone(), name: name.to_owned(), arguments: arguments.to_owned() }),
            Message::Result { call: id, output },
        ]
    }

    /// An answer whose call is not in the conversation, as something the model can still read.
    pub(super) fn orphan(&self, call: &CallId, output: &str) -> Option<Message> {
        if self.calls.contains_key(call) {
            return None;
        }
        Some(Message::System(format!("A function called earlier answered: {output}")))
    }
}
