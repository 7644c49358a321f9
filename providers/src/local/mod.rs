//! Embedded engines: they run in this process, or as its child, and need no network.

mod g2p;
mod graph;
mod spoken;

pub mod agent;
pub mod hibari;
pub mod pool;
