//! The `voice-relay` command.

fn main() {}
