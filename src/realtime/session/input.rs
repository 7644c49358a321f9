//! Everything that can happen to a session.

use std::{sync::Arc, time::Duration};

use providers::{
    Json, ProviderError,
    llm::{Thought, Tool, ToolChoice},
    stt::Transcript,
    tts::Speech,
};

use super::{
    ids::{ItemId, ResponseId, TurnId},
    item::Item,
    settings::{Format, Modality, Settings},
};

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A deadline may have passed; spurious ticks are harmless.
    Tick,
    /// The microphone gave 20 ms.
    Heard(Heard),
    /// The microphone gave so much of the next 20 ms, and the client may be about to commit it.
    Begun(Duration),
    /// A line on which we play plays so much later than by our clock.
    Lag(Duration),
    /// The caller pressed a key of the telephone.
    Pressed {
        /// Which: a digit, `*`, `#`, or A to D.
        key: char,
        /// When, in Unix seconds.
        at: u64,
    },
    /// The client asked for something.
    Command(Command),
    /// A `listen` worker understood something, or failed. `Ok(Final)` and `Err` are terminal for the turn.
    Transcript {
        /// Whose.
        turn: TurnId,
        /// What.
        event: Result<Transcript, ProviderError>,
    },
    /// The turn detector judged a pause.
    Advice {
        /// The turn that paused.
        turn: TurnId,
        /// Where in the stream the pause began, as asked.
        pause: Duration,
        /// Probability that the turn is complete; an error means no advice.
        complete: Result<f32, ProviderError>,
    },
    /// A `think` worker progressed. `Ok(Finished)` and `Err` are terminal.
    Thought {
        /// Whose.
        response: ResponseId,
        /// What.
        event: Result<Thought, ProviderError>,
    },
    /// A `speak` worker progressed.
    Spoken {
        /// Whose.
        response: ResponseId,
        /// What.
        event: Spoken,
    },
    /// End the session. Idempotent.
    Close(CloseReason),
}

/// 20 ms of the microphone, as judged by voice activity detection.
///
/// Positions count all audio ever appended, at stream time: `clear` and `commit` do not reset them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// Where these 20 ms end in the stream.
    pub end: Duration,
    /// Whether somebody speaks.
    pub voice: Voice,
}

/// The verdict of voice activity detection, hysteresis and minimum lengths included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voice {
    /// Nobody speaks, since this position.
    Quiet {
        /// End of the last speech in the stream, or zero.
        since: Duration,
    },
    /// Somebody speaks, since this position.
    Speech {
        /// The onset in the stream, a few frames back when first told.
        since: Duration,
        /// Where the voice was last heard: what follows may be a gap within words, or the end of speech.
        last: Duration,
        /// Whether its sound has changed as in words; a hum, a held vowel or a cough stays even.
        varied: bool,
    },
}

/// One step of a reply's speech. The audio itself waits in `Egress`; the session counts its length.
#[derive(Clone, PartialEq, Debug)]
pub enum Spoken {
    /// More sound of a clause has been queued.
    Audio {
        /// The clause it voices.
        clause: u32,
        /// How long it lasts.
        length: Duration,
    },
    /// Word times and clause ends, as the provider gave them. [`Speech::Audio`] does not occur here.
    Mark(Speech),
    /// Every clause has been voiced.
    Finished,
    /// Synthesis failed; nothing follows.
    Failed(ProviderError),
}

/// A client's request with the id it gave the event.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// Echoed in an error that answers this command.
    pub event_id: Option<Arc<str>>,
    /// What is asked.
    pub request: Request,
}

/// What a client can ask.
#[derive(Clone, PartialEq, Debug)]
pub enum Request {
    /// `session.update`: the settings after merging; valid in themselves.
    Update(Box<Settings>),
    /// `input_audio_buffer.commit`.
    Commit,
    /// `input_audio_buffer.clear`.
    Clear,
    /// `conversation.item.create`.
    Create {
        /// The item; its id is the client's, or empty to have one made.
        item: Item,
        /// Where it goes.
        place: Place,
    },
    /// `conversation.item.retrieve`.
    Retrieve(ItemId),
    /// `conversation.item.truncate`.
    Truncate {
        /// The assistant's item.
        item: ItemId,
        /// Which part.
        content_index: u32,
        /// How much of it was played.
        audio_end: Duration,
    },
    /// `conversation.item.delete`.
    Delete(ItemId),
    /// `response.create`.
    Respond(Box<ResponseRequest>),
    /// `response.cancel`; `None` is the active response of the default conversation.
    Cancel(Option<ResponseId>),
    /// `output_audio_buffer.clear` (only where we play).
    ClearOutput,
}

/// Where a created item goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// After the last item.
    End,
    /// Before the first.
    Front,
    /// After this one.
    After(ItemId),
}

/// Overrides of one response; `None` means as the session says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ResponseRequest {
    /// Instructions.
    pub instructions: Option<String>,
    /// Speech or text.
    pub modality: Option<Modality>,
    /// Encoding of the speech.
    pub format: Option<Format>,
    /// The voice.
    pub voice: Option<String>,
    /// Functions.
    pub tools: Option<Vec<Tool>>,
    /// Whether functions may, must or must not be called.
    pub tool_choice: Option<ToolChoice>,
    /// Token limit: `Some(None)` is `"inf"`.
    pub max_output_tokens: Option<Option<u32>>,
    /// Sampling temperature.
    pub temperature: Option<f32>,
    /// Returned in `response.created` and `.done`.
    pub metadata: Option<Json>,
    /// `conversation: "none"`: beside the conversation, adding nothing to it.
    pub out_of_band: bool,
    /// Replaces the conversation as context.
    pub input: Option<Vec<ContextItem>>,
}

/// One entry of a response's own context.
#[derive(Clone, PartialEq, Debug)]
pub enum ContextItem {
    /// An item given in full.
    Item(Item),
    /// An item of the conversation.
    Reference(ItemId),
}

/// Why a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// The client left.
    Hangup,
    /// It lasted as long as sessions may.
    Expired,
    /// The server is going away.
    Drain,
    /// The client does not read what it is sent.
    SlowReader,
    /// An operator or the user ended it.
    Kicked,
    /// Another session came by the same client secret, which is good for one at a time.
    Replaced,
    /// A bounded queue overflowed or a part of the relay failed.
    Internal,
}
