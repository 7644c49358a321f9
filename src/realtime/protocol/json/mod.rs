//! JSON as this protocol needs it: reading that can name the offending path, writing that allocates nothing.

mod read;
mod scan;
mod write;

pub(crate) use read::{Change, Field, Fields};
pub(crate) use write::{Object, push_text};
