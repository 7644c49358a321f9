//! Which words of a reply were heard by when.
//!
//! Text is cut by marks: each stretch of speech names the clause it voices, with word times where the provider has them.
//! Without word times, clauses heard whole count whole and the one under way counts in proportion, rounded down to a
//! word's boundary.

use std::{ops::Range, time::Duration};

use providers::tts::Speech;

/// Least time a character takes to say, while a clause's full length is not known: a fast talker's pace, so that the
/// guess keeps too little rather than too much.
const PER_CHARACTER: Duration = Duration::from_millis(60);

/// The words of one spoken part and when they sound, measured from the part's start.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Marks {
    clauses: Vec<Voiced>,
    length: Duration,
}

#[derive(Clone, PartialEq, Debug)]
struct Voiced {
    id: u32,
    /// Bytes of the part's text; clauses follow each other without a gap.
    range: Range<usize>,
    /// Where the clause's own text begins: surrounding space is not spoken.
    text: usize,
    start: Duration,
    length: Duration,
    whole: bool,
    words: Vec<Word>,
}

#[derive(Clone, PartialEq, Debug)]
struct Word {
    /// Byte of the part's text where it ends.
    until: usize,
    end: Duration,
}

impl Marks {
    /// A clause will voice these bytes of the part; its own text starts at `text`.
    pub(super) fn expect(&mut self, id: u32, range: Range<usize>, text: usize) {
        let voiced =
            Voiced { id, range, text, start: Duration::ZERO, length: Duration::ZERO, whole: false, words: vec![] };
        self.clauses.push(voiced);
    }

    /// Text that no clause voices follows the last one and goes with it.
    pub(super) fn stretch(&mut self, until: usize) {
        if let Some(last) = self.clauses.last_mut() {
            last.range.end = until;
        }
    }

    /// Whether the part expects this clause.
    pub(super) fn expects(&self, clause: u32) -> bool {
        self.clauses.iter().any(|voiced| voiced.id == clause)
    }

    /// More sound of a clause.
    pub(super) fn sound(&mut self, clause: u32, length: Duration) {
        let start = self.length;
        if let Some(voiced) = self.clauses.iter_mut().rev().find(|voiced| voiced.id == clause) {
            if voiced.length.is_zero() {
                voiced.start = start;
            }
            voiced.length += length;
        }
        self.length += length;
    }

    /// A word's time or a clause's end.
    pub(super) fn mark(&mut self, mark: &Speech) {
        match mark {
            Speech::Audio { .. } => {}
            Speech::Word { clause, range, end, .. } => {
                if let Some(voiced) = self.clauses.iter_mut().rev().find(|voiced| voiced.id == *clause) {
                    let until = (voiced.text + range.end).min(voiced.range.end);
                    voiced.words.push(Word { until, end: *end });
                }
            }
            Speech::ClauseDone { clause } => {
                for voiced in self.clauses.iter_mut().filter(|voiced| voiced.id <= *clause) {
                    voiced.whole = true;
                }
            }
        }
    }

    /// Every clause has been voiced.
    pub(super) fn finish(&mut self) {
        for voiced in &mut self.clauses {
            voiced.whole = true;
        }
    }

    /// Whether all expected clauses have been voiced.
    pub(super) fn is_whole(&self) -> bool {
        self.clauses.iter().all(|voiced| voiced.whole)
    }

    /// The beginning of `text` that was heard at this position of the speech.
    pub(super) fn heard<'t>(&self, text: &'t str, at: Duration) -> &'t str {
        let mut kept = 0;
        for voiced in &self.clauses {
            if voiced.whole && voiced.start + voiced.length <= at {
                kept = voiced.range.end;
                continue;
            }
            if !voiced.length.is_zero() && at > voiced.start {
                kept = kept.max(voiced.heard(text, at - voiced.start));
            }
            break;
        }
        let kept = (0..=kept.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text[..kept].trim_end()
    }
}

impl Voiced {
    /// The byte of the part's text up to which a clause under way was heard.
    fn heard(&self, text: &str, at: Duration) -> usize {
        if !self.words.is_empty() {
            return self.words.iter().filter(|word| word.end <= at).map(|word| word.until).max().unwrap_or(0);
        }
        let Some(clause) = text.get(self.text..self.range.end).map(str::trim_end) else { return 0 };
        let characters = clause.chars().count();
        let guess = PER_CHARACTER.saturating_mul(u32::try_from(characters).unwrap_or(u32::MAX));
        let length = if self.whole { self.length } else { self.length.max(guess) };
        let share = at.as_secs_f64() / length.as_secs_f64().max(f64::EPSILON);
        self.text + whole_words(clause, (characters as f64 * share) as usize)
    }
}

/// How many bytes of the first `characters` characters end with a whole word. Scripts written without spaces are cut
/// between any two characters.
fn whole_words(clause: &str, characters: usize) -> usize {
    let cut = clause.char_indices().nth(characters).map_or(clause.len(), |(at, _)| at);
    let unspaced = |c: char| c >= '\u{2e80}';
    let mut kept = 0;
    for (at, c) in clause.char_indices() {
        if at > cut {
            break;
        }
        if c.is_whitespace() || unspaced(c) {
            kept = at;
        }
    }
    if cut == clause.len() { cut } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Hello there. The weather is fine today. ";

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn voiced() -> Marks {
        let mut marks = Marks::default();
        marks.expect(0, 0..13, 0);
        marks.expect(1, 13..40, 13);
        marks.sound(0, millis(600));
        marks.mark(&Speech::ClauseDone { clause: 0 });
        marks.sound(1, millis(1000));
        marks.sound(1, millis(1000));
        marks
    }

    #[test]
    fn clauses_count_whole_once_heard_and_in_proportion_before() {
        let mut marks = voiced();
        assert_eq!(marks.heard(TEXT, millis(0)), "");
        assert_eq!(marks.heard(TEXT, millis(599)), "Hello");
        assert_eq!(marks.heard(TEXT, millis(600)), "Hello there.");
        assert_eq!(marks.heard(TEXT, millis(1600)), "Hello there. The weather");
        assert_eq!(marks.heard(TEXT, millis(2599)), "Hello there. The weather is fine");
        marks.finish();
        assert_eq!(marks.heard(TEXT, millis(2600)), TEXT.trim_end());
    }

    #[test]
    fn word_times_cut_to_the_word() {
        let mut marks = voiced();
        for (range, end) in [(0..3, 200), (4..11, 700), (12..14, 1100), (15..19, 1500), (20..26, 2000)] {
            marks.mark(&Speech::Word { clause: 1, range, start: Duration::ZERO, end: millis(end) });
        }
        assert_eq!(marks.heard(TEXT, millis(1299)), "Hello there. The");
        assert_eq!(marks.heard(TEXT, millis(1300)), "Hello there. The weather");
    }

    #[test]
    fn unspaced_scripts_are_cut_between_characters() {
        let text = "今日はいい天気です。";
        let mut marks = Marks::default();
        marks.expect(0, 0..text.len(), 0);
        marks.sound(0, millis(1000));
        marks.finish();
        assert_eq!(marks.heard(text, millis(500)), "今日はいい");
    }

    #[test]
    fn text_that_no_sound_voices_is_never_heard() {
        let mut marks = voiced();
        marks.expect(2, 40..60, 40);
        assert_eq!(marks.heard("Hello there. The weather is fine today. And so on and on", millis(90_000)).len(), 39);
    }
}
