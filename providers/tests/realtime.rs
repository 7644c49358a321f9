//! Speech-to-speech models: their layers.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "realtime/layers.rs"]
mod layers;
#[path = "realtime/talk.rs"]
mod talk;
