//! Engines that run inside this process, offline: their model files, their threads, and one file or folder an engine.

pub mod pool;
