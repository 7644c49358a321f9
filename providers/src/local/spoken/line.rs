//! What Markdown puts at the start of a line.

/// A line's marker, in bytes to skip.
pub(super) enum Marker<'a> {
    /// An ordinary line.
    None,
    /// Said by a pause alone: a heading, a bullet, a quotation, a rule, a fence.
    Silent(usize),
    /// A numbered item.
    Item {
        /// Its digits.
        number: &'a str,
        /// The whole marker.
        length: usize,
    },
}

/// Reads the marker at the start of a line; quotations and items may nest.
pub(super) fn marker(text: &str) -> Marker<'_> {
    let line = text.split('\n').next().unwrap_or_default();
    let mut at = 0;
    loop {
        let rest = line[at..].trim_start_matches([' ', '\t']);
        let indent = line.len() - at - rest.len();
        if is_rule(rest) || rest.starts_with("```") || rest.starts_with("~~~") {
            return Marker::Silent(line.len());
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if (1..=3).contains(&digits) && (rest[digits..].starts_with(". ") || rest[digits..].starts_with(") ")) {
            return Marker::Item { number: &rest[..digits], length: at + indent + digits + 2 };
        }
        match symbol(rest) {
            0 if at == 0 => return Marker::None,
            0 => return Marker::Silent(at),
            length => at += indent + length,
        }
    }
}

/// Length of one heading, quotation, bullet or check box.
fn symbol(rest: &str) -> usize {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    if (1..=6).contains(&hashes) && rest[hashes..].starts_with(' ') {
        return hashes + 1;
    }
    let marks = ["[ ] ", "[x] ", "[X] ", "- ", "* ", "+ ", "• ", "> ", ">"];
    marks.iter().find(|mark| rest.starts_with(**mark)).map_or(0, |mark| mark.len())
}

/// A ruled line, or the one under a table's head.
fn is_rule(line: &str) -> bool {
    let line = line.trim_end();
    line.len() > 2 && line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | '|' | ':' | ' '))
}
