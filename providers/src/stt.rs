//! Speech-to-text: frames in, transcripts out.

use std::time::Duration;

use audio::Frame;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::ProviderError;

/// Turns one utterance into text.
pub trait SpeechToText: Send + Sync {
    /// What this engine can do.
    fn capabilities(&self) -> SttCapabilities;

    /// Opens one utterance. `audio` is mono PCM16 at 16 kHz; its end asks for the final transcript.
    ///
    /// The answer yields any number of [`Transcript::Partial`]s, then exactly one [`Transcript::Final`] or one error,
    /// then ends. Dropping it cancels the work. Back-pressure: an implementation reads `audio` as fast as it can
    /// buffer a bounded amount.
    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>>;
}

/// The transcripts of one utterance.
pub type TranscriptStream = BoxStream<'static, Result<Transcript, ProviderError>>;

/// What a speech-to-text engine can do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SttCapabilities {
    /// Partial transcripts arrive while the person still speaks.
    pub interim_results: bool,
    /// Final transcripts carry word times.
    pub word_timestamps: bool,
    /// BCP 47 primary tags it understands; empty means any.
    pub languages: Vec<String>,
}

/// How to transcribe one utterance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SttOptions {
    /// The client's model name, if it named one.
    pub model: Option<String>,
    /// BCP 47 tag, or `None` to detect.
    pub language: Option<String>,
    /// BCP 47 tag of what was understood before, where `language` says nothing: which engine listens may depend on it, but
    /// the person is free to change.
    pub likely: Option<String>,
    /// Words and names likely to occur.
    pub prompt: Option<String>,
    /// Whether partial transcripts are wanted at all; without, an engine may save the work.
    pub interim: bool,
}

/// What was understood of an utterance.
#[derive(Clone, PartialEq, Debug)]
pub enum Transcript {
    /// So far. `stable` only ever grows by appending; `tentative` follows it and may change.
    Partial {
        /// Text that will not change any more.
        stable: String,
        /// A guess at what follows `stable`.
        tentative: String,
    },
    /// The whole utterance. `text` starts with the last `stable`.
    Final(FinalTranscript),
}

/// The final transcript of an utterance; empty text when nothing was said.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FinalTranscript {
    /// All that was said, trimmed.
    pub text: String,
    /// BCP 47 primary tag, when known.
    pub language: Option<String>,
    /// Words with their times from the start of the utterance; empty where the engine has none.
    pub words: Vec<Word>,
    /// Consecutive stretches of the text with times; empty where the engine has none.
    pub segments: Vec<Segment>,
    /// How much audio was heard.
    pub duration: Duration,
}

/// One word and when it was said, from the start of the utterance.
#[derive(Clone, PartialEq, Debug)]
pub struct Word {
    /// As written, without surrounding space.
    pub text: String,
    /// Begin.
    pub start: Duration,
    /// End, never before `start`.
    pub end: Duration,
}

/// A stretch of a transcript, from the start of the utterance.
#[derive(Clone, PartialEq, Debug)]
pub struct Segment {
    /// Text of the stretch.
    pub text: String,
    /// Begin.
    pub start: Duration,
    /// End, never before `start`.
    pub end: Duration,
    /// Mean log-probability of its tokens, where known.
    pub avg_logprob: Option<f32>,
    /// Probability that nothing was said, 0 to 1, where known.
    pub no_speech_prob: Option<f32>,
}
