//! Embedded engines: they run in this process, or as its child, and need no network.

pub mod agent;
