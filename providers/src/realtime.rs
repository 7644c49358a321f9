//! Speech-to-speech: one model that hears and speaks by itself.
//!
//! The relay keeps the turns: it says when an utterance is over and when a reply is wanted. A vendor's own turn detection
//! is off, and what was heard of a reply is told to it.

use std::time::Duration;

use audio::{Clip, Frame};
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    Aside, ProviderError,
    llm::{Message, Thought, Tool, ToolChoice},
    tts::Voice,
};

/// Holds a spoken conversation.
pub trait RealtimeModel: Send + Sync {
    /// What this model can do.
    fn capabilities(&self) -> RealtimeCapabilities;

    /// Opens a conversation. `commands` are carried out in order, and none is read before it is open; their end, or
    /// dropping the answer, hangs up.
    ///
    /// The answer never ends by itself without an error: [`ErrorKind::Unavailable`](crate::ErrorKind) where the vendor says
    /// goodbye, as it does after its longest conversation. Back-pressure: an implementation reads `commands` as fast as the
    /// vendor takes them, whether its events are read or not, and gives events no faster than they are read.
    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>>;
}

/// What a conversation's model does.
pub type EventStream = BoxStream<'static, Result<Event, ProviderError>>;

/// What a speech-to-speech model can do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RealtimeCapabilities {
    /// It can call functions.
    pub tools: bool,
    /// It can answer in text alone.
    pub text: bool,
    /// Instructions, functions and voice may change from reply to reply; without, a change takes a new conversation.
    pub reconfigures: bool,
    /// BCP 47 primary tags it speaks; empty means any.
    pub languages: Vec<String>,
    /// Names of its voices.
    pub voices: Vec<String>,
}

/// How a conversation begins.
#[derive(Clone, PartialEq, Debug)]
pub struct Opening {
    /// The client's model name, if it named one.
    pub model: Option<String>,
    /// How its first reply is to be; later ones say so themselves.
    pub manner: Manner,
    /// What was said before, oldest first.
    pub history: Vec<Message>,
}

/// What a reply goes by.
#[derive(Clone, PartialEq, Debug)]
pub struct Manner {
    /// What the operator or client told the assistant to be.
    pub instructions: String,
    /// What is told beside the conversation.
    pub aside: Option<Aside>,
    /// Functions it may call.
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not call them.
    pub tool_choice: ToolChoice,
    /// Who speaks; `None` for a reply in text alone.
    pub voice: Option<Voice>,
    /// Most tokens to produce; `None` is the model's own limit.
    pub max_output_tokens: Option<u32>,
}

/// What is told to the model.
#[derive(Clone, PartialEq, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are frames, which are held inline so that telling one allocates nothing"
)]
pub enum Command {
    /// The next 20 ms of the utterance under way.
    Hear(Frame),
    /// The utterance is over: all that was heard since the last `Commit` or `Discard` becomes a message of the person.
    Commit,
    /// What was heard since then is forgotten, as far as the vendor can: see each adapter.
    Discard,
    /// A message is added at the end of the conversation.
    Add(Message),
    /// Of the last reply's speech only this much was heard, from its start; that reply is over or was cancelled. A vendor that
    /// has no message for it keeps what it thinks was heard.
    Truncate(Duration),
    /// A reply is wanted. The one before it is over or was cancelled.
    Respond {
        /// Its number, which its events carry; rising.
        reply: u64,
        /// What it goes by.
        manner: Box<Manner>,
    },
    /// The reply under way is no longer wanted. No event of it follows once the vendor knows; some may still be on their way.
    Cancel,
}

/// A step of a reply.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Which reply.
    pub reply: u64,
    /// What it does.
    pub step: Step,
}

/// What a reply does next. All its sound precedes [`Thought::Finished`], which is its last step.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Its words, as spoken or written, and its calls.
    Thought(Thought),
    /// Its sound. Words and sound keep pace only roughly.
    Sound(Clip),
    /// It failed; the conversation goes on.
    Failed(ProviderError),
}
