//! What a conversation is made of.

use std::{sync::Arc, time::Duration};

use audio::Clip;
use providers::{Json, passage::Citation, tool::Act};

use super::ids::{CallId, ItemId};

/// One entry of the conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Whether it is still being made.
    pub status: ItemStatus,
    /// What it holds.
    pub body: Body,
    /// What its words cite, by the numbers in them.
    pub citations: Vec<Citation>,
    /// What was done here on the way to it, before its words; what it proposes last.
    pub acts: Vec<Act>,
}

/// Whether an item is finished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemStatus {
    /// Content still arrives.
    InProgress,
    /// Whole.
    Completed,
    /// Cut short.
    Incomplete,
}

/// What an item holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// Somebody said or wrote something.
    Message {
        /// Who.
        role: Role,
        /// What, in order.
        parts: Vec<Part>,
    },
    /// The assistant called a function.
    Call {
        /// The call's id.
        call: CallId,
        /// The function.
        name: String,
        /// JSON text as the model wrote it; empty while running.
        arguments: String,
    },
    /// A function answered.
    Output {
        /// The call's id; need not be known here (history replay after a reconnect).
        call: CallId,
        /// The answer.
        output: String,
    },
    /// An item kind that is stored and shown but not acted upon (MCP items): its JSON object as the client sent it.
    Opaque(Json),
}

/// Who speaks in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The operator.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One part of a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// Typed text, or the text of a system message.
    InputText(String),
    /// Speech of the person.
    InputAudio {
        /// What was understood; `None` until known.
        transcript: Option<String>,
        /// The sound, where the client sent it inside an item; speech from the microphone is not kept.
        clip: Option<Arc<Clip>>,
    },
    /// A picture: its part's JSON object as the client sent it. Stored and shown, not understood.
    InputImage(Json),
    /// Text of the assistant.
    OutputText(String),
    /// Speech of the assistant.
    OutputAudio {
        /// The words; after an interruption only those that were heard.
        transcript: String,
        /// How much of it was synthesised or, after a truncation, kept.
        length: Duration,
    },
}
