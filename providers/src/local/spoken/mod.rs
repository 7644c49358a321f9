//! Text as it is said: every figure, unit, symbol and shortening as words, markup dropped.
//!
//! One pass over the text, left to right, in linear time. At the start of each word the rules of [`rules`] get the first
//! chance, in their order; what no rule wants is taken character by character. Every spoken word knows which bytes of the
//! text it voices. American English. Emoji, and scripts the voice has no sounds for, are left out.

mod address;
mod clock;
mod figures;
mod line;
mod measure;
mod money;
mod numerals;
mod rules;
mod scan;
mod shortening;
mod symbol;

#[cfg(test)]
mod tests;

use std::ops::Range;

/// A word of the text, as it is said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Word {
    /// One or more words in letters, with the punctuation around them: `nine thirty AM,`.
    pub(crate) spoken: String,
    /// The bytes of the text this voices, punctuation included, white space excluded.
    pub(crate) source: Range<usize>,
}

/// Puts a text into its spoken form. Empty when nothing in it can be said.
pub(crate) fn words(text: &str) -> Vec<Word> {
    scan::Scan::new(text).words()
}
