//! Spoken words found in the text that was asked for.
//!
//! The service tells each word as text without its place; some have it escaped as it stood in the SSML, others were
//! normalised before they were spoken. What cannot be found nearby gets no time.

use std::ops::Range;

/// A text, being spoken.
#[derive(Debug)]
pub(in crate::azure::speech) struct Words {
    text: String,
    /// Byte up to which it is spoken.
    at: usize,
}

impl Words {
    /// Nothing of it is spoken yet.
    pub(in crate::azure::speech) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), at: 0 }
    }

    /// Where this word stands, with the punctuation about it, if it comes soon.
    pub(in crate::azure::speech) fn find(&mut self, spoken: &str) -> Option<Range<usize>> {
        let spoken = spoken.trim();
        let found = self.next(spoken).or_else(|| self.next(&unescaped(spoken)))?;
        let range = self.dressed(found);
        self.at = range.end;
        Some(range)
    }

    fn next(&self, spoken: &str) -> Option<Range<usize>> {
        if spoken.is_empty() {
            return None;
        }
        let rest = &self.text[self.at..];
        rest.match_indices(spoken)
            .map(|(at, found)| self.at + at..self.at + at + found.len())
            .take_while(|range| self.text[self.at..range.start].split_whitespace().count() <= NEARBY)
            .find(|range| self.is_whole(range))
    }

    /// Whether no word goes on before or behind it.
    fn is_whole(&self, range: &Range<usize>) -> bool {
        let joins = |a: Option<char>, b: Option<char>| {
            let letter = |c: char| c.is_alphanumeric() && !is_unspaced(c);
            a.is_some_and(letter) && b.is_some_and(letter)
        };
        let (before, word, behind) = (&self.text[..range.start], &self.text[range.clone()], &self.text[range.end..]);
        !joins(before.chars().next_back(), word.chars().next())
            && !joins(word.chars().next_back(), behind.chars().next())
    }

    /// With what is opened just before it and closed right behind it.
    fn dressed(&self, found: Range<usize>) -> Range<usize> {
        let worn = |c: &char| !c.is_alphanumeric() && !c.is_whitespace();
        let before = self.text[self.at..found.start].chars().rev().take_while(worn).map(char::len_utf8).sum::<usize>();
        let behind = self.text[found.end..].chars().take_while(|c| worn(c) && !OPENING.contains(c));
        found.start - before..found.end + behind.map(char::len_utf8).sum::<usize>()
    }
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

/// Scripts without blanks between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3041}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// How many words may stand between one spoken and the next, as normalised ones do.
const NEARBY: usize = 4;
const OPENING: [char; 11] = ['(', '[', '{', '«', '“', '‘', '„', '「', '『', '（', '【'];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, spoken: &[&str]) -> Vec<String> {
        let mut words = Words::new(text);
        spoken.iter().filter_map(|word| words.find(word)).map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn words_are_found_in_order_with_their_punctuation() {
        for (text, spoken, expected) in [
            ("Hi, you!", &["Hi", "you"][..], &["Hi,", "you!"][..]),
            ("Tom & Jerry", &["Tom", "&amp;", "Jerry"], &["Tom", "&", "Jerry"]),
            ("R&D <now>", &["R&amp;D", "now"], &["R&D", "<now>"]),
            ("He said \"no\" (twice).", &["He", "said", "no", "twice"], &["He", "said", "\"no\"", "(twice)."]),
            ("a cat and a dog", &["a", "cat", "and", "a", "dog"], &["a", "cat", "and", "a", "dog"]),
            ("cat a", &["a"], &["a"]),
            ("I have 5 cats.", &["I", "have", "five", "cats"], &["I", "have", "cats."]),
            ("你好。再见「朋友」", &["你好", "再见", "朋友"], &["你好。", "再见", "「朋友」"]),
            ("don't-stop now", &["don't", "stop", "now"], &["don't-", "stop", "now"]),
            ("one two three four five six", &["six", "one"], &["one"]),
            ("", &["x", ""], &[]),
        ] {
            assert_eq!(found(text, spoken), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_in_order_and_within_the_text(text in "[a-c é,.&你\n]{0,30}", spoken in proptest::collection::vec("[a-c&é你]{0,3}", 0..12)) {
            let mut words = Words::new(&text);
            let mut at = 0;
            for word in spoken {
                if let Some(range) = words.find(&word) {
                    proptest::prop_assert!(range.start >= at && range.end > range.start);
                    proptest::prop_assert!(text[range.clone()].contains(&word));
                    at = range.end;
                }
            }
        }
    }
}
