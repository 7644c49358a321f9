//! The layers around scripted providers, on a virtual clock: who takes over, what is kept, who is timed out, what is told.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod embedding;
mod fallback;
mod guards;
mod metered;
mod retry;
