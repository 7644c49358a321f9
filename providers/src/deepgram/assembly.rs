//! An utterance pieced together from what a recogniser settles and guesses.
//!
//! Settled text is only ever appended to. A guess is about all that was said since; the next one replaces it, and so
//! does the passage that settles it, even if that is empty: then there was no word after all.

use std::{collections::BTreeMap, time::Duration};

use super::wire::Passage;
use crate::stt::{FinalTranscript, Segment, Transcript, Word};

#[derive(Default, Debug)]
pub(super) struct Assembly {
    stable: String,
    open: Option<Passage>,
    words: Vec<Word>,
    segments: Vec<Segment>,
    /// A passage came without the times of its words, so the times of all would have holes.
    untimed: bool,
    languages: BTreeMap<String, usize>,
    told: (String, String),
}

impl Assembly {
    pub(super) fn guess(&mut self, passage: Passage) {
        self.open = Some(passage).filter(|passage| !passage.text.is_empty());
    }

    pub(super) fn settle(&mut self, passage: Passage) {
        self.open = None;
        if passage.text.is_empty() {
            return;
        }
        append(&mut self.stable, &passage.text);
        self.untimed |= passage.words.is_empty();
        self.words.extend(passage.words);
        for language in passage.languages.into_iter().filter(|language| !language.is_empty()) {
            *self.languages.entry(language).or_default() += 1;
        }
        let Passage { text, start, end, .. } = passage;
        self.segments.push(Segment { text, start, end: end.max(start), avg_logprob: None, no_speech_prob: None });
    }

    /// Whether there is a guess.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What is understood so far, if that changed since it was last told.
    pub(super) fn partial(&mut self) -> Option<Transcript> {
        let tentative = self.open.as_ref().map(|passage| passage.text.clone()).unwrap_or_default();
        let now = (self.stable.clone(), tentative);
        if now == self.told {
            return None;
        }
        self.told.clone_from(&now);
        Some(Transcript::Partial { stable: now.0, tentative: now.1 })
    }

    /// Everything, a guess nobody settled included. `language` is what was asked for.
    pub(super) fn finish(mut self, language: Option<String>, duration: Duration) -> FinalTranscript {
        if let Some(guess) = self.open.take() {
            self.settle(guess);
        }
        let heard = self.languages.into_iter().max_by_key(|(_, words)| *words).map(|(language, _)| language);
        let within = |time: Duration| time.min(duration);
        for word in &mut self.words {
            (word.start, word.end) = (within(word.start), within(word.end));
        }
        for segment in &mut self.segments {
            (segment.start, segment.end) = (within(segment.start), within(segment.end));
        }
        let words = if self.untimed { Vec::new() } else { self.words };
        FinalTranscript { text: self.stable, language: heard.or(language), words, segments: self.segments, duration }
    }
}

/// Words are parted by a blank, but not in scripts that have none.
fn append(text: &mut String, more: &str) {
    let dense = |c: char| matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
    let joined = text.chars().next_back().is_some_and(dense) && more.chars().next().is_some_and(dense);
    if !text.is_empty() && !joined {
        text.push(' ');
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(text: &str, from: u64, to: u64) -> Passage {
        let (start, end) = (Duration::from_millis(from), Duration::from_millis(to));
        let words = text.split_whitespace().map(|word| Word { text: word.to_owned(), start, end }).collect();
        Passage { text: text.to_owned(), start, end, words, languages: Vec::new() }
    }

    fn partial(stable: &str, tentative: &str) -> Option<Transcript> {
        Some(Transcript::Partial { stable: stable.to_owned(), tentative: tentative.to_owned() })
    }

    #[test]
    fn guesses_are_replaced_and_settled_text_only_grows() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.partial(), None);
        assembly.guess(passage("go for", 0, 500));
        assert_eq!(assembly.partial(), partial("", "go for"));
        assembly.guess(passage("go forward", 0, 800));
        assert_eq!(assembly.partial(), partial("", "go forward"));
        assert_eq!(assembly.partial(), None, "told once");
        assembly.settle(passage("Go forward.", 0, 1_000));
        assert_eq!(assembly.partial(), partial("Go forward.", ""));
        assembly.guess(passage("ten", 1_000, 1_200));
        assert!(assembly.is_open());
        assembly.settle(Passage::default());
        assert_eq!(assembly.partial(), None, "no word after all");
        assembly.guess(passage("ten meters", 1_000, 2_000));
        let last = assembly.finish(Some("en".into()), Duration::from_millis(1_900));
        assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward. ten meters", Some("en")));
        assert_eq!((last.words.len(), last.segments.len()), (4, 2));
        assert_eq!(last.segments[1].end, Duration::from_millis(1_900), "nothing ends after the audio");
    }

    #[test]
    fn the_language_is_that_of_most_words() {
        let mut assembly = Assembly::default();
        let languages = |list: &[&str]| list.iter().map(|tag| (*tag).to_owned()).collect();
        assembly.settle(Passage { languages: languages(&["en", "en", "es"]), ..passage("so then vamos", 0, 1) });
        assembly.settle(Passage { languages: languages(&["es", "es"]), ..passage("a casa", 1, 2) });
        assert_eq!(assembly.finish(None, Duration::from_secs(1)).language.as_deref(), Some("es"));
    }

    #[test]
    fn words_without_times_cost_all_times() {
        let mut assembly = Assembly::default();
        assembly.settle(passage("one", 0, 1));
        assembly.settle(Passage { words: Vec::new(), ..passage("two", 1, 2) });
        let last = assembly.finish(None, Duration::from_secs(1));
        assert!(last.words.is_empty() && last.text == "one two");
    }

    #[test]
    fn scripts_without_blanks_get_none() {
        let mut text = "你好。".to_owned();
        append(&mut text, "再见");
        append(&mut text, "ok");
        assert_eq!(text, "你好。再见 ok");
    }

    proptest::proptest! {
        #[test]
        fn stable_text_is_append_only_and_starts_the_final_text(
            steps in proptest::collection::vec((proptest::bool::ANY, "[a-z]{0,3}"), 0..30),
        ) {
            let (mut assembly, mut before) = (Assembly::default(), String::new());
            for (settles, text) in steps {
                if settles { assembly.settle(passage(&text, 0, 1)) } else { assembly.guess(passage(&text, 0, 1)) }
                if let Some(Transcript::Partial { stable, .. }) = assembly.partial() {
                    proptest::prop_assert!(stable.starts_with(&before));
                    before = stable;
                }
            }
            proptest::prop_assert!(assembly.finish(None, Duration::ZERO).text.starts_with(&before));
        }
    }
}
