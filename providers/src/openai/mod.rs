//! OpenAI's language models, and those of the many servers that speak its chat completions: Ollama, llama.cpp, vLLM, LM
//! Studio.
//!
//! References: <https://platform.openai.com/docs/api-reference/chat/create> and
//! <https://platform.openai.com/docs/api-reference/chat-streaming>; the Responses API
//! <https://developers.openai.com/docs/guides/streaming-responses>; Ollama's
//! <https://docs.ollama.com/api/openai-compatibility>; llama.cpp's `tools/server/README.md`; vLLM's
//! <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>.

pub(crate) mod chat;
mod config;
mod llm;
mod probe;
pub mod realtime;
pub(crate) mod remote;
mod responses;

pub use config::{Api, Config};
pub use llm::LanguageModel;
pub use probe::{Found, models, nearby};
pub use realtime::RealtimeModel;
