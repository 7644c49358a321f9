//! An utterance pieced together from phrases and guesses.
//!
//! Phrases are only ever appended. A guess is about all that was said since the last phrase; the next one replaces it.

use std::{collections::BTreeMap, time::Duration};

use super::wire::listen::Passage;
use crate::stt::{FinalTranscript, Segment, Transcript, Word};

/// The utterance so far.
#[derive(Default, Debug)]
pub(super) struct Phrases {
    stable: String,
    guess: Option<Passage>,
    words: Vec<Word>,
    segments: Vec<Segment>,
    /// A phrase came without the times of its words, so the times of all would have holes.
    untimed: bool,
    /// Languages detected, and how many characters of each.
    languages: BTreeMap<String, usize>,
    told: (String, String),
}

impl Phrases {
    /// A guess, in the time of the utterance.
    pub(super) fn guess(&mut self, passage: Passage) {
        self.guess = Some(passage).filter(|passage| !passage.text.is_empty());
    }

    /// A phrase, in the time of the utterance.
    pub(super) fn settle(&mut self, passage: Passage) {
        self.guess = None;
        let joined = joined(&self.stable, &passage.text);
        self.stable.push_str(&joined);
        self.untimed |= passage.words.is_empty();
        self.words.extend(passage.words);
        if let Some(language) = passage.language {
            *self.languages.entry(language).or_default() += passage.text.chars().count();
        }
        let Passage { text, start, end, .. } = passage;
        self.segments.push(Segment { text, start, end: end.max(start), avg_logprob: None, no_speech_prob: None });
    }

    /// There was no word after all.
    pub(super) fn forget(&mut self) {
        self.guess = None;
    }

    /// What is understood so far, if that changed since it was last told.
    pub(super) fn partial(&mut self) -> Option<Transcript> {
        let guess = self.guess.as_ref().map(|guess| joined(&self.stable, &guess.text)).unwrap_or_default();
        let now = (self.stable.clone(), guess);
        if now == self.told {
            return None;
        }
        self.told.clone_from(&now);
        Some(Transcript::Partial { stable: now.0, tentative: now.1 })
    }

    /// Everything, a guess that no phrase followed included. `language` is what was asked for.
    pub(super) fn finish(mut self, language: Option<String>, duration: Duration) -> FinalTranscript {
        if let Some(guess) = self.guess.take() {
            self.settle(guess);
        }
        let heard = self.languages.into_iter().max_by_key(|(_, length)| *length).map(|(language, _)| language);
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

/// `more` as it follows `text`: behind a blank, unless the script sets none.
fn joined(text: &str, more: &str) -> String {
    let dense = |c: char| matches!(c, '\u{e00}'..='\u{e7f}' | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
    let close = text.chars().next_back().is_none_or(dense) && more.chars().next().is_none_or(dense);
    if close || text.is_empty() { more.to_owned() } else { format!(" {more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(text: &str, from: u64, to: u64) -> Passage {
        let (start, end) = (Duration::from_millis(from), Duration::from_millis(to));
        let words = text.split_whitespace().map(|word| Word { text: word.to_owned(), start, end }).collect();
        Passage { text: text.to_owned(), start, end, words, language: None }
    }

    fn partial(stable: &str, tentative: &str) -> Option<Transcript> {
        Some(Transcript::Partial { stable: stable.to_owned(), tentative: tentative.to_owned() })
    }

    #[test]
    fn guesses_are_replaced_and_phrases_stay() {
        let mut phrases = Phrases::default();
        assert_eq!(phrases.partial(), None);
        phrases.guess(passage("go for", 0, 500));
        assert_eq!(phrases.partial(), partial("", "go for"));
        assert_eq!(phrases.partial(), None, "told once");
        phrases.settle(passage("Go forward.", 0, 1_000));
        assert_eq!(phrases.partial(), partial("Go forward.", ""));
        phrases.guess(passage("ten", 1_000, 1_200));
        assert_eq!(phrases.partial(), partial("Go forward.", " ten"));
        phrases.forget();
        assert_eq!(phrases.partial(), partial("Go forward.", ""));
        phrases.guess(passage("ten meters", 1_000, 2_000));
        let last = phrases.finish(Some("en".into()), Duration::from_millis(1_900));
        assert_eq!((last.text.as_str(), last.language.as_deref()), ("Go forward. ten meters", Some("en")));
        assert_eq!((last.words.len(), last.segments.len()), (4, 2));
        assert_eq!(last.segments[1].end, Duration::from_millis(1_900), "nothing ends after the audio");
    }

    #[test]
    fn the_language_is_that_of_most_text() {
        let mut phrases = Phrases::default();
        for (text, language) in [("No.", "en"), ("Vamos a casa ahora.", "es"), ("Ok, ok.", "en")] {
            phrases.settle(Passage { language: Some(language.into()), ..passage(text, 0, 1) });
        }
        assert_eq!(phrases.finish(Some("de".into()), Duration::from_secs(1)).language.as_deref(), Some("es"));
    }

    #[test]
    fn words_without_times_cost_all_times() {
        let mut phrases = Phrases::default();
        phrases.settle(passage("One.", 0, 1));
        phrases.settle(Passage { words: Vec::new(), ..passage("Two.", 1, 2) });
        let last = phrases.finish(None, Duration::from_secs(1));
        assert!(last.words.is_empty() && last.text == "One. Two.");
    }

    #[test]
    fn scripts_without_blanks_get_none() {
        assert_eq!(joined("你好。", "再见"), "再见");
        assert_eq!(
            (joined("", "a"), joined("a.", "b"), joined("你好。", "ok")),
            ("a".into(), " b".into(), " ok".into())
        );
    }
}
