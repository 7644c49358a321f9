//! Markers of citations, `[1]` or `[2, 3]`, are for the eye: they are not read out.

use std::borrow::Cow;

/// The text with markers blanked: as long in bytes as it was, so that all else stays where it is.
pub(super) fn blanked(text: &str) -> Cow<'_, str> {
    let mut blanked = Cow::Borrowed(text);
    let mut from = 0;
    while let Some((start, end)) = next(text, from) {
        blanked.to_mut().replace_range(start..end, &" ".repeat(end - start));
        from = end;
    }
    blanked
}

/// What is said of the text. Where a marker stood before a stop, the stop goes back to its word: `daily [1].` is said as "daily."
/// and not as "daily", a pause, and a stop.
pub(super) fn unspoken(text: &str) -> Cow<'_, str> {
    let mut unspoken = blanked(text);
    let mut from = 0;
    while let Some((_, end)) = next(text, from) {
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

/// Where the next marker is, in bytes.
fn next(text: &str, mut from: usize) -> Option<(usize, usize)> {
    loop {
        let start = from + text[from..].find('[')?;
        let inside = &text[start + 1..];
        let end = inside.find(|c: char| !matches!(c, '0'..='9' | ',' | ' ' | '-' | '–' | '^'));
        if let Some(end) = end.filter(|end| inside[*end..].starts_with(']') && is_marker(&inside[..*end])) {
            return Some((start, start + end + 2));
        }
        from = start + 1;
    }
}

/// Whether a bracket holds numbers of passages. They are small: `[2024]` is a year.
fn is_marker(inside: &str) -> bool {
    let number = |part: &str| (1..=2).contains(&part.trim().trim_start_matches('^').len());
    inside.split([',', '-', '–']).all(number)
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
