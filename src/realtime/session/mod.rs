//! The pure centre: decides what happens in a conversation, and waits for nothing.
//!
//! [`Session::handle`] takes one [`Input`] with its time and appends [`Output`]s; [`Session::next_wake`] says when to call
//! again if nothing else happens first. There is no clock, no randomness, no socket and no serialisation in here, so a
//! session is a list of inputs and can be replayed. ARCHITECTURE.md names the invariants.

pub mod ids;
pub mod input;
pub mod item;
pub mod output;
pub mod settings;

pub use input::Input;
pub use output::Output;
