//! Whisper: speech-to-text on this machine.

mod agreement;
mod engine;
mod hearing;
mod listen;
mod voice;
mod window;

use std::{fmt, path::Path, sync::Arc};

use audio::Frame;
use futures_util::{
    future::{self, BoxFuture, FutureExt},
    stream::BoxStream,
};

use self::engine::{Engine, EngineError, Request};
use super::pool::Pool;
use crate::{
    ErrorKind, ProviderError, SpeechToText,
    stt::{SttCapabilities, SttOptions, TranscriptStream},
};

/// Speech-to-text through whisper.cpp. One model in memory serves all sessions.
#[derive(Clone)]
pub struct Whisper(Arc<Model>);

impl Whisper {
    /// Reads a ggml model, for example `whisper-base.ggml`; takes about 0.2 s, so not on a runtime thread.
    ///
    /// # Errors
    /// `Unavailable`, naming the file and the remedy, when it is missing or no model.
    pub fn load(path: &Path, pool: Arc<Pool>) -> Result<Self, ProviderError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("local/{stem}");
        let engine = Engine::load(path).map_err(|error| super::unusable(&name, path, error))?;
        Ok(Self(Arc::new(Model { name, engine, pool })))
    }
}

impl SpeechToText for Whisper {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities {
            interim_results: true,
            word_timestamps: true,
            languages: self.0.engine.languages().map(str::to_owned).collect(),
        }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let transcripts = self.0.request(&options).map(|request| {
            let model = Arc::clone(&self.0);
            listen::transcribe(model, request, options.interim, audio)
        });
        future::ready(transcripts).boxed()
    }
}

impl fmt::Debug for Whisper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whisper({})", self.0.name)
    }
}

/// What all utterances share.
struct Model {
    name: String,
    engine: Engine,
    pool: Arc<Pool>,
}

impl Model {
    fn request(&self, options: &SttOptions) -> Result<Request, ProviderError> {
        let language = match options.language.as_deref() {
            None | Some("") => None,
            Some(tag) => Some(self.engine.language(tag).ok_or_else(|| {
                ProviderError::new(
                    self.name.clone(),
                    ErrorKind::Rejected,
                    format!("does not know the language {tag:?}"),
                )
            })?),
        };
        Ok(Request { language, likely: None, prompt: options.prompt.clone(), thorough: false })
    }

    fn error(&self, error: &EngineError) -> ProviderError {
        ProviderError::new(self.name.clone(), ErrorKind::Unavailable, error)
    }
}
