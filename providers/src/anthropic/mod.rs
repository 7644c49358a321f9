//! Anthropic's language models: the Messages API, streamed.
//!
//! References: <https://platform.claude.com/docs/build-with-claude/streaming> (events),
//! <https://platform.claude.com/docs/en/api/messages> (requests), <https://platform.claude.com/docs/en/api/errors> (errors)
//! and <https://platform.claude.com/docs/es/about-claude/models/migration-guide> (no words put into the model's mouth).

mod config;
mod llm;
mod wire;

pub use config::Config;
pub use llm::LanguageModel;
