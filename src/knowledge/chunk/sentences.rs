//! Where sentences end.

use std::ops::Range;

/// The sentences of a paragraph as ranges of its bytes, without blanks around them. Nothing but blanks is lost.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let ends = match c {
            '。' | '！' | '？' => true,
            '.' | '!' | '?' | '…' => ends_here(&text[start..at], c, &text[end..]),
            _ => false,
        };
        if ends {
            let end = end + closing(&text[end..]);
            found.extend(trimmed(text, start..end));
            start = end;
        }
    }
    found.extend(trimmed(text, start..text.len()));
    found
}

/// Whether a sentence is over after this mark.
pub(super) fn is_finished(text: &str) -> bool {
    text.trim_end().trim_end_matches(is_closing).ends_with(['.', '!', '?', '…', ':', '。', '！', '？'])
}

/// A part of a text without the blanks around it; `None` if there is nothing else.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    let end = start + part.trim().len();
    (start < end).then_some(start..end)
}

fn ends_here(before: &str, mark: char, after: &str) -> bool {
    let rest = after.trim_start_matches(is_closing);
    let next = rest.trim_start();
    if !rest.starts_with(char::is_whitespace) || next.starts_with(char::is_lowercase) {
        return false;
    }
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    mark != '.' || !(initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str()))
}

/// How many bytes of quotes and brackets still belong to what has ended.
fn closing(after: &str) -> usize {
    after.len() - after.trim_start_matches(is_closing).len()
}

const fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»')
}

/// What a point after belongs to, when a name or a number follows.
const ABBREVIATIONS: [&str; 26] = [
    "al", "approx", "ca", "cf", "dr", "e.g", "ed", "eds", "eq", "fig", "figs", "i.e", "mr", "mrs", "ms", "no", "nos",
    "p", "pp", "prof", "ref", "sec", "st", "tab", "vol", "vs",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_point_in_a_number_a_title_or_an_initial_ends_nothing() {
        assert_eq!(
            cut("Dr. Weber gave 2.5 mg (cf. Fig. 3). J. Smith agreed! \"Why?\" He left."),
            ["Dr. Weber gave 2.5 mg (cf. Fig. 3).", "J. Smith agreed!", "\"Why?\"", "He left."]
        );
    }

    #[test]
    fn what_has_no_end_is_one_sentence_and_other_scripts_have_ends_too() {
        assert_eq!(cut("no end"), ["no end"]);
        assert_eq!(cut("雨です。風です。"), ["雨です。", "風です。"]);
        assert_eq!(cut("  \n "), [""; 0]);
    }
}
