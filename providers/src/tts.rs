//! Text-to-speech: clauses in, sound out.

use std::{ops::Range, time::Duration};

use audio::Clip;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::ProviderError;

/// Speaks text.
pub trait TextToSpeech: Send + Sync {
    /// What this engine can do.
    fn capabilities(&self) -> TtsCapabilities;

    /// Speaks clauses in order as they come; the end of `text` ends the speech once all is spoken.
    ///
    /// For each clause the answer yields its audio, then [`Speech::ClauseDone`]; it ends after the last clause or with
    /// one error. Dropping it cancels. Back-pressure: synthesis runs at most a few clauses ahead of the reader.
    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>>;
}

/// The speech of one reply.
pub type SpeechStream = BoxStream<'static, Result<Speech, ProviderError>>;

/// What a text-to-speech engine can do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TtsCapabilities {
    /// Speech carries the times of its words.
    pub word_timestamps: bool,
    /// Longest clause it takes, in characters; `None` when unlimited.
    pub max_chars: Option<usize>,
    /// BCP 47 primary tags it speaks; empty means any.
    pub languages: Vec<String>,
    /// Names of its voices.
    pub voices: Vec<String>,
}

/// Who speaks, and how fast.
#[derive(Clone, PartialEq, Debug)]
pub struct Voice {
    /// A voice's name; unknown names fall back to the engine's default voice.
    pub name: String,
    /// BCP 47 tag, when known.
    pub language: Option<String>,
    /// 1.0 is the voice's own pace; 0.25 to 4.0.
    pub speed: f32,
}

/// A piece of text spoken in one go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clause {
    /// Rising within a reply, from 0.
    pub id: u32,
    /// What to say, punctuation included.
    pub text: String,
}

/// One step of a reply's speech.
#[derive(Clone, PartialEq, Debug)]
pub enum Speech {
    /// The next stretch of sound of this clause.
    Audio {
        /// The clause it voices.
        clause: u32,
        /// The sound.
        clip: Clip,
    },
    /// When a word of the clause is spoken, from the start of the clause's audio. May precede or follow that audio.
    Word {
        /// The clause.
        clause: u32,
        /// Bytes of the clause's text.
        range: Range<usize>,
        /// When its sound begins.
        start: Duration,
        /// When its sound has ended.
        end: Duration,
    },
    /// All audio of this clause has been given.
    ClauseDone {
        /// The clause.
        clause: u32,
    },
}
