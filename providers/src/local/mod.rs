//! Embedded engines: they run in this process, or as its child, and need no network.
//! Engines that run inside this process, offline: their model files, their threads, and one file or folder an engine.

mod g2p;
mod graph;
mod spoken;

pub mod agent;
pub mod hibari;
mod spoken;

pub mod pool;
