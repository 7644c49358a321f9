//! Speech-to-speech models: one behaviour for all, what is each vendor's own, and their layers.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "realtime/bounds.rs"]
mod bounds;
#[path = "realtime/gemini.rs"]
mod gemini;
#[path = "realtime/layers.rs"]
mod layers;
#[path = "realtime/live.rs"]
mod live;
#[path = "realtime/openai.rs"]
mod openai;
#[path = "realtime/server.rs"]
mod server;
#[path = "realtime/suite.rs"]
mod suite;
#[expect(dead_code, reason = "the contract's tests need the rest")]
mod support;
#[path = "realtime/talk.rs"]
mod talk;
