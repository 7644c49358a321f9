//! Long texts in pieces that a vendor takes: cut at the end of a sentence, else of a word, else between characters.
//!
//! Nothing but blanks is lost, and no letter is parted from its accents.

use std::ops::Range;

/// The pieces of a text as ranges of its bytes, in order, each weighing at most `most`, without blanks around them.
///
/// `weigh` tells what a character counts: `|_| 1` where the limit is in characters, [`char::len_utf8`] where it is in
/// bytes. A single character heavier than `most` is a piece of its own.
pub(crate) fn pieces(text: &str, most: usize, weigh: impl Fn(char) -> usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if at == text.len() {
            return pieces;
        }
        let end = at + cut(&text[at..], most, &weigh);
        pieces.push(at..at + text[at..end].trim_end().len());
        at = end;
    }
}

/// Where the first piece of a text ends that does not begin with a blank.
fn cut(text: &str, most: usize, weigh: impl Fn(char) -> usize) -> usize {
    let mut weight = 0;
    let (mut sentence, mut word, mut character) = (None, None, None);
    let mut before = None;
    for (at, c) in text.char_indices() {
        if at > 0 && c.is_whitespace() {
            word = Some(at);
            if c == '\n' || ends_sentence(&text[..at]) {
                sentence = word;
            }
        } else if before.is_some_and(|c| FULL_WIDTH_ENDS.contains(&c)) && !CLOSING.contains(&c) {
            sentence = Some(at);
        }
        if at > 0 && !clings(c) && before != Some(JOINER) {
            character = Some(at);
        }
        weight += weigh(c);
        if weight > most && !c.is_whitespace() {
            let first = c.len_utf8();
            return sentence.or(word).or(character).unwrap_or(if at == 0 { first } else { at });
        }
        before = Some(c);
    }
    text.len()
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(CLOSING).ends_with(['.', '!', '?', '…', ':', ';'])
}

/// Whether a character belongs to the one before it: accents, variants, skin tones, joiners.
const fn clings(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}' | JOINER)
}

const JOINER: char = '\u{200d}';
/// What closes after the end of a sentence.
const CLOSING: [char; 9] = ['"', '\'', ')', ']', '”', '’', '»', '」', '』'];
/// Ends of sentences that no blank follows.
const FULL_WIDTH_ENDS: [char; 3] = ['。', '！', '？'];

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, most: usize) -> Vec<&str> {
        pieces(text, most, |_| 1).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn texts_are_cut_at_sentences_then_words_then_characters() {
        for (text, most, expected) in [
            ("", 5, &[][..]),
            ("  \n ", 5, &[]),
            ("Hello.", 6, &["Hello."]),
            ("Hello.  ", 6, &["Hello."]),
            ("One two. Three four.", 12, &["One two.", "Three four."]),
            ("One. Two. Three.", 10, &["One. Two.", "Three."]),
            ("He said \"No.\" Then he left.", 16, &["He said \"No.\"", "Then he left."]),
            ("one two three four", 9, &["one two", "three", "four"]),
            ("one two", 7, &["one two"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("你好。再见。", 4, &["你好。", "再见。"]),
            ("line one\nline two", 12, &["line one", "line two"]),
            ("ab", 0, &["a", "b"]),
        ] {
            assert_eq!(split(text, most), expected, "{text:?} {most}");
        }
    }

    #[test]
    fn letters_keep_their_accents_and_families_stay_together() {
        assert_eq!(split("ae\u{301}x", 2), ["a", "e\u{301}", "x"]);
        assert_eq!(split("a👨\u{200d}👩b", 3), ["a", "👨\u{200d}👩", "b"]);
    }

    #[test]
    fn weight_may_be_bytes() {
        let text = "ééé ééé";
        let bytes: Vec<_> = pieces(text, 6, char::len_utf8).into_iter().map(|range| &text[range]).collect();
        assert_eq!(bytes, ["ééé", "ééé"]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_blanks_is_lost_and_no_piece_is_too_long(
            text in "([a-z]{1,9}|é|e\u{301}|你|。|\\. |! |\"| |\n|👩\u{200d}🚀){0,60}", most in 3usize..40,
        ) {
            let pieces = pieces(&text, most, |_| 1);
            let mut at = 0;
            for piece in &pieces {
                proptest::prop_assert!(text[at..piece.start].trim().is_empty());
                let said = &text[piece.clone()];
                proptest::prop_assert!(!said.is_empty() && said.trim() == said);
                proptest::prop_assert!(said.chars().count() <= most, "{}", said);
                at = piece.end;
            }
            proptest::prop_assert!(text[at..].trim().is_empty());
        }

        #[test]
        fn any_text_and_any_limit_end(text: String, most in 0usize..9) {
            let pieces = pieces(&text, most, char::len_utf8);
            let said: String = pieces.into_iter().map(|range| text[range].to_owned()).collect();
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(letters(&said), letters(&text));
        }
    }
}
