//! DeepSeek's language models: chat completions with keep-alive comments, and reasoning that is neither spoken nor lost.
//!
//! References: <https://api-docs.deepseek.com/api/create-chat-completion>,
//! <https://api-docs.deepseek.com/guides/thinking_mode> (thinking is on by default; the reasoning that led to a call must
//! come back with it), <https://api-docs.deepseek.com/quick_start/rate_limit> (`: keep-alive` while a request waits) and
//! <https://api-docs.deepseek.com/quick_start/error_codes> (402: the balance is spent).

mod config;
mod llm;

pub use config::Config;
pub use llm::LanguageModel;
