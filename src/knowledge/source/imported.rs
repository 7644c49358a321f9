//! What the readers of bibliographies have in common: their bounds, and how they refuse.

use super::{AUTHORS, Source, Wrong};

/// A bibliography that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unread {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong there, in words.
    pub what: String,
}

/// Most bytes of a bibliography.
pub(super) const LONGEST: usize = 4 << 20;
/// Most documents of one.
pub(super) const MOST: usize = 1000;

impl Unread {
    pub(super) fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }

    /// At this byte of the text.
    pub(super) fn at(text: &str, byte: usize, what: impl Into<String>) -> Self {
        let before = text.as_bytes().get(..byte).unwrap_or(text.as_bytes());
        Self::new(1 + before.iter().filter(|byte| **byte == b'\n').count(), what)
    }
}

/// Refuses what is too much to read.
pub(super) fn fits(text: &str) -> Result<(), Unread> {
    let what = || format!("a bibliography must have at most {} MiB", LONGEST >> 20);
    if text.len() > LONGEST { Err(Unread::new(1, what())) } else { Ok(()) }
}

/// Keeps a record that was read. Of its authors as many as a record can have, which are more than any style names; a
/// `source` that says nothing is none.
pub(super) fn add(sources: &mut Vec<Source>, mut source: Source, line: usize) -> Result<(), Unread> {
    source.authors.truncate(AUTHORS);
    let source = source
        .checked()
        .map_err(|Wrong { field, must }| Unread::new(line, format!("the {field} of this record {must}")))?;
    if source.title.is_none() && source.authors.is_empty() && source.doi.is_none() && source.url.is_none() {
        return Ok(());
    }
    if sources.len() == MOST {
        return Err(Unread::new(line, format!("a bibliography must have at most {MOST} records")));
    }
    sources.push(source);
    Ok(())
}
