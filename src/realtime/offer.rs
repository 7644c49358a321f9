//! What clients may choose among: the engines that an operator named, and the names that stand for them.
//!
//! Everything else is refused by name, whoever asks: nothing a client says reaches a vendor that no chain names.

use std::{collections::BTreeMap, fmt, sync::Arc};

use providers::{RealtimeModel, SpeechToText, TextToSpeech};

use super::{
    names::{Meaning, Names, Task},
    protocol::error,
    session::{
        input::{Command, Request},
        output::ClientError,
        settings::Settings,
    },
};

/// What sessions and requests may choose among. Cheap to clone.
#[derive(Clone, Default)]
pub struct Offer(Arc<Choices>);

/// What an [`Offer`] is made of: engines that are chosen by name at each request, and those that are chosen as a whole,
/// by their names, each with what stands behind it.
#[derive(Default)]
pub struct Choices {
    /// All names.
    pub names: Names,
    /// For recordings.
    pub ears: BTreeMap<String, Arc<dyn SpeechToText>>,
    /// For texts.
    pub voices: BTreeMap<String, Arc<dyn TextToSpeech>>,
    /// For conversations.
    pub models: BTreeMap<String, Arc<dyn RealtimeModel>>,
}

/// Who answers in a conversation.
#[derive(Clone)]
pub enum Partner {
    /// As configured.
    Usual,
    /// This speech-to-speech model, and the cascade should it fail.
    Native(Arc<dyn RealtimeModel>),
    /// Listening, thinking and speaking, with the model that the session names.
    Cascade,
}

impl Offer {
    /// Offers these.
    pub fn new(choices: Choices) -> Self {
        Self(Arc::new(choices))
    }

    /// The names.
    pub fn names(&self) -> &Names {
        &self.0.names
    }

    /// The ears of this model; `None` for the usual ones.
    pub fn ears(&self, model: &str) -> Option<Arc<dyn SpeechToText>> {
        self.0.ears.get(self.0.names.engine_of(model, Task::Transcription)?).cloned()
    }

    /// The voices of this model; `None` for the usual ones.
    pub fn voices(&self, model: &str) -> Option<Arc<dyn TextToSpeech>> {
        self.0.voices.get(self.0.names.engine_of(model, Task::Speech)?).cloned()
    }

    /// Who answers in a conversation with the model of this name; `None` if nobody here goes by it.
    pub fn partner(&self, model: &str) -> Option<Partner> {
        let names = self.names();
        match (names.find(model, Task::Realtime), names.find(model, Task::Language)) {
            (Some(Meaning::Usual), _) => Some(Partner::Usual),
            (Some(Meaning::Engine(engine)), _) => self.0.models.get(engine).cloned().map(Partner::Native),
            (None, Some(_)) => Some(Partner::Cascade),
            (None, None) => None,
        }
    }

    /// Why a client may not have what these settings choose and `before` did not; `param` begins with `session`.
    ///
    /// # Errors
    /// `model_not_found` with the path of the field.
    pub fn check(&self, before: Option<&Settings>, settings: &Settings) -> Result<(), ClientError> {
        let transcription = |settings: &Settings| settings.input.transcription.as_ref().and_then(|t| t.model.clone());
        if let Some(model) = transcription(settings).filter(|model| !model.is_empty())
            && before.and_then(transcription).as_ref() != Some(&model)
            && self.names().find(&model, Task::Transcription).is_none()
        {
            return Err(error::not_offered("session.audio.input.transcription.model", &model));
        }
        let voice = &settings.output.voice;
        if before.is_none_or(|before| before.output.voice != *voice) {
            self.check_voice("session.audio.output.voice", voice)?;
        }
        Ok(())
    }

    /// As [`check`](Self::check), for what a client asks of a session.
    ///
    /// # Errors
    /// As there, and with the command's event id.
    pub fn allows(&self, before: &Settings, command: &Command) -> Result<(), ClientError> {
        let checked = match &command.request {
            Request::Update(settings) => self.check(Some(before), settings),
            Request::Respond(response) => {
                let voice = response.voice.as_deref().unwrap_or_default();
                self.check_voice("response.audio.output.voice", voice)
            }
            Request::Commit
            | Request::Clear
            | Request::ClearOutput
            | Request::Truncate { .. }
            | Request::Delete(_)
            | Request::Create { .. }
            | Request::Retrieve(_)
            | Request::Cancel(_) => Ok(()),
        };
        checked.map_err(|error| ClientError { event_id: command.event_id.clone(), ..error })
    }

    /// Voices are the engines' own affair, but not whose they are.
    ///
    /// # Errors
    /// `model_not_found` for a voice of a vendor that speaks for nobody here.
    pub fn check_voice(&self, param: &str, voice: &str) -> Result<(), ClientError> {
        match voice.contains('/') && self.names().speaker(voice).is_none() {
            true => Err(error::not_offered(param, voice)),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Offer").field(&self.0.names).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
    use providers::{
        ErrorKind, ProviderError,
        realtime::{Command as Told, EventStream, Opening, RealtimeCapabilities},
    };

    use super::*;

    struct Model;

    impl RealtimeModel for Model {
        fn capabilities(&self) -> RealtimeCapabilities {
            RealtimeCapabilities::default()
        }

        fn converse(
            &self,
            _: Opening,
            _: BoxStream<'static, Told>,
        ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
            async { Err(ProviderError::new("model", ErrorKind::Unavailable, "")) }.boxed()
        }
    }

    #[test]
    fn a_conversation_is_had_with_what_is_configured_or_with_who_is_named() {
        let names = Names::default()
            .with(Task::Realtime, ["openai/gpt-realtime".to_owned()])
            .with(Task::Language, ["anthropic/claude-x".to_owned()]);
        let models: BTreeMap<String, Arc<dyn RealtimeModel>> =
            [("openai/gpt-realtime".to_owned(), Arc::new(Model) as _)].into();
        let offer = Offer::new(Choices { names, models, ..Choices::default() });
        for usual in ["voice-relay", "gpt-realtime", "gpt-realtime-mini"] {
            assert!(matches!(offer.partner(usual), Some(Partner::Usual)), "{usual}");
        }
        assert!(matches!(offer.partner("openai/gpt-realtime"), Some(Partner::Native(_))));
        for cascade in ["anthropic/claude-x", "claude-x"] {
            assert!(matches!(offer.partner(cascade), Some(Partner::Cascade)), "{cascade}");
        }
        for nobody in ["openai/gpt-4o", "whisper-1", ""] {
            assert!(offer.partner(nobody).is_none(), "{nobody}");
        }
    }
}
