//! Where one model's words end and another's go on: what the second repeats is cut off.
//!
//! Compared are words, without case and punctuation. Nothing is let through until it is sure that it is no repetition:
//! that takes a word where nothing is repeated.

use std::ops::Range;

/// Longest repeated beginning that is looked for, in words. A model that repeats more has begun anew.
const LONGEST: usize = 200;

/// What was said, and how far its continuation has come.
#[derive(Debug)]
pub(super) struct Seam {
    said: String,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The beginning is held until it is known how much of it was said before.
    Holding(String),
    /// The blank that comes next was said already.
    Skipping,
    /// All is let through.
    Open,
}

impl Seam {
    /// After `said` something is to come.
    pub(super) const fn after(said: String) -> Self {
        Self { said, stage: Stage::Holding(String::new()) }
    }

    /// What may be let through of all that has come, of which `text` is the latest.
    pub(super) fn join(&mut self, text: String) -> String {
        let head = match &mut self.stage {
            Stage::Open => return text,
            Stage::Skipping => return self.skip(&text),
            Stage::Holding(head) => head,
        };
        head.push_str(&text);
        let mut words = words(head);
        // The last word may still grow.
        if words.last().is_some_and(|word| word.end == head.len()) {
            words.pop();
        }
        let undecided = words.is_empty() || repeats_the_midst(head, &words, &self.said);
        if undecided { String::new() } else { self.close() }
    }

    /// What was held, without what it repeats: no more will come.
    pub(super) fn close(&mut self) -> String {
        let Stage::Holding(head) = std::mem::replace(&mut self.stage, Stage::Open) else { return String::new() };
        let (repeated, rest) = head.split_at(repeated(&head, &self.said));
        let before = self.said.chars().next_back();
        if before.is_none_or(char::is_whitespace) {
            return self.skip(rest);
        }
        // Models seldom begin an answer with a blank, and seldom break off within a word.
        let within_word = repeated.ends_with(char::is_alphanumeric);
        let begins_a_word = rest.starts_with(|c: char| c.is_alphanumeric() && is_spaced(c));
        if !within_word && begins_a_word && before.is_some_and(is_spaced) {
            return format!(" {rest}");
        }
        rest.to_owned()
    }

    fn skip(&mut self, text: &str) -> String {
        let visible = text.trim_start();
        self.stage = if visible.is_empty() { Stage::Skipping } else { Stage::Open };
        visible.to_owned()
    }
}

/// Whether these words of the head were said, and more after them: then the head may go on to repeat that too.
fn repeats_the_midst(head: &str, words: &[Range<usize>], said: &str) -> bool {
    let tail = tail(said);
    let places = tail.windows(words.len()).take(tail.len().saturating_sub(words.len()));
    let mut matches =
        places.map(|place| words.iter().zip(place).all(|(new, old)| same(&head[new.clone()], &said[old.clone()])));
    matches.any(|yes| yes)
}

/// How many bytes of the head were said before: its longest beginning that ends what was said, and the punctuation that
/// was said with it.
fn repeated(head: &str, said: &str) -> usize {
    let (words, tail) = (words(head), tail(said));
    for count in (1..=tail.len().min(words.len())).rev() {
        let mut pairs = words.iter().zip(&tail[tail.len() - count..]);
        let Some((new, old)) = pairs.next_back() else { continue };
        if !pairs.all(|(new, old)| same(&head[new.clone()], &said[old.clone()])) {
            continue;
        }
        if same(&head[new.clone()], &said[old.clone()]) {
            return new.end + repeated_mark(&head[new.end..], &said[old.end..]);
        }
        // Broken off within its last word, which the words before it make known.
        let begun = head[new.clone()].get(..old.len()).is_some_and(|start| same(start, &said[old.clone()]));
        if count > 1 && begun && old.end == said.len() {
            return new.start + old.len();
        }
    }
    0
}

/// How many bytes after the last repeated word are its punctuation, said before too.
fn repeated_mark(head: &str, said: &str) -> usize {
    let (mark, rest) = (said.trim(), head.trim_start());
    if !mark.is_empty() && rest.starts_with(mark) { head.len() - rest.len() + mark.len() } else { 0 }
}

/// The last words.
fn tail(said: &str) -> Vec<Range<usize>> {
    let mut words = words(said);
    words.split_off(words.len().saturating_sub(LONGEST))
}

/// Where the words are, in bytes.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_alphanumeric() || matches!(c, '\'' | '’')) {
        match words.last_mut().filter(|word| word.end == at) {
            Some(word) => word.end = at + c.len_utf8(),
            None => words.push(at..at + c.len_utf8()),
        }
    }
    words
}

fn same(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// Whether its script puts blanks between words: not those of East Asia, which begin here.
const fn is_spaced(c: char) -> bool {
    (c as u32) < 0x2E80
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is let through when the head comes in pieces of `size` characters.
    fn joined(said: &str, head: &str, size: usize) -> String {
        let mut seam = Seam::after(said.to_owned());
        let pieces: Vec<char> = head.chars().collect();
        let mut all: String = pieces.chunks(size).map(|piece| seam.join(piece.iter().collect())).collect();
        all.push_str(&seam.close());
        all
    }

    #[track_caller]
    fn reads(said: &str, head: &str, whole: &str) {
        for size in [1, 3, 7, 100] {
            assert_eq!(format!("{said}{}", joined(said, head, size)), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn a_continuation_that_repeats_nothing_is_joined_with_one_blank() {
        reads("The sun is", "far away.", "The sun is far away.");
        reads("The sun is ", " far away.", "The sun is far away.");
        reads("The sun is", ", they say, far.", "The sun is, they say, far.");
        reads("It is warm.", "And far.", "It is warm. And far.");
        reads("太陽は", "遠い。", "太陽は遠い。");
    }

    #[test]
    fn what_is_repeated_is_cut_off() {
        reads("The sun is far away, and", "and it is warm.", "The sun is far away, and it is warm.");
        reads("The sun is far away, ", "far away, and warm.", "The sun is far away, and warm.");
        reads("The sun is far", "The sun is far away.", "The sun is far away.");
        reads("The sun is far", "... the SUN is far, too.", "The sun is far, too.");
        reads("It is so, so far", "so far away.", "It is so, so far away.");
        reads("One. Two. Three.", "Three.", "One. Two. Three.");
    }

    #[test]
    fn words_said_earlier_are_no_repetition() {
        reads(
            "The sun is far. The moon is near,",
            "and the sun is warm.",
            "The sun is far. The moon is near, and the sun is warm.",
        );
        reads("The sun is far and", "the sun is warm.", "The sun is far and the sun is warm.");
        reads("The sun is far and", "the sun", "The sun is far and the sun");
    }

    #[test]
    fn a_word_that_was_broken_off_is_completed() {
        reads("I like straw", "I like strawberries.", "I like strawberries.");
        reads("I like straw", "like strawberries.", "I like strawberries.");
    }

    #[test]
    fn one_word_is_all_that_is_waited_for() {
        let mut seam = Seam::after("The sun is".to_owned());
        assert_eq!((seam.join("far".into()), seam.join(" away".into())), (String::new(), " far away".to_owned()));
        assert_eq!(seam.join(", is".into()), ", is");
    }
}
