//! Words to search for, as each engine wants them asked for, and where they are in a text. Words are found by their beginnings,
//! in any case.

use std::ops::Range;

/// Words of which a text must have all, each by its beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words(Vec<String>);

/// More than anybody remembers of a text.
const MOST: usize = 16;

impl Words {
    /// What a person typed into a search field: only its letters and digits count, and only so many words. `None` if it has
    /// none.
    pub fn of(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<_> = words.take(MOST).map(str::to_lowercase).collect();
        (!words.is_empty()).then_some(Self(words))
    }

    /// The first word of a text that begins with one of these, in bytes.
    pub fn first_in(&self, text: &str) -> Option<Range<usize>> {
        let mut start = 0;
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let begins = word.to_lowercase();
            if self.0.iter().any(|wanted| begins.starts_with(wanted)) {
                return Some(start..start + word.len());
            }
            start += word.len();
            start += text[start..].chars().next().map_or(0, char::len_utf8);
        }
        None
    }

    /// As SQLite's FTS5 takes it (<https://sqlite.org/fts5.html#full_text_query_syntax>).
    pub(super) fn fts5(&self) -> String {
        self.joined(" ", |word| format!("\"{word}\"*"))
    }

    /// As PostgreSQL's `to_tsquery` takes it.
    pub(super) fn tsquery(&self) -> String {
        self.joined(" & ", |word| format!("{word}:*"))
    }

    fn joined(&self, by: &str, one: impl Fn(&String) -> String) -> String {
        self.0.iter().map(one).collect::<Vec<_>>().join(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_person_types_is_an_operator() {
        let words = Words::of("Rain* OR (\"wind'; NEAR/2 -snow:").unwrap();
        assert_eq!(words.fts5(), r#""rain"* "or"* "wind"* "near"* "2"* "snow"*"#);
        assert_eq!(words.tsquery(), "rain:* & or:* & wind:* & near:* & 2:* & snow:*");
        assert_eq!(Words::of(" \"*' & | "), None);
        assert_eq!(Words::of(&"a ".repeat(100)).unwrap().0.len(), MOST);
    }

    #[test]
    fn the_first_word_that_begins_with_one_of_them_is_found() {
        let first = |words: &str, text| Words::of(words).unwrap().first_in(text).map(|at| &text[at]);
        assert_eq!(first("RAI snow", "Terrain, „Rain“ or snow"), Some("Rain"));
        assert_eq!(first("über", "–ÜBERRASCHUNG"), Some("ÜBERRASCHUNG"));
        assert_eq!(first("rain", "Nothing of it, terrain"), None);
        assert_eq!(first("rain", ""), None);
    }
}
