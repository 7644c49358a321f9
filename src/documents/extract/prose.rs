//! Text on its way out of a file: bounded, and clean of what no reader wants.

/// Gathers text up to a limit. Line ends become line feeds, other control characters vanish, and no more than two line
/// feeds follow each other.
#[derive(Debug)]
pub(super) struct Prose {
    text: String,
    /// In bytes.
    limit: usize,
    /// Whether something did not fit.
    cut: bool,
    line_feeds: usize,
    /// Whether a line feed is to follow a carriage return, and is not to count.
    returned: bool,
}

impl Prose {
    pub(super) const fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, cut: false, line_feeds: 0, returned: false }
    }

    pub(super) fn push(&mut self, text: &str) {
        for c in text.chars() {
            if self.cut {
                return;
            }
            self.put(c);
        }
    }

    fn put(&mut self, c: char) {
        let returned = std::mem::replace(&mut self.returned, c == '\r');
        let c = match c {
            '\n' if returned => return,
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            '\t' => '\t',
            c if c.is_control() || c == '\u{FEFF}' => return,
            c => c,
        };
        if c == '\n' {
            if self.text.is_empty() || self.line_feeds == 2 {
                return;
            }
            self.line_feeds += 1;
        } else {
            self.line_feeds = 0;
        }
        if self.text.len() + c.len_utf8() > self.limit {
            self.cut = true;
        } else {
            self.text.push(c);
        }
    }

    /// Ends the line, if one was begun.
    pub(super) fn end_line(&mut self) {
        if self.line_feeds == 0 {
            self.push("\n");
        }
    }

    /// Leaves an empty line before what follows.
    pub(super) fn end_part(&mut self) {
        self.end_line();
        self.push("\n");
    }

    /// Ends the page, also one without a word: what comes is on the next.
    pub(super) fn end_page(&mut self) {
        self.end_line();
        if self.text.ends_with("\n\n") {
            self.text.pop();
        }
        if self.text.len() < self.limit {
            self.text.push(PAGE);
        } else {
            self.cut = true;
        }
        self.line_feeds = 2;
    }

    /// Whether anything more would be lost: time to stop reading.
    pub(super) const fn is_full(&self) -> bool {
        self.cut
    }

    /// The text, and a warning if it is not all of it.
    pub(super) fn finish(mut self, warnings: &mut Vec<String>) -> String {
        self.text.truncate(self.text.trim_end().len());
        if self.cut {
            warnings.push(format!("Only the first {} of text were kept.", size(self.limit as u64)));
        }
        self.text
    }
}

/// A short text in one line, such as a title: without control characters and trimmed; `None` if nothing is left.
pub(super) fn line(text: &str) -> Option<String> {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if let Some((end, _)) = line.char_indices().nth(LINE_MAX) {
            line.truncate(end);
            break;
        }
    }
    (!line.is_empty()).then_some(line)
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        1_048_576.. => format!("{} MiB", bytes >> 20),
    }
}

/// Parts pages. No other form feed is ever kept.
pub(super) const PAGE: char = '\u{C}';

/// Characters of a line: longer than titles are.
const LINE_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(limit: usize, text: &str) -> (String, bool) {
        let mut prose = Prose::new(limit);
        prose.push(text);
        let mut warnings = Vec::new();
        (prose.finish(&mut warnings), !warnings.is_empty())
    }

    #[test]
    fn line_ends_of_all_systems_are_one_and_controls_vanish() {
        assert_eq!(kept(99, "\u{FEFF}a\r\nb\rc\u{0}\u{1B}[1m\n\n\n\nd\n"), ("a\nb\nc[1m\n\nd".to_owned(), false));
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters_and_told() {
        assert_eq!(kept(4, "añño"), ("añ".to_owned(), true));
        assert_eq!(kept(4, "abcd"), ("abcd".to_owned(), false));
    }

    #[test]
    fn pages_are_parted_also_those_without_a_word() {
        let mut prose = Prose::new(99);
        for page in ["a\n\n\n", "", "\nb\u{C}c", ""] {
            prose.push(page);
            prose.end_page();
        }
        assert_eq!(prose.finish(&mut Vec::new()), "a\n\u{C}\u{C}b\nc");
        let mut prose = Prose::new(1);
        prose.push("a");
        prose.end_page();
        assert!(prose.is_full());
    }

    proptest! {
        #[test]
        fn the_limit_holds_for_any_text(limit in 0_usize..50, text in "\\PC*|.*") {
            let (kept, cut) = kept(limit, &text);
            prop_assert!(kept.len() <= limit);
            prop_assert!(cut || kept.chars().filter(|c| !c.is_whitespace()).count() <= text.chars().count());
            prop_assert!(!kept.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        }

        #[test]
        fn a_line_is_one_and_short(text in ".{0,900}") {
            if let Some(line) = line(&text) {
                prop_assert!(!line.contains('\n') && line.chars().count() <= LINE_MAX);
            }
        }
    }
}
