//! Live voice: from a client's bytes to a decision and back.

pub mod protocol;
pub mod session;
