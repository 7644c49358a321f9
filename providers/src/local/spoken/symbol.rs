//! Single characters that are neither plain letters nor figures, and inline markup.

use super::rules::Rule;

/// What a character asks for.
pub(super) enum Reading {
    /// A word.
    Word(&'static str),
    /// A mark after the last word.
    Pause(char),
    /// A mark before the next word.
    Opening(char),
    /// Nothing, but it parts two words.
    Break,
    /// Nothing.
    Silent,
}

/// Reads a character between its neighbours.
pub(super) fn read(c: char, before: Option<char>, after: Option<char>) -> Reading {
    let near = |c: Option<char>, test: fn(char) -> bool| c.is_some_and(test);
    let free = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let within = near(before, char::is_alphanumeric) && near(after, char::is_alphanumeric);
    match c {
        '.' if within => Reading::Word("dot"),
        '.' if after == Some('.') => Reading::Pause('…'),
        '.' | ',' | '!' | '?' | ';' | ':' | '…' | '”' | ')' => Reading::Pause(c),
        '—' | '–' => Reading::Pause('—'),
        '-' if free(before) && free(after) => Reading::Pause('—'),
        '"' if near(after, char::is_alphanumeric) && !near(before, char::is_alphanumeric) => Reading::Opening('"'),
        '"' => Reading::Pause('"'),
        '(' | '“' => Reading::Opening(c),
        '|' => Reading::Pause(','),
        '*' if free(before) && free(after) => Reading::Word("times"),
        '*' if near(before, |c| c.is_ascii_digit()) && near(after, |c| c.is_ascii_digit()) => Reading::Word("times"),
        '/' if near(before, char::is_alphabetic) && near(after, char::is_alphabetic) => Reading::Silent,
        '/' if !free(after) => Reading::Word("slash"),
        '~' if near(after, |c| c.is_ascii_digit()) => Reading::Word("about"),
        '#' if near(after, |c| c.is_ascii_digit()) => Reading::Word("number"),
        '#' if near(after, char::is_alphabetic) => Reading::Word("hashtag"),
        _ => WORDS.iter().find(|(symbol, _)| *symbol == c).map_or_else(|| unsaid(c), |(_, word)| Reading::Word(word)),
    }
}

fn unsaid(c: char) -> Reading {
    match c {
        '-' | '*' | '_' | '`' | '\'' | '’' | '‘' | '\\' | '^' | '~' | '[' | ']' | '{' | '}' | '/' | '#' => {
            Reading::Silent
        }
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => Reading::Silent,
        _ => Reading::Break,
    }
}

/// Whether the voice has a reading for a letter: Latin, Greek and Cyrillic.
pub(super) fn is_sayable(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '\'' | '’' | '-' | '\u{2010}' | '\u{2011}' | '\u{c0}'..='\u{24f}')
        || matches!(c, '\u{370}'..='\u{4ff}' | '\u{1e00}'..='\u{1eff}' | '\u{fb00}'..='\u{fb04}')
}

/// Marks of the currencies that are written before or after an amount.
pub(super) fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₩' | '¢')
}

/// Typographic variants as the dictionary spells them.
pub(super) fn plain(c: char) -> char {
    match c {
        '’' => '\'',
        '\u{2010}' | '\u{2011}' => '-',
        other => other,
    }
}

/// Marks over or under the letter before.
pub(super) fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The greatest character boundary up to `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    if at >= text.len() { text.len() } else { text.floor_char_boundary(at) }
}

const WORDS: &[(char, &str)] = &[
    ('&', "and"),
    ('@', "at"),
    ('+', "plus"),
    ('=', "equals"),
    ('<', "less than"),
    ('>', "greater than"),
    ('%', "percent"),
    ('‰', "per mille"),
    ('$', "dollar"),
    ('€', "euro"),
    ('£', "pound"),
    ('¥', "yen"),
    ('¢', "cents"),
    ('°', "degrees"),
    ('×', "times"),
    ('÷', "divided by"),
    ('±', "plus or minus"),
    ('−', "minus"),
    ('≤', "less than or equal to"),
    ('≥', "greater than or equal to"),
    ('≠', "not equal to"),
    ('≈', "about"),
    ('∞', "infinity"),
    ('√', "square root of"),
    ('→', "to"),
    ('§', "section"),
    ('²', "squared"),
    ('³', "cubed"),
    ('½', "one half"),
    ('¼', "one quarter"),
    ('¾', "three quarters"),
    ('⅓', "one third"),
    ('⅔', "two thirds"),
    ('⅛', "one eighth"),
];

pub(super) const RULES: &[Rule] = &[
    // The target of a link, whose text has been said; a reference to a note; a tag.
    Rule(r"\]\([^)\s]*(?:\s[^)]*)?\)", |_, _| Some(String::new())),
    Rule(r"!?\[\^?[0-9]{1,3}\]", |_, _| Some(String::new())),
    Rule(r"</?[A-Za-z][^<>]*>", |_, _| Some(String::new())),
    Rule(r"!\[", |_, _| Some(String::new())),
    Rule(r"[-=]>", |_, _| Some("to".to_owned())),
    Rule(r"\^2\b", |_, _| Some("squared".to_owned())),
    Rule(r"\^3\b", |_, _| Some("cubed".to_owned())),
    Rule(r"\^", |_, place| {
        place.after.starts_with(|c: char| c.is_alphanumeric() || c == '-').then(|| "to the power of".to_owned())
    }),
    Rule(r"([A-Z]{1,3})&([A-Z]{1,3})\b", |m, _| {
        let letters = |text: &str| text.chars().map(String::from).collect::<Vec<_>>().join(" ");
        Some(format!("{} and {}", letters(&m[1]), letters(&m[2])))
    }),
];
