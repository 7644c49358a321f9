//! Markers by which a text refers to passages: `[1]`, `[1, 3]`, `[2-4]`.

use std::{collections::BTreeSet, ops::Range};

/// The numbers of all markers of a text.
pub fn numbers(text: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut from = 0;
    while let Some((at, numbers)) = next(text, from) {
        found.extend(numbers);
        from = at.end;
    }
    found
}

/// The next marker that begins at this byte or behind it: where it stands, with its brackets, and its numbers.
pub fn next(text: &str, mut from: usize) -> Option<(Range<usize>, Vec<u32>)> {
    loop {
        let start = from + text[from..].find('[')?;
        let inside = &text[start + 1..];
        let end = inside.find(|c: char| !may_stand(c)).filter(|end| inside[*end..].starts_with(']'));
        let numbers = end.map(|end| listed(&inside[..end])).unwrap_or_default();
        if let Some(end) = end.filter(|_| !numbers.is_empty()) {
            return Some((start..start + end + 2, numbers));
        }
        from = start + 1;
    }
}

/// Whether a character may stand in a marker's brackets.
pub(crate) const fn may_stand(c: char) -> bool {
    matches!(c, '0'..='9' | ',' | ' ' | '-' | '–' | '^')
}

/// The numbers that a bracket lists, ranges among them; none if it lists anything else. They are small: `[2024]` is a year.
pub(crate) fn listed(inside: &str) -> Vec<u32> {
    let number = |text: &str| {
        let text = text.trim().trim_start_matches('^');
        (1..=DIGITS).contains(&text.len()).then(|| text.parse::<u32>().ok()).flatten()
    };
    let listed = inside.split(',').map(|part| match part.split_once(['-', '–']) {
        None => number(part).map(|one| one..=one),
        Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| from..=to),
    });
    listed.collect::<Option<Vec<_>>>().unwrap_or_default().into_iter().flatten().collect()
}

/// Digits that numbers of passages have at most.
const DIGITS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_text_are_those_of_its_markers() {
        assert_eq!(numbers("a [1], b [^3][5-6] c[12] [2024] [x] [ [8]"), BTreeSet::from([1, 3, 5, 6, 8, 12]));
        assert_eq!(numbers("none ] [ ] [3-1] [1"), BTreeSet::new());
        assert_eq!(next("é [x] [2, 3].", 0), Some((7..13, vec![2, 3])));
    }
}
