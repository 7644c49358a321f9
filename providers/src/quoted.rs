//! Somebody's text as a model is told it: as data, which passes for no line of ours.

/// A text on one line.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// A name or a title on one line, for between quotation marks.
pub fn name(text: &str) -> String {
    one_line(text).replace('"', "'")
}

/// The lines of a text, each behind `> `.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.split(is_break).map(|line| format!("> {}", line.trim_end()))
}

/// Whatever some reader takes for the end of a line.
pub const fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
