//! Cuts a stream of text into clauses worth speaking: the first early, so that sound starts soon; later ones longer, so
//! that they sound well.

use std::ops::Range;

use providers::{sentences::is_abbreviation, tts::Clause};

use super::markers;

/// The first clause may end at any punctuation once it has this many characters: two or three words.
const FIRST_LEAST: usize = 8;

/// … and at a space once it has this many: a second or two of speech, which covers the making of the next clause.
const FIRST_SOFT: usize = 48;

/// Later clauses end with a sentence once they have this many characters; shorter sentences are spoken together.
const LATER_LEAST: usize = 24;

/// … at a comma or its like once they have this many.
const LATER_SOFT: usize = 160;

/// No clause is longer than this many characters.
const HARD: usize = 280;

/// The cutter of one reply.
#[derive(Clone, Debug, Default)]
pub(super) struct Sentences {
    /// Text that is not yet part of a clause.
    buffer: String,
    /// Bytes of the part's text before the buffer.
    before: usize,
    /// The next clause.
    next: u32,
}

/// A clause and the bytes of the part's text it stands for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cut {
    /// What to say, without surrounding space.
    pub(super) clause: Clause,
    /// Its bytes in the part, space included.
    pub(super) range: Range<usize>,
    /// Where in the part the clause's own text starts.
    pub(super) text: usize,
}

impl Sentences {
    /// Adds text.
    pub(super) fn push(&mut self, text: &str) {
        self.buffer.push_str(text);
    }

    /// The next clause that can be spoken, if any.
    pub(super) fn next(&mut self) -> Option<Cut> {
        loop {
            let end = self.boundary()?;
            if let Some(cut) = self.take(end) {
                return Some(cut);
            }
        }
    }

    /// The part's text is over: what is left, and the length of the part's text.
    pub(super) fn flush(&mut self) -> (Option<Cut>, usize) {
        let cut = self.take(self.buffer.len());
        let length = self.before + self.buffer.len();
        self.buffer.clear();
        self.before = 0;
        (cut, length)
    }

    /// Cuts the buffer at `end`, unless there is nothing to say before it: then the text waits for the next clause.
    fn take(&mut self, end: usize) -> Option<Cut> {
        let text = markers::unspoken(&self.buffer[..end]);
        if !text.chars().any(char::is_alphanumeric) {
            return None;
        }
        let inner = self.before + (text.len() - text.trim_start().len());
        let clause = Clause { id: self.next, text: text.trim().to_owned() };
        let range = self.before..self.before + end;
        self.next += 1;
        self.before += end;
        self.buffer.drain(..end);
        Some(Cut { clause, range, text: inner })
    }

    /// Where the buffer can be cut, if it can: a byte after punctuation or space.
    fn boundary(&self) -> Option<usize> {
        let (least, soft) = if self.next == 0 { (FIRST_LEAST, FIRST_SOFT) } else { (LATER_LEAST, LATER_SOFT) };
        let mut spaced = None;
        let mut spoken = false;
        let text = markers::blanked(&self.buffer);
        for (count, (at, c)) in text.char_indices().enumerate() {
            let end = at + c.len_utf8();
            spoken |= c.is_alphanumeric();
            if !spoken {
                if count >= HARD {
                    return None;
                }
                continue;
            }
            let after = self.buffer[end..].chars().next();
            let clause_end = self.next == 0 || count >= soft;
            if count + 1 >= least && (self.ends_sentence(at, c, after) || (clause_end && ends_clause(c, after))) {
                return Some(end);
            }
            if c.is_whitespace() {
                spaced = Some(end);
                if self.next == 0 && count >= soft {
                    return Some(end);
                }
            }
            if count + 1 >= HARD {
                return Some(spaced.unwrap_or(end));
            }
        }
        None
    }

    /// Whether the character at `at` ends a sentence. What follows it must be known: "3." may go on as "3.14".
    fn ends_sentence(&self, at: usize, c: char, after: Option<char>) -> bool {
        match c {
            '\n' | '。' | '！' | '？' => true,
            '!' | '?' | '…' => after.is_some_and(char::is_whitespace),
            '.' => after.is_some_and(char::is_whitespace) && !is_abbreviation(&self.buffer[..at]),
            '"' | '”' | ')' => after.is_some_and(char::is_whitespace) && self.buffer[..at].ends_with(['.', '!', '?']),
            _ => false,
        }
    }
}

/// Whether a character ends a clause within a sentence.
fn ends_clause(c: char, after: Option<char>) -> bool {
    match c {
        ',' | ';' | ':' | '—' | '–' => after.is_some_and(char::is_whitespace),
        '、' | '，' | '；' | '：' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clauses(pieces: &[&str]) -> Vec<String> {
        let mut sentences = Sentences::default();
        let mut cuts = Vec::new();
        for piece in pieces {
            sentences.push(piece);
            cuts.extend(std::iter::from_fn(|| sentences.next()));
        }
        cuts.extend(sentences.flush().0);
        cuts.into_iter().map(|cut| cut.clause.text).collect()
    }

    #[test]
    fn the_first_clause_leaves_at_the_first_comma() {
        let mut sentences = Sentences::default();
        sentences.push("Well, of course, ");
        assert_eq!(sentences.next().map(|cut| cut.clause.text), Some("Well, of course,".into()));
        sentences.push("it is raining, and it will, as far as I know, go on. But");
        assert_eq!(
            sentences.next().map(|cut| cut.clause.text),
            Some("it is raining, and it will, as far as I know, go on.".into())
        );
        assert_eq!(sentences.next(), None);
    }

    #[test]
    fn abbreviations_decimals_and_addresses_are_not_cut() {
        assert_eq!(
            clauses(&["Dr. Smith paid 3.14 dollars to www.example.com. He then met Mr. J. S. Bach at 5 p.m. in town."]),
            ["Dr. Smith paid 3.14 dollars to www.example.com.", "He then met Mr. J. S. Bach at 5 p.m. in town."]
        );
    }

    #[test]
    fn a_long_first_clause_leaves_at_a_space_and_an_endless_word_at_the_hard_limit() {
        let long = "word ".repeat(100);
        let cut = clauses(&[&long]);
        assert!(cut[0].chars().count() <= FIRST_SOFT + 5, "{cut:?}");
        assert!(cut.iter().all(|clause| clause.chars().count() <= HARD));
        assert_eq!(clauses(&[&"x".repeat(700)]).iter().map(String::len).collect::<Vec<_>>(), [280, 280, 140]);
    }

    #[test]
    fn text_with_nothing_to_say_makes_no_clause() {
        assert_eq!(clauses(&["  \n\n", "*** ", "\n"]), Vec::<String>::new());
        assert_eq!(clauses(&["  \n\n", "*** Yes."]), ["*** Yes."]);
    }

    proptest! {
        #[test]
        fn clauses_cover_the_text_in_order_however_it_streams(pieces in prop::collection::vec("[a-zA-Z0-9 .,!?\n。é\"]{0,40}", 0..30)) {
            let whole: String = pieces.concat();
            let mut sentences = Sentences::default();
            let mut cuts = Vec::new();
            for piece in &pieces {
                sentences.push(piece);
                cuts.extend(std::iter::from_fn(|| sentences.next()));
            }
            let (last, length) = sentences.flush();
            cuts.extend(last);
            prop_assert_eq!(length, whole.len());
            let mut end = 0;
            for (id, cut) in cuts.iter().enumerate() {
                prop_assert_eq!(cut.clause.id as usize, id);
                prop_assert_eq!(cut.range.start, end);
                prop_assert!(whole[cut.text..].starts_with(&cut.clause.text));
                prop_assert!(cut.clause.text.chars().count() <= HARD);
                end = cut.range.end;
            }
            prop_assert!(!whole[end..].chars().any(char::is_alphanumeric));
        }
    }
}
