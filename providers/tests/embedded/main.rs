//! The embedded engines with their real models, and the voices of the operating system.
//!
//! Models are those in `VOICE_RELAY_MODELS`, else in voice-relay/models of the user's data folder; a test that misses its
//! model says so and passes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod agent;
mod command;
mod hibari;
mod networks;
mod turn;
mod whisper;
