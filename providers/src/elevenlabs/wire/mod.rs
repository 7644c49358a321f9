//! ElevenLabs' messages, pure.

pub(super) mod fault;
pub(super) mod languages;
pub(super) mod scribe;
pub(super) mod speech;
pub(super) mod transcript;
pub(super) mod words;
