//! The whole relay, a process of its own, while the vendors behind it fail: what is heard, thought and said goes on
//! elsewhere, none of it lost and none of it twice.
//!
//! Stories that need the embedded engines say so and are skipped where the models (`VOICE_RELAY_MODELS`) are missing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod blackout;
mod chaos;
mod client;
mod clinical;
mod hearing;
mod native;
mod relay;
mod rotation;
mod searching;
mod secrets;
mod speaking;
mod storage;
mod thinking;
mod tones;
mod vendors;
mod warmth;
