//! Chat completions as OpenAI defined them and many servers speak them: OpenAI itself, Ollama, llama.cpp, vLLM, LM
//! Studio.
//!
//! References: <https://platform.openai.com/docs/api-reference/chat/create> and
//! <https://platform.openai.com/docs/api-reference/chat-streaming>; Ollama's
//! <https://docs.ollama.com/api/openai-compatibility>; llama.cpp's `tools/server/README.md`; vLLM's
//! <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>.

mod chat;
mod config;
mod decode;
mod encode;
mod hush;
mod probe;

pub use chat::Chat;
pub use config::Config;
pub use probe::{Found, models, nearby};
