//! Live voice: from a client's bytes to a decision and back.

pub mod admission;
mod egress;
mod engine;
pub mod history;
mod ingest;
pub mod ledger;
pub mod protocol;
pub mod session;
mod workers;

pub use engine::{Config, Engine, Providers};
