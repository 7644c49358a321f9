//! Transcribing models: handed a recording, or listening as one speaks.
//!
//! [`Transcription`] says which; left to itself, the model's name does.

use std::{borrow::Cow, sync::Arc};

use audio::Frame;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};

use super::{
    Config, Transcription,
    account::Account,
    live::Live,
    recorded::Recorded,
    wire::{
        language::{expected, only},
        recording::Form,
    },
};
use crate::{
    ProviderError,
    stt::{SttCapabilities, SttOptions, TranscriptStream},
};

/// One transcribing model of one server. Dropping a transcription closes its connection.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct SpeechToText {
    account: Account,
    model: String,
    live: Live,
}

impl SpeechToText {
    /// A model that reports its failures under this name, as configured: `openai/gpt-live-transcribe`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let account = Account::new(name, config);
        let model = model.into();
        Self { live: Live::new(account.clone(), model.clone()), account, model }
    }

    fn manner(&self) -> Manner {
        let config = &self.account.config;
        let timed = self.model.starts_with("whisper-1");
        let whole = if timed { Form::Timed { words: config.word_times } } else { Form::Plain };
        match config.transcription {
            Transcription::Whole => Manner::Recorded(whole),
            Transcription::Streamed => Manner::Recorded(Form::Events),
            Transcription::Realtime => Manner::Live,
            Transcription::Auto if LIVE.iter().any(|name| self.model.starts_with(name)) => Manner::Live,
            Transcription::Auto if STREAMED.iter().any(|name| self.model.starts_with(name)) => {
                Manner::Recorded(Form::Events)
            }
            Transcription::Auto => Manner::Recorded(whole),
        }
    }
}

/// How a model is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    Recorded(Form),
    Live,
}

impl crate::SpeechToText for SpeechToText {
    fn capabilities(&self) -> SttCapabilities {
        let manner = self.manner();
        SttCapabilities {
            interim_results: manner == Manner::Live,
            word_timestamps: manner == Manner::Recorded(Form::Timed { words: true }),
            languages: Vec::new(),
        }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        async move {
            match self.manner() {
                Manner::Live => self.live.transcribe(options, audio).await,
                Manner::Recorded(form) => {
                    // Events that nobody wants cost more than the text alone.
                    let form = if options.interim || form != Form::Events { form } else { Form::Plain };
                    Recorded::new(self.account.clone(), self.model.clone(), form, options)?.transcribe(audio)
                }
            }
        }
        .boxed()
    }
}

/// The language to name where none was heard.
pub(super) fn fallback(options: &SttOptions, config: &Config) -> Option<String> {
    only(&expected(options.language.as_deref(), config)).cloned()
}

/// What can only listen as one speaks.
const LIVE: [&str; 2] = ["gpt-live-transcribe", "gpt-realtime-whisper"];
/// What streams the words of a recording.
const STREAMED: [&str; 3] = ["gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_name_or_the_configuration_says_how_it_is_asked() {
        let with = |transcription| Config { transcription, ..Config::default() };
        let times = Form::Timed { words: true };
        for (model, config, expected) in [
            ("gpt-live-transcribe", Config::default(), Manner::Live),
            ("gpt-realtime-whisper", Config::default(), Manner::Live),
            ("gpt-transcribe", Config::default(), Manner::Recorded(Form::Events)),
            ("gpt-4o-mini-transcribe-2025-12-15", Config::default(), Manner::Recorded(Form::Events)),
            ("gpt-4o-transcribe-diarize", Config::default(), Manner::Recorded(Form::Events)),
            ("whisper-1", Config::default(), Manner::Recorded(times)),
            ("Systran/faster-whisper-small", Config::default(), Manner::Recorded(Form::Plain)),
            ("local/whisper-base", with(Transcription::Realtime), Manner::Live),
            ("local/whisper-base", with(Transcription::Streamed), Manner::Recorded(Form::Events)),
            ("gpt-4o-transcribe", with(Transcription::Whole), Manner::Recorded(Form::Plain)),
            ("whisper-1", with(Transcription::Realtime), Manner::Live),
        ] {
            assert_eq!(SpeechToText::new("test", model, Arc::new(config)).manner(), expected, "{model}");
        }
    }
}
