//! The embedded voice: clauses to 24 kHz speech, offline, in pure Rust.
//!
//! A clause becomes words as they are spoken, words become phonemes, a network turns those into spectra and signal code
//! turns spectra into sound. One sentence is synthesised at a time, on the inference pool, so that the first is heard
//! while the rest is still text. The same text always gives the same samples.

mod acoustics;
mod engine;
mod noise;
mod silence;
mod speaker;
mod vocoder;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{future::BoxFuture, stream::BoxStream};

use self::{
    engine::{Engine, Pace},
    speaker::Speaker,
};
use super::{ahead, pool::Pool};
use crate::{
    ProviderError,
    tts::{Clause, SpeechStream, TextToSpeech, TtsCapabilities, Voice},
};

/// The hibari voice "heart" (American English). Cheap to share; each reply is a stream of its own.
pub struct Hibari {
    engine: Arc<Engine>,
    pool: Arc<Pool>,
    replies: AtomicU64,
}

impl Hibari {
    /// Loads the voice from a folder with `hibari.onnx`, `vocab.json`, `oov.onnx` and `oov.json`.
    ///
    /// Blocks for some 0.3 s and keeps over 100 MB, most of it the dictionary; load once and share. Synthesis runs on `pool`.
    ///
    /// # Errors
    /// `Unavailable` when a file is missing or unreadable, `Protocol` when it is another model's.
    pub fn load(model_dir: &Path, pool: Arc<Pool>) -> Result<Self, ProviderError> {
        Ok(Self { engine: Arc::new(Engine::load(model_dir)?), pool, replies: AtomicU64::new(0) })
    }
}

impl TextToSpeech for Hibari {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: true,
            max_chars: None,
            languages: vec!["en".to_owned()],
            voices: vec!["heart".to_owned()],
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        // Replies take turns on the pool; counting down keeps clear of callers that count up.
        let key = u64::MAX - self.replies.fetch_add(1, Ordering::Relaxed);
        let (engine, pool) = (Arc::clone(&self.engine), Arc::clone(&self.pool));
        let speaker = Speaker { engine, pool, key, pace: Pace::new(voice.speed) };
        Box::pin(async move { Ok(ahead::stream(|listener| speaker.run(text, listener))) })
    }
}

/// How this engine is called in errors.
const PROVIDER: &str = "local/hibari";
