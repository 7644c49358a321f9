//! A reply as it is told: thoughts cut at stop sequences, calls counted.

use std::collections::VecDeque;

use providers::llm::{Finish, Thought, Usage};

use super::stop::{Passed, Stops};
use crate::{
    chat::Thinking,
    metrics::Role,
    rest::{fault::Fault, provider},
};

/// One step of what a client is told.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// More of the text.
    Text(String),
    /// A call begins, the `index`-th of the reply.
    Call {
        /// From 0.
        index: usize,
        /// The call's id.
        id: String,
        /// The function.
        name: String,
    },
    /// More of that call's arguments.
    Arguments {
        /// As when it began.
        index: usize,
        /// JSON text.
        text: String,
    },
    /// The reply is over.
    Done {
        /// Why, in the wire's word.
        reason: &'static str,
        /// What it cost, where the model has told.
        usage: Option<Usage>,
    },
}

/// A reply being told.
pub(super) struct Telling {
    /// `None` once it ended.
    thinking: Option<Thinking>,
    stops: Stops,
    /// Whether one call is all there may be; the model's others are kept back.
    single: bool,
    calls: usize,
    usage: Option<Usage>,
    waiting: VecDeque<Told>,
}

impl Telling {
    pub(super) fn new(thinking: Thinking, stops: Stops, single: bool) -> Self {
        Self { thinking: Some(thinking), stops, single, calls: 0, usage: None, waiting: VecDeque::new() }
    }

    /// The next step; none after [`Told::Done`] or a failure.
    pub(super) async fn next(&mut self) -> Option<Result<Told, Fault>> {
        loop {
            if let Some(told) = self.waiting.pop_front() {
                return Some(Ok(told));
            }
            match self.thinking.as_mut()?.next().await? {
                Ok(thought) => self.take(thought),
                Err(error) => {
                    self.thinking = None;
                    return Some(Err(provider::failed(Role::Think, &error)));
                }
            }
        }
    }

    fn take(&mut self, thought: Thought) {
        match thought {
            Thought::Text(text) => {
                let Passed { text, stopped } = self.stops.pass(&text);
                self.say(text);
                if stopped {
                    self.finish("stop");
                }
            }
            Thought::CallStarted { call: id, name } => {
                let held = self.stops.rest();
                self.say(held);
                self.calls += 1;
                if let Some(index) = self.call() {
                    self.waiting.push_back(Told::Call { index, id, name });
                }
            }
            Thought::CallArguments(text) => {
                if let Some(index) = self.call() {
                    self.waiting.push_back(Told::Arguments { index, text });
                }
            }
            Thought::Cited(_) | Thought::Acted(_) | Thought::CallDone => {}
            Thought::Usage(usage) => self.usage = Some(usage),
            Thought::Finished(finish) => {
                let held = self.stops.rest();
                self.say(held);
                self.finish(match finish {
                    Finish::Stop if self.calls > 0 => "tool_calls",
                    Finish::Stop => "stop",
                    Finish::Length => "length",
                    Finish::ContentFilter => "content_filter",
                });
            }
        }
    }

    fn say(&mut self, text: String) {
        if !text.is_empty() {
            self.waiting.push_back(Told::Text(text));
        }
    }

    /// The running call's index, if it is told.
    fn call(&self) -> Option<usize> {
        self.calls.checked_sub(1).filter(|index| !self.single || *index == 0)
    }

    /// Nothing follows: a model that would go on is told to stop.
    fn finish(&mut self, reason: &'static str) {
        self.waiting.push_back(Told::Done { reason, usage: self.usage });
        self.thinking = None;
    }
}
