//! Live voice: from a client's bytes to a decision and back.

pub mod admission;
mod engine;
pub mod history;
pub mod ledger;
pub mod protocol;
pub mod session;

pub use engine::{Config, Engine, Providers};
