//! Markers of citations, `[1]` or `[2, 3]`, are for the eye: they are not read out.

use std::{borrow::Cow, ops::Range};

use providers::marker;

/// The text with markers blanked: as long in bytes as it was, so that all else stays where it is.
pub(super) fn blanked(text: &str) -> Cow<'_, str> {
    let mut blanked = Cow::Borrowed(text);
    let mut from = 0;
    while let Some((at, _)) = marker::next(text, from) {
        from = at.end;
        blanked.to_mut().replace_range(at.clone(), &" ".repeat(at.len()));
    }
    blanked
}

/// What is said of the text. Where a marker stood before a stop, the stop goes back to its word: `daily [1].` is said as "daily."
/// and not as "daily", a pause, and a stop.
pub(super) fn unspoken(text: &str) -> Cow<'_, str> {
    let mut unspoken = blanked(text);
    let mut from = 0;
    while let Some((Range { end, .. }, _)) = marker::next(text, from) {
        from = end;
        let word = unspoken[..end].trim_end().len();
        if word > 0 && text[end..].starts_with(['.', ',', ';', ':', '!', '?']) {
            let stop = text[end..=end].to_owned();
            let unspoken = unspoken.to_mut();
            unspoken.replace_range(end..=end, " ");
            unspoken.replace_range(word..=word, &stop);
        }
    }
    unspoken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_not_said_and_move_nothing() {
        for (text, said) in [
            ("It rains.", "It rains."),
            ("It rains [1].", "It rains."),
            ("It rains[1], [2, 3] it snows [4–5]!", "It rains, it snows!"),
            ("[1] It rains", "It rains"),
            ("[1].", "."),
            ("In [2024] and a[b] [1", "In [2024] and a[b] [1"),
            ("é [1]雨", "é 雨"),
        ] {
            let unspoken = unspoken(text);
            assert_eq!(unspoken.split_whitespace().collect::<Vec<_>>().join(" "), said, "{text}");
            assert_eq!(unspoken.len(), text.len());
        }
        assert!(matches!(unspoken("It rains."), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_stays_as_long(text in "[a-c\\[\\]0-9,. é–]{0,40}") {
            proptest::prop_assert_eq!(unspoken(&text).len(), text.len());
            proptest::prop_assert_eq!(blanked(&text).len(), text.len());
        }
    }
}
