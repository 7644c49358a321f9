//! Speech-to-text, language models, text-to-speech and speech-to-speech behind one shape: stream in, stream out, drop to cancel.
//!
//! Each kind is a trait, its events and its capabilities ([`stt`], [`llm`], [`tts`], [`realtime`], [`embed`],
//! [`turn`]); each vendor a folder with a pure wire file and one file a role. Capabilities are data the session reads; nothing asks a provider's name.
//! The feature `engines` (on by default) holds all that implements the traits.

#[cfg(feature = "engines")]
mod account;
#[cfg(feature = "engines")]
pub mod anthropic;
pub mod aside;
#[cfg(feature = "engines")]
pub mod azure;
#[cfg(feature = "engines")]
pub mod deepgram;
#[cfg(feature = "engines")]
pub mod deepseek;
#[cfg(feature = "engines")]
mod dialogue;
#[cfg(feature = "engines")]
pub mod elevenlabs;
pub mod embed;
pub mod error;
#[cfg(feature = "engines")]
pub mod gemini;
#[cfg(feature = "engines")]
mod generate;
#[cfg(feature = "engines")]
pub mod google;
pub mod json;
#[cfg(feature = "engines")]
pub mod layers;
pub mod llm;
#[cfg(feature = "engines")]
pub mod local;
pub mod marker;
#[cfg(feature = "engines")]
mod net;
#[cfg(feature = "engines")]
pub mod openai;
pub mod passage;
#[cfg(feature = "engines")]
pub mod probe;
pub mod quoted;
pub mod realtime;
#[cfg(feature = "engines")]
pub mod scripted;
pub mod secret;
pub mod sentences;
#[cfg(feature = "engines")]
mod split;
pub mod stt;
pub mod tool;
pub mod tts;
pub mod turn;

pub use aside::Aside;
pub use embed::EmbeddingModel;
pub use error::{ErrorKind, ProviderError};
pub use json::Json;
pub use llm::LanguageModel;
pub use realtime::RealtimeModel;
pub use secret::Secret;
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
pub use turn::TurnDetector;
