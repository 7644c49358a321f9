//! OpenAI's language, transcribing, speaking and embedding models, and those of the many servers that speak its wire:
//! Ollama, llama.cpp, vLLM, LM Studio, LocalAI, Speaches, another voice-relay.
//!
//! References, language models: <https://platform.openai.com/docs/api-reference/chat/create> and
//! <https://platform.openai.com/docs/api-reference/chat-streaming>; the Responses API
//! <https://developers.openai.com/docs/guides/streaming-responses>; Ollama's
//! <https://docs.ollama.com/api/openai-compatibility>; llama.cpp's `tools/server/README.md`; vLLM's
//! <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>.
//!
//! Transcription of recordings
//! <https://developers.openai.com/api/reference/resources/audio/subresources/transcriptions/methods/create> with
//! <https://developers.openai.com/api/docs/guides/speech-to-text>, and as one speaks
//! <https://developers.openai.com/api/docs/guides/realtime-transcription>; speech
//! <https://developers.openai.com/api/reference/resources/audio/subresources/speech/methods/create> with
//! <https://developers.openai.com/api/docs/guides/text-to-speech>; embeddings
//! <https://developers.openai.com/api/docs/guides/embeddings>. Fields and events are those of the types in
//! openai-python 3.54.

mod account;
pub(crate) mod chat;
mod config;
mod embed;
pub(crate) mod embedder;
mod live;
mod llm;
mod probe;
pub mod realtime;
mod recorded;
pub(crate) mod remote;
mod responses;
mod stt;
mod tts;
mod voices;
mod wire;

pub use config::{Api, Config, Delay, NoiseReduction, Transcription};
pub use embed::EmbeddingModel;
pub use llm::LanguageModel;
pub use probe::{Found, models, nearby};
pub use realtime::RealtimeModel;
pub use stt::SpeechToText;
pub use tts::TextToSpeech;
