//! Speech and embeddings: messages and events, without a socket.

pub(super) mod dictation;
pub(super) mod embedding;
pub(super) mod language;
pub(super) mod recording;
pub(super) mod sound;
pub(super) mod utterance;

pub(super) use language::spoken;

/// What a model takes beside the sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hints {
    /// Several languages at once, as a list.
    pub(super) languages: bool,
    /// A text about what may be said.
    pub(super) prompt: bool,
}

impl Hints {
    /// What the model of this name takes.
    pub(super) fn of(model: &str) -> Self {
        let languages = model.starts_with("gpt-transcribe") || model.starts_with("gpt-live-transcribe");
        let prompt = !model.starts_with("gpt-realtime-whisper") && !model.contains("-diarize");
        Self { languages, prompt }
    }
}
