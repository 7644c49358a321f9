//! What a response goes by: one snapshot of the settings and the request's overrides.

use std::sync::Arc;

use providers::{
    Json,
    llm::{Tool, ToolChoice},
    realtime::Manner,
    tts::Voice,
};

use super::{
    input::ResponseRequest,
    settings::{Format, Modality, Settings},
};

/// The settings of one response; they do not change under it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) settings: Arc<Settings>,
    pub(super) request: Box<ResponseRequest>,
    /// What the person was last understood to speak.
    pub(super) language: Option<String>,
}

impl Plan {
    pub(super) fn modality(&self) -> Modality {
        self.request.modality.unwrap_or(self.settings.modality)
    }

    pub(super) fn format(&self) -> Format {
        self.request.format.unwrap_or(self.settings.output.format)
    }

    pub(super) fn voice_name(&self) -> &str {
        self.request.voice.as_deref().unwrap_or(&self.settings.output.voice)
    }

    pub(super) fn voice(&self) -> Voice {
        let fixed = self.settings.input.transcription.as_ref().and_then(|transcription| transcription.language.clone());
        let language = fixed.or_else(|| self.language.clone());
        Voice { name: self.voice_name().to_owned(), language, speed: self.settings.output.speed }
    }

    pub(super) fn instructions(&self) -> &str {
        self.request.instructions.as_deref().unwrap_or(&self.settings.instructions)
    }

    pub(super) fn tools(&self) -> &[Tool] {
        self.request.tools.as_deref().unwrap_or(&self.settings.tools)
    }

    pub(super) fn tool_choice(&self) -> &ToolChoice {
        self.request.tool_choice.as_ref().unwrap_or(&self.settings.tool_choice)
    }

    pub(super) fn max_output_tokens(&self) -> Option<u32> {
        self.request.max_output_tokens.unwrap_or(self.settings.max_output_tokens)
    }

    pub(super) fn temperature(&self) -> Option<f32> {
        self.request.temperature.or(self.settings.temperature)
    }

    /// As a speech-to-speech model is told it.
    pub(super) fn manner(&self) -> Manner {
        Manner {
            instructions: self.instructions().to_owned(),
            aside: None,
            tools: self.tools().to_vec(),
            tool_choice: self.tool_choice().clone(),
            voice: (self.modality() == Modality::Audio).then(|| self.voice()),
            max_output_tokens: self.max_output_tokens(),
        }
    }

    pub(super) fn metadata(&self) -> Option<&Json> {
        self.request.metadata.as_ref()
    }
}
