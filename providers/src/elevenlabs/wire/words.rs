//! Times of characters, as the vendor tells them, into times of words of the text that was asked for.
//!
//! Times begin anew with each chunk that has any, and the chunks' times follow one another without gaps, whatever sound
//! came with them (elevenlabs/elevenlabs-python#689). Characters come in chunks that part words
//! (pipecat-ai/pipecat#2840), and not always the very characters that were sent: figures may come spelled out. What
//! cannot be matched gets no time.

use std::{ops::Range, time::Duration};

use super::speech::Times;

/// The words of one text, being timed.
#[derive(Debug)]
pub(in crate::elevenlabs) struct Words {
    text: String,
    words: Vec<Range<usize>>,
    /// The first word not yet told.
    next: usize,
    /// Byte of the text up to which characters are matched.
    at: usize,
    /// Begin and end of what is matched of the next word, in milliseconds.
    heard: Option<(f64, f64)>,
    /// Where the times told so far end, in milliseconds.
    end: f64,
    /// No letter has come since the last blank: a word begins.
    blank: bool,
}

/// A word of the text and when it is spoken.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::elevenlabs) struct Timed {
    pub(in crate::elevenlabs) range: Range<usize>,
    pub(in crate::elevenlabs) start: Duration,
    pub(in crate::elevenlabs) end: Duration,
}

impl Words {
    /// None of the text's words is timed yet.
    pub(in crate::elevenlabs) fn new(text: &str) -> Self {
        let words = words(text);
        Self { text: text.to_owned(), words, next: 0, at: 0, heard: None, end: 0.0, blank: true }
    }

    /// Appends the words that these times complete.
    pub(in crate::elevenlabs) fn time(&mut self, times: &Times, out: &mut Vec<Timed>) {
        let first = times.starts.first().copied().unwrap_or_default();
        // Should the vendor come to count from the beginning, it shows in a chunk that begins where the last one ended.
        let base = if self.end > 0.0 && first >= self.end { 0.0 } else { self.end };
        for ((chars, start), length) in times.chars.iter().zip(&times.starts).zip(&times.lengths) {
            let start = (base + start).max(0.0);
            let end = start + length.max(0.0);
            for c in chars.chars() {
                self.character(c, start, end, out);
            }
            self.end = self.end.max(end);
        }
    }

    /// Appends the word that was left unfinished.
    pub(in crate::elevenlabs) fn finish(&mut self, out: &mut Vec<Timed>) {
        self.tell(out);
    }

    fn character(&mut self, c: char, start: f64, end: f64, out: &mut Vec<Timed>) {
        if c.is_whitespace() {
            self.blank = true;
            return;
        }
        let begins = self.blank;
        self.blank &= !c.is_alphanumeric();
        let Some(found) = self.find(c, begins) else { return };
        while self.words.get(self.next).is_some_and(|word| word.end <= found.start) {
            self.tell(out);
        }
        let (begin, ended) = self.heard.unwrap_or((start, end));
        self.heard = Some((begin.min(start), ended.max(end)));
        self.at = found.end;
        if self.words.get(self.next).is_some_and(|word| word.end == found.end) {
            self.tell(out);
        }
    }

    /// Where the text has this character next: at once, or behind punctuation, or as the beginning of a word nearby.
    fn find(&self, c: char, begins: bool) -> Option<Range<usize>> {
        let rest = self.text[self.at..].char_indices().map(|(at, c)| (self.at + at, c));
        let mut visible = rest.filter(|(_, c)| !c.is_whitespace());
        let span = |(at, found): (usize, char)| at..at + found.len_utf8();
        let (at, found) = visible.next()?;
        if alike(found, c) {
            return Some(span((at, found)));
        }
        if !c.is_alphanumeric() {
            return None;
        }
        let (at, letter) =
            if found.is_alphanumeric() { (at, found) } else { visible.find(|(_, c)| c.is_alphanumeric())? };
        if alike(letter, c) {
            return Some(span((at, letter)));
        }
        if !begins {
            return None;
        }
        let ahead = self.words[self.next..].iter().filter(|word| word.start >= self.at).take(NEARBY);
        let mut first = ahead.filter_map(|word| {
            let letters = self.text[word.clone()].char_indices();
            letters.map(|(at, c)| (word.start + at, c)).find(|(_, c)| c.is_alphanumeric())
        });
        first.find(|(_, letter)| alike(*letter, c)).map(span)
    }

    fn tell(&mut self, out: &mut Vec<Timed>) {
        let Some(word) = self.words.get(self.next) else { return };
        let millis = |millis: f64| Duration::from_micros((millis * 1_000.0) as u64);
        if let Some((start, end)) = self.heard.take() {
            out.push(Timed { range: word.clone(), start: millis(start), end: millis(end) });
        }
        self.next += 1;
    }
}

/// What stands between blanks; in scripts that set none, each character with the punctuation behind it.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut before = None;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let parts = before.is_none_or(char::is_whitespace)
            || is_unspaced(c)
            || before.is_some_and(is_unspaced) && c.is_alphanumeric();
        if !c.is_whitespace() {
            match words.last_mut() {
                Some(word) if !parts => word.end = end,
                Some(_) | None => words.push(at..end),
            }
        }
        before = Some(c);
    }
    words
}

fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30fa}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn alike(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// How many words a normalised text may have swallowed.
const NEARBY: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// Each character 10 ms.
    fn times(text: &str) -> Times {
        let chars: Vec<String> = text.chars().map(String::from).collect();
        let starts = (0..chars.len()).map(|n| n as f64 * 10.0).collect();
        let lengths = vec![10.0; chars.len()];
        Times { chars, starts, lengths }
    }

    fn timed(text: &str, chunks: &[&str]) -> Vec<(String, u128, u128)> {
        let (mut words, mut out) = (Words::new(text), Vec::new());
        for chunk in chunks {
            words.time(&times(chunk), &mut out);
        }
        words.finish(&mut out);
        out.into_iter()
            .map(|word| (text[word.range].to_owned(), word.start.as_millis(), word.end.as_millis()))
            .collect()
    }

    fn told(words: &[(&str, u128, u128)]) -> Vec<(String, u128, u128)> {
        words.iter().map(|(word, start, end)| ((*word).to_owned(), *start, *end)).collect()
    }

    #[test]
    fn words_are_timed_by_their_characters() {
        let expected = told(&[("Hi,", 0, 30), ("you!", 40, 80)]);
        assert_eq!(timed("Hi, you!", &["Hi, you! "]), expected);
        assert_eq!(timed("Hi, you!", &["Hi, y", "ou! "]), expected, "cut within a word");
        assert_eq!(timed("Hi, you!", &["Hi, you"]), told(&[("Hi,", 0, 30), ("you!", 40, 70)]), "no punctuation");
    }

    #[test]
    fn a_leading_blank_is_time_but_no_word() {
        assert_eq!(timed("Hi you", &[" Hi", " you"]), told(&[("Hi", 10, 30), ("you", 40, 70)]));
    }

    #[test]
    fn times_may_go_on_instead_of_beginning_anew() {
        let (mut words, mut out) = (Words::new("Hi you"), Vec::new());
        words.time(&times("Hi "), &mut out);
        let mut later = times("you");
        later.starts.iter_mut().for_each(|start| *start += 30.0);
        words.time(&later, &mut out);
        assert_eq!(out[1].start, Duration::from_millis(30));
    }

    #[test]
    fn what_was_spelled_out_gets_no_time_and_costs_no_other_word() {
        let expected = told(&[("I", 0, 10), ("have", 20, 60), ("“big”", 110, 160), ("cats.", 170, 220)]);
        let words = timed("I have 5 “big” cats.", &["I have five \"big\" cats."]);
        assert_eq!(words.iter().map(|word| &word.0).collect::<Vec<_>>(), ["I", "have", "“big”", "cats."]);
        assert_eq!(words[..2], expected[..2]);
        assert_eq!(timed("abc", &["xyz"]), []);
    }

    #[test]
    fn scripts_without_blanks_are_timed_by_the_character() {
        assert_eq!(timed("你好。", &["你好。"]), told(&[("你", 0, 10), ("好。", 10, 30)]));
    }

    #[test]
    fn doubled_chunks_do_no_harm() {
        let words = timed("Hi you", &["Hi ", "Hi you"]);
        assert_eq!(words.iter().map(|word| &word.0).collect::<Vec<_>>(), ["Hi", "you"]);
    }

    proptest::proptest! {
        #[test]
        fn words_are_in_order_and_within_the_text(text in "[a-d é,.你\n]{0,30}", told in "[a-d é,.你\n]{0,40}", cut in 0usize..40) {
            let (mut words, mut out) = (Words::new(&text), Vec::new());
            let letters: Vec<char> = told.chars().collect();
            for part in letters.chunks(cut.max(1)) {
                words.time(&times(&part.iter().collect::<String>()), &mut out);
            }
            words.finish(&mut out);
            let mut at = 0;
            for word in out {
                proptest::prop_assert!(word.range.start >= at && word.start <= word.end);
                proptest::prop_assert!(!text[word.range.clone()].contains(char::is_whitespace));
                at = word.range.end;
            }
        }

        #[test]
        fn the_very_text_times_every_word(text in "[a-dé ,.]{0,30}", cut in 1usize..9) {
            let letters: Vec<char> = text.chars().collect();
            let (mut words, mut out) = (Words::new(&text), Vec::new());
            for part in letters.chunks(cut) {
                words.time(&times(&part.iter().collect::<String>()), &mut out);
            }
            words.finish(&mut out);
            let expected: Vec<_> = text.split_whitespace().collect();
            let found: Vec<_> = out.into_iter().map(|word| text[word.range].to_owned()).collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
