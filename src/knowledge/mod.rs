//! The knowledge base: documents and what they are ([`source`], read in them by [`frontmatter`]), cut into passages
//! ([`chunk`]), what fits a question found among them ([`Library`]), and what is cited written as a reference ([`style`]).
//!
//! [`source`] knows nothing of ours, so that rows may hold it.

pub mod chunk;
pub mod cite;
mod config;
pub mod frontmatter;
mod fusion;
mod library;
mod markdown;
mod share;
pub mod source;
pub mod style;

pub use config::Config;
pub use library::{Found, LONGEST, Library, Model, Passage, Question};
pub use source::Source;
