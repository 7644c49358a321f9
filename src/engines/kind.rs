//! The layers, as one stack for every kind of provider.

use std::sync::Arc;

use providers::{
    LanguageModel, RealtimeModel, SpeechToText, TextToSpeech,
    layers::{Fallback, Guarded, Observed, Retry, Role, Swapped, Timed, Told},
};

use crate::{realtime::Task, roster::Abilities};

/// How each layer around a kind of provider is again one of that kind.
pub(super) struct Kind<T: ?Sized> {
    pub(super) task: Task,
    pub(super) role: Role,
    pub(super) timed: fn(Timed<T>) -> Arc<T>,
    pub(super) guarded: fn(Guarded<T>) -> Arc<T>,
    pub(super) observed: fn(Observed<T>) -> Arc<T>,
    pub(super) fallback: fn(Fallback<T>) -> Arc<T>,
    /// Speech-to-speech is not retried: the next of the chain, or the cascade, is at hand.
    pub(super) retried: Option<fn(Retry<T>) -> Arc<T>>,
    pub(super) swapped: fn(Arc<Swapped<T>>) -> Arc<T>,
    /// Those who listen or only speak are told nothing beside their work.
    pub(super) told: Option<fn(Told<T>) -> Arc<T>>,
    pub(super) abilities: fn(&T) -> Abilities,
}

pub(super) const EARS: Kind<dyn SpeechToText> = Kind {
    task: Task::Transcription,
    role: Role::Stt,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    retried: Some(|layer| Arc::new(layer)),
    swapped: |layer| layer,
    told: None,
    abilities: |engine| Abilities::Stt(engine.capabilities()),
};

pub(super) const MINDS: Kind<dyn LanguageModel> = Kind {
    task: Task::Language,
    role: Role::Llm,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    retried: Some(|layer| Arc::new(layer)),
    swapped: |layer| layer,
    told: Some(|layer| Arc::new(layer)),
    abilities: |engine| Abilities::Llm(engine.capabilities()),
};

pub(super) const MOUTHS: Kind<dyn TextToSpeech> = Kind {
    task: Task::Speech,
    role: Role::Tts,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    retried: Some(|layer| Arc::new(layer)),
    swapped: |layer| layer,
    told: None,
    abilities: |engine| Abilities::Tts(engine.capabilities()),
};

pub(super) const MODELS: Kind<dyn RealtimeModel> = Kind {
    task: Task::Realtime,
    role: Role::Realtime,
    timed: |layer| Arc::new(layer),
    guarded: |layer| Arc::new(layer),
    observed: |layer| Arc::new(layer),
    fallback: |layer| Arc::new(layer),
    retried: None,
    swapped: |layer| layer,
    told: Some(|layer| Arc::new(layer)),
    abilities: |engine| Abilities::Realtime(engine.capabilities()),
};
