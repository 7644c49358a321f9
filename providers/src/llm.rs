//! Language models: a conversation in, a stream of thought out.

use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    Aside, Json, ProviderError,
    passage::{Citation, Passages},
    tool::{Act, Withheld},
};

/// Continues a conversation.
pub trait LanguageModel: Send + Sync {
    /// What this model can do.
    fn capabilities(&self) -> LlmCapabilities;

    /// Answers the prompt. The stream ends after [`Thought::Finished`] or one error; dropping it cancels.
    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>>;
}

/// The thoughts of one reply.
pub type ThoughtStream = BoxStream<'static, Result<Thought, ProviderError>>;

/// What a language model can do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LlmCapabilities {
    /// It can call functions.
    pub tools: bool,
    /// Told its own words so far, it goes on from there: it can take over a reply that another model broke off.
    pub continues: bool,
    /// Names of the models it serves.
    pub models: Vec<String>,
}

/// All a model needs for one reply.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Prompt {
    /// The client's model name, if it named one.
    pub model: Option<String>,
    /// What the operator or client told the assistant to be.
    pub instructions: String,
    /// What is told beside the conversation.
    pub aside: Option<Aside>,
    /// What was found in the person's documents for their last words: nothing, where none of it fits; `None` where there are no
    /// documents.
    pub passages: Option<Passages>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// What of functions only cleared engines are told.
    pub withheld: Withheld,
    /// What the assistant's last words proposed, if the person heard all of them and has said one thing since.
    pub proposed: Option<Act>,
    /// Functions it may call.
    pub tools: Vec<Tool>,
    /// Whether it may, must or must not call them.
    pub tool_choice: ToolChoice,
    /// Most tokens to produce; `None` is the model's own limit.
    pub max_output_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2; `None` is the model's own.
    pub temperature: Option<f32>,
    /// BCP 47 tag of what the person speaks, when known: which model answers may depend on it.
    pub language: Option<String>,
}

impl Prompt {
    /// What the person said last.
    pub fn question(&self) -> Option<&str> {
        self.messages.iter().rev().find_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            Message::System(_) | Message::Assistant(_) | Message::Call(_) | Message::Result { .. } => None,
        })
    }
}

/// One entry of the conversation as a model sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Message {
    /// Standing instructions given mid-conversation.
    System(String),
    /// What the person said or typed.
    User(String),
    /// What the person heard of the assistant's words, or read.
    Assistant(String),
    /// The assistant called a function.
    Call(Call),
    /// What the function answered.
    Result {
        /// The call's id.
        call: String,
        /// The answer, usually JSON.
        output: String,
    },
}

/// A function call in full.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The call's id.
    pub call: String,
    /// The function.
    pub name: String,
    /// Its arguments: JSON text as the model wrote it, not necessarily valid.
    pub arguments: String,
}

/// A function a model may call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Json,
}

/// Whether a model may, must or must not call functions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ToolChoice {
    /// As the model sees fit.
    #[default]
    Auto,
    /// Never.
    None,
    /// Some function.
    Required,
    /// This function.
    Function(String),
}

/// One step of a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thought {
    /// More of the text.
    Text(String),
    /// The text just given refers to a passage for the first time. Only [`Cited`](crate::layers::Cited) says so.
    Cited(Citation),
    /// A function was run here, or the text just given proposes one. A later one with the same call's id takes its place. Only
    /// [`Equipped`](crate::layers::Equipped) says so.
    Acted(Act),
    /// A call begins. Calls do not interleave with each other or with text.
    CallStarted {
        /// The call's id, at most 32 characters.
        call: String,
        /// The function.
        name: String,
    },
    /// More of the running call's arguments.
    CallArguments(String),
    /// The running call is complete.
    CallDone,
    /// What the reply cost. At most once, before `Finished`.
    Usage(Usage),
    /// The reply is over.
    Finished(Finish),
}

/// Why a reply ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// It had said all, or called its functions.
    Stop,
    /// It reached `max_output_tokens`.
    Length,
    /// The provider's filter cut it.
    ContentFilter,
}

/// Tokens of one reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u32,
    /// Of these, served from a cache.
    pub cached_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
}
