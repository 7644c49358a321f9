//! Deterministic providers: what they say, when, and how they fail is written down beforehand.
//!
//! For tests and `voice-relay bench`. They wait on tokio's clock only, so a paused clock runs them at once; nothing is
//! random. Each counts its calls from 1; texts and faults are chosen by that number.

mod config;
mod embed;
mod fault;
mod llm;
mod realtime;
mod stt;
mod tts;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

pub use config::Config;
pub use embed::EmbeddingModel;
pub use fault::{Fault, Faults};
pub use llm::{LanguageModel, LlmScript, Reply};
pub use realtime::{Conversation, RealtimeModel, RealtimeScript};
pub use stt::{SpeechToText, SttScript};
pub use tts::{Length, TextToSpeech, TtsScript, pitch};

/// How often a provider was called.
#[derive(Default, Debug)]
struct Calls(AtomicU64);

impl Calls {
    /// The number of the call that begins, from 1.
    fn begin(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sleeps, but does not even yield for zero: the timer's grain is a millisecond.
async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}
