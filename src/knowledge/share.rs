//! How much of a question's words a passage has.

use super::Source;
use crate::store::passages::{Passage, Weighed};

/// The share of what the question's words weigh that the passage has, 0 to 1: in its text, its heading or the title of its
/// document.
pub(super) fn share(words: &[Weighed], passage: &Passage, source: &Source) -> f32 {
    let texts = [source.title.as_deref(), passage.heading.as_deref(), Some(&passage.text)];
    let had: Vec<String> = texts
        .into_iter()
        .flatten()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let has = |word: &Weighed| had.iter().any(|had| is_form(&word.word, had));
    let weight = |all: bool| words.iter().filter(|word| all || has(word)).map(|word| word.weight).sum::<f64>();
    let whole = weight(true);
    if whole > 0.0 { (weight(false) / whole) as f32 } else { 0.0 }
}

/// Whether two words are forms of one, about: they begin alike and differ by an ending.
fn is_form(one: &str, other: &str) -> bool {
    let lengths = one.len().abs_diff(other.len());
    let short = one.len().min(other.len()) < SHORTEST_STEM;
    one == other
        || !short && lengths <= LONGEST_ENDING && (other.starts_with(stem(one)) || one.starts_with(stem(other)))
}

/// A word without the ending of its plural or its tense, about.
fn stem(word: &str) -> &str {
    let stem = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending));
    stem.filter(|stem| stem.len() >= SHORTEST_STEM).unwrap_or(word)
}

const ENDINGS: [&str; 7] = ["ies", "ing", "es", "ed", "s", "e", "y"];
/// In bytes.
const LONGEST_ENDING: usize = 3;
const SHORTEST_STEM: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_one() {
        for (one, other) in
            [("dose", "doses"), ("dosing", "dose"), ("baby", "babies"), ("reduced", "reduce"), ("inr", "inr")]
        {
            assert!(is_form(one, other) && is_form(other, one), "{one} {other}");
        }
        for (one, other) in [("in", "infection"), ("use", "us"), ("stroke", "strong"), ("ass", "as")] {
            assert!(!is_form(one, other), "{one} {other}");
        }
    }
}
