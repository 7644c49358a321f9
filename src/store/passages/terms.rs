//! The words of a question, and which of them tell passages apart.

use std::collections::BTreeSet;

/// Words of which a passage should have some, the more and the rarer the better. None is an operator of any engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms(Vec<String>);

impl Terms {
    /// The words of a question: its letters and digits, without those that every question has. `None` if there are none.
    pub fn of(question: &str) -> Option<Self> {
        let words =
            question.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
        let all: Vec<String> = words.filter(|word| word.chars().count() <= LONGEST).collect();
        let telling: Vec<&String> = all.iter().filter(|word| !COMMON.contains(&word.as_str())).collect();
        // A question of nothing else is looked for as it is.
        let asked = if telling.is_empty() { all.iter().collect() } else { telling };
        let mut seen = BTreeSet::new();
        let terms: Vec<String> = asked.into_iter().filter(|word| seen.insert(*word)).take(MOST).cloned().collect();
        (!terms.is_empty()).then_some(Self(terms))
    }

    /// The words, each once.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// A word of a question and how much it tells: the more, the fewer passages have it.
#[derive(Clone, PartialEq, Debug)]
pub struct Weighed {
    /// The word, in lower case.
    pub word: String,
    /// Its inverse frequency, 0 for a word that says nothing.
    pub weight: f64,
}

/// A word and in how many passages it is, counted up to some bound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Counted {
    pub(super) word: String,
    pub(super) passages: i64,
}

impl Counted {
    /// What the word weighs among so many passages.
    pub(super) fn weighed(&self, all: i64) -> Weighed {
        let weight = (all as f64 / (self.passages as f64 + 0.5)).ln_1p();
        Weighed { word: self.word.clone(), weight }
    }
}

/// The words to look for: the rarest first, as many as are in no more than `most` passages together, and one at least.
/// What is in most passages tells little of any, and reading them all would take long.
pub(super) fn rarest(mut counted: Vec<Counted>, most: i64) -> Vec<Counted> {
    counted.retain(|word| word.passages > 0);
    counted.sort_by_key(|word| word.passages);
    let mut passages = 0;
    let fits = |word: &&Counted| {
        let first = passages == 0;
        passages += word.passages;
        first || passages <= most
    };
    let kept = counted.iter().take_while(fits).count();
    counted.truncate(kept);
    counted
}

/// Words of a question at most: those of a long paragraph.
const MOST: usize = 32;

/// Characters of a word at most: longer ones stand in no index.
const LONGEST: usize = 64;

/// English words that say how something is asked, not what about.
const COMMON: [&str; 76] = [
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did",
    "do", "does", "during", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its",
    "many", "me", "much", "my", "no", "not", "of", "on", "one", "or", "our", "s", "should", "so", "some", "t", "tell",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "up", "was", "we", "were",
    "what", "when", "where", "which", "who", "whose", "why", "will", "with", "would", "you",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_question_is_an_operator_and_common_words_do_not_count() {
        let terms = Terms::of("What is the (dose) of \"Warfarin* OR NEAR/2 -dose: X';").unwrap();
        assert_eq!(terms.words(), ["dose", "warfarin", "near", "2", "x"]);
        assert_eq!(Terms::of("To be, or not to be?").unwrap().words(), ["to", "be", "or", "not"]);
        assert_eq!(Terms::of(" \"*' & | "), None);
        assert_eq!(Terms::of(&"x".repeat(LONGEST + 1)), None);
        let many: String = (0..100).map(|n| format!("w{n} ")).collect();
        assert_eq!(Terms::of(&many).unwrap().words().len(), MOST);
    }

    #[test]
    fn common_words_are_looked_for_only_where_there_are_no_others() {
        let counted = |words: &[(&str, i64)]| {
            words.iter().map(|(word, passages)| Counted { word: (*word).into(), passages: *passages }).collect()
        };
        let kept = |words: &[(&str, i64)]| {
            rarest(counted(words), 100).into_iter().map(|counted| counted.word).collect::<Vec<_>>()
        };
        assert_eq!(kept(&[("patient", 90), ("digoxin", 3), ("nowhere", 0), ("dose", 40)]), ["digoxin", "dose"]);
        assert_eq!(kept(&[("patient", 101)]), ["patient"]);
        assert_eq!(kept(&[]), [""; 0]);
    }
}
