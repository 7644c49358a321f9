//! The rules and their order: the first that matches at a word's start and has something to say wins.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{address, clock, figures, measure, money, shortening, symbol};

/// A pattern, anchored where the scan stands, and what a match is said as; `None` leaves it to the next rule.
pub(super) struct Rule(pub(super) &'static str, pub(super) fn(&Captures<'_>, Place<'_>) -> Option<String>);

/// What surrounds a match.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The last word before it, as it is said.
    pub(super) said: &'a str,
    /// The text after it.
    pub(super) after: &'a str,
}

impl Place<'_> {
    /// Whether a sentence ends here, when the match itself swallowed the full stop.
    pub(super) fn ends_sentence(self) -> bool {
        let rest = self.after.trim_start();
        rest.is_empty() || rest.len() < self.after.len() && rest.starts_with(char::is_uppercase)
    }
}

/// How many bytes the first fitting rule takes, and what it says.
pub(super) fn apply(rest: &str, said: &str) -> Option<(usize, String)> {
    let reach = &rest[..symbol::floor(rest, REACH)];
    TABLE.iter().find_map(|(pattern, Rule(_, say))| {
        let found = pattern.captures(reach)?;
        let length = found.get(0)?.end();
        let after = &rest[length..];
        let cut = |c: char| c.is_alphanumeric() || c == '_';
        if length == 0 || reach[..length].ends_with(char::is_alphabetic) && after.starts_with(cut) {
            return None;
        }
        if reach[..length].ends_with(|c: char| c.is_ascii_digit()) && after.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        Some((length, say(&found, Place { said, after })?))
    })
}

static TABLE: LazyLock<Vec<(Regex, &'static Rule)>> = LazyLock::new(|| {
    let tables =
        [symbol::RULES, address::RULES, clock::RULES, money::RULES, measure::RULES, figures::RULES, shortening::RULES];
    let rules = tables.into_iter().flatten();
    rules.filter_map(|rule| Some((Regex::new(&format!("^(?:{})", rule.0)).ok()?, rule))).collect()
});

/// No rule looks further than this, in bytes: the pass stays linear.
const REACH: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_valid() {
        let tables = [symbol::RULES, address::RULES, clock::RULES, money::RULES, measure::RULES, figures::RULES];
        let count: usize = tables.iter().chain([&shortening::RULES]).map(|table| table.len()).sum();
        assert_eq!(TABLE.len(), count);
    }
}
