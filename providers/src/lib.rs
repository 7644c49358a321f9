//! Speech-to-text, language models and text-to-speech behind one shape: stream in, stream out, drop to cancel.
//!
//! Each kind is a trait, its events and its capabilities ([`stt`], [`llm`], [`tts`], [`turn`]); each vendor a folder with
//! a pure wire file and one file a role. Capabilities are data the session reads; nothing asks a provider's name.

mod account;
pub mod anthropic;
pub mod azure;
pub mod deepseek;
mod dialogue;
pub mod error;
pub mod gemini;
mod generate;
pub mod json;
pub mod layers;
pub mod llm;
pub mod local;
mod net;
pub mod openai;
pub mod scripted;
pub mod secret;
pub mod stt;
pub mod tts;
pub mod turn;

pub use error::{ErrorKind, ProviderError};
pub use json::Json;
pub use llm::LanguageModel;
pub use secret::Secret;
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
pub use turn::TurnDetector;
