//! The vendors' adapters against local servers that speak their vendors' documented messages, misbehave, or go silent: what is
//! each vendor's own in a module by its name, what all promise in [`contract`] and [`realtime`].

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod anthropic;
mod azure_openai;
mod azure_speech;
mod contract;
mod deepgram;
mod deepseek;
mod elevenlabs;
mod gemini;
mod google;
mod openai;
mod openai_speech;
mod probe;
mod realtime;
mod support;
mod warm;
