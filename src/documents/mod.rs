//! Files that people hand in: what they are, and what can be read in them.
//!
//! [`kind`] decides a file's type from its bytes. [`extract`] reads text, metadata and a preview out of it, in a process of
//! its own, since a file may be made to harm whoever opens it. Knows neither who owns a file nor where it is kept.

pub mod extract;
pub mod kind;
mod layout;
