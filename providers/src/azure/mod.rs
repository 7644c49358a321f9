//! Azure: OpenAI's language, embedding and speech-to-speech models as deployments of one's own, and the Speech service.
//!
//! References for the models: <https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle> (the v1 path,
//! without a version) and <https://learn.microsoft.com/azure/ai-foundry/openai/reference> (the classic path, with one;
//! `api-key`); for speech, see [`speech`].

mod embed;
pub mod llm;
pub mod realtime;
pub mod speech;

pub use embed::EmbeddingModel;
pub use llm::LanguageModel;
pub use realtime::RealtimeModel;
