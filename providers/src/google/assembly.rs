//! An utterance pieced together from what a recogniser settles and guesses.
//!
//! Settled text is only ever appended to. A guess is about all that was said since; the next one replaces it, and so
//! does the passage that settles it.

use std::{collections::BTreeMap, time::Duration};

use crate::stt::{FinalTranscript, Segment, Transcript, Word};

/// A stretch of transcript.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Passage {
    pub(super) text: String,
    /// It begins where the one before it ended.
    pub(super) end: Duration,
    /// Empty where the words came without times.
    pub(super) words: Vec<Word>,
    /// BCP 47 primary tag.
    pub(super) language: Option<String>,
}

#[derive(Default, Debug)]
pub(super) struct Assembly {
    stable: String,
    open: Option<Passage>,
    end: Duration,
    words: Vec<Word>,
    segments: Vec<Segment>,
    /// A passage came without the times of its words, so the times of all would have holes.
    untimed: bool,
    /// How many letters of each.
    languages: BTreeMap<String, usize>,
    told: (String, String),
}

impl Passage {
    /// The same, timed from so much earlier.
    pub(super) fn after(mut self, base: Duration) -> Self {
        self.end += base;
        for word in &mut self.words {
            word.start += base;
            word.end += base;
        }
        self
    }
}

impl Assembly {
    pub(super) fn guess(&mut self, passage: Passage) {
        self.open = Some(passage).filter(|passage| !passage.text.is_empty());
    }

    pub(super) fn settle(&mut self, passage: Passage) {
        self.open = None;
        let start = passage.words.first().map_or(self.end, |word| word.start);
        self.end = self.end.max(passage.end);
        if passage.text.is_empty() {
            return;
        }
        append(&mut self.stable, &passage.text);
        self.untimed |= passage.words.is_empty();
        self.words.extend(passage.words);
        if let Some(language) = passage.language {
            *self.languages.entry(language).or_default() += passage.text.len();
        }
        let end = passage.end.max(start);
        self.segments.push(Segment { text: passage.text, start, end, avg_logprob: None, no_speech_prob: None });
    }

    /// All that was heard until now is worked off: a guess that was not settled will not be.
    pub(super) fn close(&mut self, end: Duration) {
        if let Some(guess) = self.open.take() {
            self.settle(Passage { end, ..guess });
        }
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

    /// Everything. `language` is what was asked for.
    pub(super) fn finish(mut self, language: Option<String>, duration: Duration) -> FinalTranscript {
        self.close(duration);
        let heard = self.languages.into_iter().max_by_key(|(_, letters)| *letters).map(|(language, _)| language);
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

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn passage(text: &str, end: u64) -> Passage {
        let words = vec![Word { text: text.to_owned(), start: at(end - 100), end: at(end) }];
        Passage { text: text.to_owned(), end: at(end), words, language: Some("en".to_owned()) }
    }

    #[test]
    fn guesses_are_replaced_and_settled_text_stays() {
        let mut assembly = Assembly::default();
        assembly.guess(passage("go for", 400));
        let told = |stable: &str, tentative: &str| {
            Some(Transcript::Partial { stable: stable.to_owned(), tentative: tentative.to_owned() })
        };
        assert_eq!(assembly.partial(), told("", "go for"));
        assert_eq!(assembly.partial(), None, "nothing changed");
        assembly.settle(passage("Go forward.", 800));
        assembly.guess(passage("ten", 900));
        assert_eq!(assembly.partial(), told("Go forward.", "ten"));
        let whole = assembly.finish(Some("de".to_owned()), at(850));
        assert_eq!((whole.text.as_str(), whole.language.as_deref()), ("Go forward. ten", Some("en")));
        assert_eq!((whole.words.len(), whole.segments.len()), (2, 2));
        assert_eq!(whole.words[1].end, at(850), "nothing was heard after the end");
    }

    #[test]
    fn times_with_holes_are_left_out() {
        let mut assembly = Assembly::default();
        assembly.settle(passage("Yes.", 500));
        assembly.settle(Passage { words: Vec::new(), ..passage("No.", 900) });
        let whole = assembly.finish(None, at(1_000));
        assert!(whole.words.is_empty());
        assert_eq!((whole.segments[1].start, whole.segments[1].end), (at(500), at(900)));
        assert_eq!(passage("Yes.", 500).after(at(1_000)).words[0].end, at(1_500));
    }

    #[test]
    fn dense_scripts_have_no_blanks_between() {
        for (parts, expected) in [(["你好。", "再见。"], "你好。再见。"), (["Hi.", "你好。"], "Hi. 你好。")]
        {
            let mut assembly = Assembly::default();
            for part in parts {
                assembly.settle(passage(part, 200));
            }
            assert_eq!(assembly.finish(None, at(500)).text, expected);
        }
    }
}
