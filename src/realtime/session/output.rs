//! Everything a session can want done.

use std::{sync::Arc, time::Duration};

use audio::Clip;
use providers::{
    Json,
    llm::{Message, Prompt, Usage},
    realtime::Manner,
    stt::SttOptions,
    tts::{Clause, Voice},
};

use super::{
    ids::{CallId, ItemId, ResponseId, TurnId},
    input::CloseReason,
    item::{Item, ItemStatus},
    settings::{Format, Modality, Settings},
};

/// One thing to do. Outputs are obeyed in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// About understanding the user.
    Transcribe(Transcribe),
    /// Ask the turn detector whether the turn from `from` is complete at the pause that begins at `pause`.
    Advise {
        /// The turn.
        turn: TurnId,
        /// Its start in the stream.
        from: Duration,
        /// Where the pause began in the stream; the audio to judge ends here.
        pause: Duration,
    },
    /// The person pauses, and a reply may be wanted in a moment: look up what it would be told.
    Expect,
    /// Ask the language model.
    Infer {
        /// For which response.
        response: ResponseId,
        /// What to ask.
        prompt: Box<Prompt>,
    },
    /// Ask the speech-to-speech model, which has heard the person by itself. It answers with thoughts and sound.
    Converse {
        /// For which response.
        response: ResponseId,
        /// What to ask.
        ask: Box<Ask>,
    },
    /// Speak a clause. The first one of a response opens its `speak` worker with the voice.
    Synthesize {
        /// For which response.
        response: ResponseId,
        /// Who speaks.
        voice: Voice,
        /// What.
        clause: Clause,
    },
    /// No more clauses follow for this response.
    SynthesizeEnd {
        /// Which response.
        response: ResponseId,
    },
    /// Stop thinking and speaking for this response and forget its queued audio.
    Cancel(ResponseId),
    /// Hand the client this response's queued speech, up to this position of its audio part. Parts follow each other in
    /// the queue: one begins where the part before it was released to its end.
    Release {
        /// The response.
        response: ResponseId,
        /// The item that holds the speech.
        item: ItemId,
        /// The item's place in the response.
        output_index: u32,
        /// The part's place in the item.
        content_index: u32,
        /// Encoding.
        format: Format,
        /// Speech from the part's start to here is to be with the client.
        until: Duration,
    },
    /// Drop what was queued towards the client for this response but not yet played or sent.
    Flush(ResponseId),
    /// Where we play: hold the loudspeaker at once; an overlap is being judged. A [`Output::Resume`] always follows, after
    /// the [`Output::Flush`] if the reply was cut.
    Pause,
    /// Where we play: go on from where it was held.
    Resume,
    /// Tell the client.
    Notify(Box<Event>),
    /// Keep for history.
    Record(Box<Record>),
    /// A latency that rules the product.
    Measure(Measure),
    /// The last output: close the transport for this reason.
    Close(CloseReason),
}

/// About understanding the user.
#[derive(Clone, PartialEq, Debug)]
pub enum Transcribe {
    /// Open a turn's transcription with the audio from this position on (it may lie in the past: pre-roll).
    Start {
        /// The turn.
        turn: TurnId,
        /// The item it will be, should it be committed.
        item: ItemId,
        /// First audio, in stream time.
        from: Duration,
        /// How.
        options: SttOptions,
    },
    /// The turn's audio ends here; its final transcript is wanted.
    Finish {
        /// The turn.
        turn: TurnId,
        /// Last audio, in stream time.
        until: Duration,
    },
    /// The turn was dropped; no transcript is wanted any more.
    Abandon {
        /// The turn.
        turn: TurnId,
    },
    /// Transcribe sound that came inside an item.
    Clip {
        /// The turn it counts as.
        turn: TurnId,
        /// The sound.
        clip: Arc<Clip>,
        /// How.
        options: SttOptions,
    },
}

/// What a speech-to-speech model is asked.
#[derive(Clone, PartialEq, Debug)]
pub struct Ask {
    /// What the reply goes by.
    pub manner: Manner,
    /// The conversation's items, oldest first.
    pub said: Vec<Said>,
}

/// An item, as a model can be told of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Said {
    /// Which.
    pub item: ItemId,
    /// What it says; `None` where that is not known (yet), or nothing.
    pub message: Option<Message>,
    /// How much of the assistant's speech was heard, where that was not all of it.
    pub heard: Option<Duration>,
}

/// What clients are told. One variant a wire event; `protocol` only spells them.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// `session.created`, always first.
    SessionCreated(Arc<Settings>),
    /// `session.updated`.
    SessionUpdated(Arc<Settings>),
    /// `input_audio_buffer.speech_started`.
    SpeechStarted {
        /// The item to be.
        item: ItemId,
        /// Onset less the prefix padding, in stream time.
        start: Duration,
    },
    /// `input_audio_buffer.speech_stopped`.
    SpeechStopped {
        /// The item to be.
        item: ItemId,
        /// Where the committed audio ends, in stream time.
        end: Duration,
    },
    /// `input_audio_buffer.committed`.
    Committed {
        /// The item to be.
        item: ItemId,
        /// The item before it.
        previous: Option<ItemId>,
    },
    /// `input_audio_buffer.cleared`.
    Cleared,
    /// `input_audio_buffer.timeout_triggered`.
    IdleTimeout {
        /// The item to be.
        item: ItemId,
        /// Where the silence began.
        start: Duration,
        /// Where it ends.
        end: Duration,
    },
    /// `input_audio_buffer.dtmf_event_received`.
    KeyPressed {
        /// Which key.
        key: char,
        /// When, in Unix seconds.
        at: u64,
    },
    /// `conversation.item.added`.
    ItemAdded {
        /// The item as it stands.
        item: Item,
        /// The item before it.
        previous: Option<ItemId>,
    },
    /// `conversation.item.done`.
    ItemDone {
        /// The item as it stands.
        item: Item,
        /// The item before it.
        previous: Option<ItemId>,
    },
    /// `conversation.item.retrieved`.
    ItemRetrieved(Item),
    /// `conversation.item.truncated`.
    ItemTruncated {
        /// The item.
        item: ItemId,
        /// The part.
        content_index: u32,
        /// What is left of its audio.
        audio_end: Duration,
    },
    /// `conversation.item.deleted`.
    ItemDeleted(ItemId),
    /// `conversation.item.input_audio_transcription.delta`; deltas only ever append.
    TranscriptionDelta {
        /// The user's item.
        item: ItemId,
        /// More of the transcript.
        delta: String,
    },
    /// `conversation.item.input_audio_transcription.completed`.
    TranscriptionCompleted {
        /// The user's item.
        item: ItemId,
        /// All of it; starts with the deltas joined.
        transcript: String,
        /// How much audio was heard, for `usage`.
        duration: Duration,
    },
    /// `conversation.item.input_audio_transcription.failed`.
    TranscriptionFailed {
        /// The user's item.
        item: ItemId,
        /// For the person, without a provider's inside.
        message: String,
    },
    /// `response.created`.
    ResponseCreated(Arc<ResponseView>),
    /// `response.output_item.added`.
    OutputItemAdded {
        /// Whose.
        response: ResponseId,
        /// Its place.
        output_index: u32,
        /// As it stands.
        item: Item,
    },
    /// `response.output_item.done`.
    OutputItemDone {
        /// Whose.
        response: ResponseId,
        /// Its place.
        output_index: u32,
        /// As it stands.
        item: Item,
    },
    /// `response.content_part.added`.
    PartAdded(PartRef),
    /// `response.content_part.done`.
    PartDone {
        /// Which.
        part: PartRef,
        /// Its text or transcript as streamed.
        text: String,
    },
    /// `response.output_text.delta` or `response.output_audio_transcript.delta`, by the part's modality.
    TextDelta {
        /// Which part.
        part: PartRef,
        /// More of it.
        delta: String,
    },
    /// `response.output_text.done` or `response.output_audio_transcript.done`: the deltas joined.
    TextDone {
        /// Which part.
        part: PartRef,
        /// All of it.
        text: String,
    },
    /// `response.output_audio.done`. (Deltas come of [`Output::Release`].)
    AudioDone(PartRef),
    /// `response.function_call_arguments.delta`.
    ArgumentsDelta {
        /// Whose.
        response: ResponseId,
        /// The item.
        item: ItemId,
        /// Its place.
        output_index: u32,
        /// The call.
        call: CallId,
        /// More of the arguments.
        delta: String,
    },
    /// `response.function_call_arguments.done`.
    ArgumentsDone {
        /// Whose.
        response: ResponseId,
        /// The item.
        item: ItemId,
        /// Its place.
        output_index: u32,
        /// The call.
        call: CallId,
        /// The function.
        name: String,
        /// All of them.
        arguments: String,
    },
    /// `response.done`.
    ResponseDone(Arc<ResponseView>),
    /// `output_audio_buffer.started` (only where we play).
    PlaybackStarted(ResponseId),
    /// `output_audio_buffer.stopped` (only where we play).
    PlaybackStopped(ResponseId),
    /// `output_audio_buffer.cleared` (only where we play).
    PlaybackCleared(ResponseId),
    /// `error`; the session goes on.
    Error(ClientError),
}

/// Which part of which item of which response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartRef {
    /// The response.
    pub response: ResponseId,
    /// The item.
    pub item: ItemId,
    /// The item's place in the response.
    pub output_index: u32,
    /// The part's place in the item.
    pub content_index: u32,
    /// Speech or text.
    pub modality: Modality,
}

/// A response as clients see it.
#[derive(Clone, PartialEq, Debug)]
pub struct ResponseView {
    /// Its id.
    pub id: ResponseId,
    /// How it stands.
    pub status: ResponseStatus,
    /// Its items so far.
    pub output: Vec<Item>,
    /// Beside the conversation (`conversation_id: null`).
    pub out_of_band: bool,
    /// Speech or text.
    pub modality: Modality,
    /// Token limit; `None` is `"inf"`.
    pub max_output_tokens: Option<u32>,
    /// Encoding of the speech.
    pub format: Format,
    /// The voice.
    pub voice: String,
    /// The client's metadata.
    pub metadata: Option<Json>,
    /// What it cost, once done.
    pub usage: Option<Usage>,
}

/// How a response stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResponseStatus {
    /// Being made.
    InProgress,
    /// Whole.
    Completed,
    /// Stopped by somebody.
    Cancelled(CancelReason),
    /// Cut by a limit.
    Incomplete(IncompleteReason),
    /// Its model was lost after some of it had reached the person, and no other could go on.
    BrokenOff {
        /// For programs, as in [`Self::Failed`].
        code: &'static str,
        /// For the person, without a provider's inside.
        message: String,
    },
    /// A provider failed.
    Failed {
        /// For programs: `rate_limit_exceeded`, `provider_unavailable`, …
        code: &'static str,
        /// For the person, without a provider's inside.
        message: String,
    },
}

/// Who stopped a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelReason {
    /// The person spoke.
    TurnDetected,
    /// The client asked.
    ClientCancelled,
}

/// Which limit cut a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IncompleteReason {
    /// `max_output_tokens`.
    MaxOutputTokens,
    /// The provider's filter.
    ContentFilter,
}

/// An error for the client that asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientError {
    /// `invalid_request_error`, `server_error`, …
    pub kind: &'static str,
    /// For programs.
    pub code: Option<&'static str>,
    /// For people.
    pub message: String,
    /// The offending field's path.
    pub param: Option<String>,
    /// The client event's id.
    pub event_id: Option<Arc<str>>,
}

/// What history keeps: what was heard, not what was generated.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// An item came to be, or changed: keep its latest state (upsert by id). User speech is recorded once its
    /// transcript is known, assistant speech when its response ends and again when it is truncated.
    Item {
        /// As it stands.
        item: Item,
        /// The item before it.
        previous: Option<ItemId>,
    },
    /// An item was deleted.
    Deleted(ItemId),
}

/// A latency that rules the product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// From the first frame that told the onset of a barge-in to the flush: the overlap's confirmation is part of it.
    OnsetToFlush(Duration),
    /// From the end of speech in the stream to the commit.
    EndOfTurn(Duration),
    /// From the commit to the final transcript.
    FinalTranscript(Duration),
    /// From asking the model to its first token.
    FirstToken(Duration),
    /// From the commit (or `response.create`) to the first audio released.
    FirstAudio(Duration),
    /// A reply ended; its item ended so.
    Reply(ItemStatus),
}
