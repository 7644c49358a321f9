//! Google's Gemini models by an AI Studio key: `streamGenerateContent`, and the Live API.
//!
//! References: <https://ai.google.dev/api/generate-content> (requests, answers, finish reasons),
//! <https://ai.google.dev/gemini-api/docs/function-calling> and
//! <https://ai.google.dev/gemini-api/docs/thought-signatures> (what must come back with a call, and what stands in for it
//! where it is not known).

mod config;
pub mod live;
mod llm;
mod wire;

pub use config::Config;
pub use live::RealtimeModel;
pub use llm::LanguageModel;
