//! Where sentences end.

use std::ops::Range;

/// The sentences of a text, as they stand in it, without the space around them. What has no letter or digit is none.
pub fn sentences(text: &str) -> Vec<&str> {
    let all = ranges(text).into_iter().map(|range| &text[range]);
    all.filter(|sentence| sentence.chars().any(char::is_alphanumeric)).collect()
}

/// The sentences of a text as ranges of its bytes, without blanks around them. A blank line ends one, too. Nothing but blanks is
/// lost.
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut last) = (0, ' ');
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let ends = match c {
            '\n' => last == '\n',
            '。' | '！' | '？' => true,
            '.' | '!' | '?' | '…' => ends_here(&text[start.min(at)..at], c, &text[end..]),
            _ => false,
        };
        last = c;
        // What closes a sentence may have been taken with it.
        if ends && end > start {
            let end = end + closing(&text[end..]);
            found.extend(trimmed(text, start..end));
            start = end;
        }
    }
    found.extend(trimmed(text, start..text.len()));
    found
}

/// A part of a text without the blanks around it; `None` if there is nothing else.
pub fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    let end = start + part.trim().len();
    (start < end).then_some(start..end)
}

/// Whether a text that ends with a mark ends with its sentence.
pub fn is_finished(text: &str) -> bool {
    text.trim_end().trim_end_matches(is_closing).ends_with(['.', '!', '?', '…', ':', '。', '！', '？'])
}

/// Whether the text ends with a word whose full stop ends no sentence: "Dr", "e.g", or a single capital as in "J. S. Bach".
pub fn is_abbreviation(text: &str) -> bool {
    let word = text.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let mut characters = word.chars();
    let initial = characters.next().is_some_and(|c| c.is_uppercase() && c != 'I') && characters.next().is_none();
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

fn ends_here(before: &str, mark: char, after: &str) -> bool {
    let rest = after.trim_start_matches(is_closing);
    let blank = rest.is_empty() || rest.starts_with(char::is_whitespace);
    let goes_on = rest.trim_start().starts_with(char::is_lowercase);
    blank && !goes_on && !(mark == '.' && is_abbreviation(before))
}

/// How many bytes of quotes and brackets still belong to what has ended.
fn closing(after: &str) -> usize {
    after.len() - after.trim_start_matches(is_closing).len()
}

const fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»')
}

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "a.m", "al", "approx", "apt", "ave", "ca", "capt", "cf", "co", "col", "corp", "dept", "dr", "e.g", "ed", "eds",
    "eq", "est", "etc", "fig", "figs", "gen", "gov", "i.e", "inc", "jr", "lt", "ltd", "mr", "mrs", "ms", "mt", "no",
    "nos", "p", "p.m", "pp", "prof", "ref", "rev", "sen", "sgt", "sr", "st", "tab", "u.k", "u.s", "vol", "vs",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_a_number_a_title_or_an_initial_ends_nothing() {
        assert_eq!(
            sentences("Dr. Weber gave 2.5 mg (cf. Fig. 3). J. Smith agreed! \"Why?\" He left. So did I. Then"),
            ["Dr. Weber gave 2.5 mg (cf. Fig. 3).", "J. Smith agreed!", "\"Why?\"", "He left.", "So did I.", "Then"]
        );
        let text = "Ann gave 2.5 mg, e.g. at night. It helped! (Did it?) J. S. Bach slept\non.\n\nA heading\n\nDone";
        let expected = [
            "Ann gave 2.5 mg, e.g. at night.",
            "It helped!",
            "(Did it?)",
            "J. S. Bach slept\non.",
            "A heading",
            "Done",
        ];
        assert_eq!(sentences(text), expected);
    }

    #[test]
    fn what_has_no_end_is_one_sentence_and_other_scripts_have_ends_too() {
        assert_eq!(sentences("no end"), ["no end"]);
        assert_eq!(sentences("雨です。風です。"), ["雨です。", "風です。"]);
        assert_eq!(sentences("  \n . \n\n "), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_blanks_is_lost(text in "[a-cA-C .!?\"\\n。)é]{0,60}") {
            let cut = ranges(&text);
            proptest::prop_assert!(cut.windows(2).all(|two| two[0].end <= two[1].start));
            let solid = |text: &str| text.split_whitespace().collect::<String>();
            let kept: String = cut.into_iter().map(|range| solid(&text[range])).collect();
            proptest::prop_assert_eq!(kept, solid(&text));
        }
    }
}
