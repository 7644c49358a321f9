//! The committed parts of one utterance, put together.
//!
//! A commit is answered by the part's text, and again by the same text with its words and language; the second may fail
//! to come (vercel/ai#17262). The vendor may commit on its own as well. The transcript is whole once every commit asked
//! for has been answered.

use std::{collections::VecDeque, time::Duration};

use super::{
    languages,
    scribe::{Detailed, Message},
};
use crate::stt::{FinalTranscript, Segment, Transcript, Word};

/// The parts so far.
#[derive(Debug, Default)]
pub(in crate::elevenlabs) struct Parts {
    stable: String,
    words: Vec<Word>,
    segments: Vec<Segment>,
    language: Option<String>,
    /// A committed part whose details are still to come.
    bare: Option<String>,
    /// Commits asked for and not yet answered.
    owed: u32,
    /// How much was heard when each of them was asked for, oldest first.
    asked: VecDeque<Duration>,
    /// How much was heard when the part being heard began.
    begin: Duration,
}

impl Parts {
    /// A commit is asked for when this much is heard.
    pub(in crate::elevenlabs) fn ask(&mut self, heard: Duration) {
        self.owed += 1;
        self.asked.push_back(heard);
    }

    /// Whether every commit has its answer, the details of the last perhaps excepted.
    pub(in crate::elevenlabs) const fn is_answered(&self) -> bool {
        self.owed == 0
    }

    /// Whether details are to come.
    pub(in crate::elevenlabs) const fn is_bare(&self) -> bool {
        self.bare.is_some()
    }

    /// Takes one message; the transcript so far if it changed.
    pub(in crate::elevenlabs) fn take(&mut self, message: Message) -> Option<Transcript> {
        match message {
            Message::Partial(text) => {
                let tentative = joined(&self.stable, text.trim());
                return Some(Transcript::Partial { stable: self.stable.clone(), tentative });
            }
            Message::Committed(text) => {
                self.settle();
                self.answer();
                self.bare = Some(text);
            }
            Message::Detailed(part) => {
                if self.bare.take().is_none() {
                    self.answer();
                }
                self.add(part);
            }
            Message::Throttled => {
                self.answer();
                self.begin = self.asked.pop_front().unwrap_or(self.begin);
                return None;
            }
            Message::Refused(_) | Message::Other => return None,
        }
        Some(Transcript::Partial { stable: self.stable.clone(), tentative: String::new() })
    }

    /// Does without the details that have not come.
    pub(in crate::elevenlabs) fn settle(&mut self) {
        if let Some(text) = self.bare.take() {
            self.add(Detailed { text, ..Detailed::default() });
        }
    }

    /// The whole, once nothing is owed. No time lies in the silence that was put behind the audio.
    pub(in crate::elevenlabs) fn whole(mut self, duration: Duration, language: Option<&str>) -> FinalTranscript {
        self.settle();
        let asked = || language.map(|tag| languages::primary(tag).to_ascii_lowercase());
        let language = self.language.or_else(asked);
        for word in &mut self.words {
            (word.start, word.end) = (word.start.min(duration), word.end.min(duration));
        }
        for segment in &mut self.segments {
            (segment.start, segment.end) = (segment.start.min(duration), segment.end.min(duration));
        }
        FinalTranscript { text: self.stable, language, words: self.words, segments: self.segments, duration }
    }

    fn answer(&mut self) {
        self.owed = self.owed.saturating_sub(1);
    }

    fn add(&mut self, part: Detailed) {
        let begin = self.begin;
        self.begin = self.asked.pop_front().unwrap_or(begin);
        let text = part.text.trim();
        if text.is_empty() {
            return;
        }
        self.language = part.language.map(|code| languages::shortest(&code)).or(self.language.take());
        let before = self.words.last().map_or(Duration::ZERO, |word| word.end);
        // Undocumented is whether times begin anew with each part; it shows in words that would lie before the last part.
        let first = part.words.first().map_or(Duration::ZERO, |(_, start, _)| seconds(*start));
        let shift = if first + SLACK < before { begin } else { Duration::ZERO };
        let mut at = before;
        for (text, start, end) in part.words {
            let start = (shift + seconds(start)).max(at);
            let end = (shift + seconds(end)).max(start);
            self.words.push(Word { text, start, end });
            at = start;
        }
        let words = self.words.iter().filter(|word| word.start >= before);
        if let (Some(first), Some(last)) = (words.clone().next(), words.clone().next_back()) {
            let (start, end) = (first.start, last.end);
            let text = text.to_owned();
            self.segments.push(Segment { text, start, end, avg_logprob: None, no_speech_prob: None });
        }
        let more = joined(&self.stable, text);
        self.stable.push_str(&more);
    }
}

/// `more` as it follows `text`: behind a blank, unless the script sets none.
fn joined(text: &str, more: &str) -> String {
    let spaced = |c: char| !matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}');
    let apart = text.ends_with(spaced) && more.starts_with(spaced);
    if apart { format!(" {more}") } else { more.to_owned() }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}

/// Far above what times of two parts may overlap, far below a part.
const SLACK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn detailed(text: &str, words: &[(&str, f64, f64)]) -> Message {
        let words = words.iter().map(|(text, start, end)| ((*text).to_owned(), *start, *end)).collect();
        Message::Detailed(Detailed { text: text.into(), language: Some("eng".into()), words })
    }

    fn partial(stable: &str, tentative: &str) -> Option<Transcript> {
        Some(Transcript::Partial { stable: stable.into(), tentative: tentative.into() })
    }

    #[test]
    fn parts_follow_one_another_and_stay() {
        let mut parts = Parts::default();
        assert_eq!(parts.take(Message::Partial("go for".into())), partial("", "go for"));
        parts.ask(Duration::from_secs(30));
        assert_eq!(parts.take(Message::Committed("Go forward.".into())), partial("", ""));
        assert!(parts.is_answered() && parts.is_bare());
        assert_eq!(
            parts.take(detailed("Go forward.", &[("Go", 0.1, 0.3), ("forward.", 0.4, 0.9)])),
            partial("Go forward.", "")
        );
        assert_eq!(parts.take(Message::Partial("ten".into())), partial("Go forward.", " ten"));
        parts.ask(Duration::from_secs(40));
        parts.take(Message::Committed("Ten meters.".into()));
        let whole = parts.whole(Duration::from_secs(40), Some("de"));
        assert_eq!(
            (&*whole.text, whole.language.as_deref(), whole.words.len()),
            ("Go forward. Ten meters.", Some("en"), 2)
        );
        assert_eq!(whole.segments.len(), 1);
    }

    #[test]
    fn times_that_begin_anew_are_shifted() {
        let mut parts = Parts::default();
        parts.ask(Duration::from_secs(30));
        parts.take(detailed("One.", &[("One.", 28.0, 29.0)]));
        parts.ask(Duration::from_secs(40));
        parts.take(detailed("Two.", &[("Two.", 1.0, 2.0)]));
        let whole = parts.whole(Duration::from_secs(40), None);
        assert_eq!(whole.words[1].start, Duration::from_secs(31));
        assert_eq!(whole.segments[1].start, Duration::from_secs(31));
    }

    #[test]
    fn parts_the_vendor_committed_unasked_answer_no_commit_twice() {
        let mut parts = Parts::default();
        parts.take(Message::Committed("One.".into()));
        parts.take(detailed("One.", &[]));
        parts.ask(Duration::from_secs(91));
        assert!(!parts.is_answered());
        parts.take(Message::Throttled);
        assert!(parts.is_answered());
        assert_eq!(parts.whole(Duration::ZERO, Some("en-GB")).text, "One.");
    }

    #[test]
    fn nothing_said_is_an_empty_transcript() {
        let mut parts = Parts::default();
        parts.ask(Duration::from_secs(1));
        parts.take(Message::Committed(" ".into()));
        assert_eq!(parts.whole(Duration::ZERO, None).text, "");
    }

    #[test]
    fn scripts_without_blanks_are_joined_without() {
        assert_eq!(joined("你好。", "再见"), "再见");
        assert_eq!((joined("", "a"), joined("a.", "b")), ("a".to_owned(), " b".to_owned()));
    }
}
