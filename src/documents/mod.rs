//! Files: what people hand in is read, what was said is handed out.
//!
//! [`kind`] decides a file's type from its bytes. [`extract`] reads text, metadata and a preview out of it, in a process of
//! its own, since a file may be made to harm whoever opens it. [`export`] writes conversations. None of them knows who owns
//! anything nor where it is kept.

pub mod export;
pub mod extract;
pub mod kind;
mod layout;
