//! Engines that run inside this process, offline: their model files, their threads, and one file or folder an engine.

mod mel;
pub mod models;
pub mod pool;
