//! Live voice: from a client's bytes to a decision and back.

pub mod protocol;
pub mod session;
mod workers;

pub use engine::{Config, Engine, Providers};
