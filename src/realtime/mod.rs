//! Live voice: from a client's bytes to a decision and back.

pub mod admission;
mod egress;
mod engine;
pub mod history;
pub mod ledger;
mod ingest;
pub mod session;
mod workers;

pub use engine::{Config, Engine, Providers};
