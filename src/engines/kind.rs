//! The layers, as one stack for every kind of provider.

use std::sync::Arc;

use providers::{
    LanguageModel, SpeechToText, TextToSpeech,
    layers::{Fallback, Guarded, Observed, Role, Routed, Timed},
};

use crate::realtime::Task;

/// How each layer around a kind of provider is again one of that kind.
pub(super) struct Kind<T: ?Sized> {
    pub(super) task: Task,
    pub(super) role: Role,
    pub(super) timed: fn(Timed<T>) -> Arc<T>,
    pub(super) guarded: fn(Guarded<T>) -> Arc<T>,
    pub(super) observed: fn(Observed<T>) -> Arc<T>,
    pub(super) fallback: fn(Fallback<T>) -> Arc<T>,
    pub(super) routed: fn(Routed<T>) -> Arc<T>,
}

pub(super) const EARS: Kind<dyn SpeechToText> = Kind {
    task: Task::Transcription,
    role: Role::Stt,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    routed: |layer| Arc::new(layer),
};

pub(super) const MINDS: Kind<dyn LanguageModel> = Kind {
    task: Task::Language,
    role: Role::Llm,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    routed: |layer| Arc::new(layer),
};

pub(super) const MOUTHS: Kind<dyn TextToSpeech> = Kind {
    task: Task::Speech,
    role: Role::Tts,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    routed: |layer| Arc::new(layer),
};
