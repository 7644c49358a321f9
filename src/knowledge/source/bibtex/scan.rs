//! BibTeX's own grammar: entries, fields, strings. Values come out as TeX.

use std::collections::BTreeMap;

use super::{super::imported::Unread, MONTHS};

/// An entry, and where it begins.
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) line: usize,
    pub(super) fields: BTreeMap<String, String>,
}

/// Reads one entry after the other. Strings are put together as they are read, of those before them.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    strings: BTreeMap<String, String>,
    /// Bytes of them.
    kept: usize,
    /// Where lines were counted up to, and which it was.
    counted: (usize, usize),
}

/// Most bytes of a value: strings that are made of strings grow fast.
const LONGEST: usize = 256 << 10;
/// Most bytes of all strings that have a name.
const STRINGS: usize = 1 << 20;

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let months = MONTHS.iter().map(|month| ((*month).to_owned(), (*month).to_owned()));
        Self { text, at: 0, strings: months.collect(), kept: 0, counted: (0, 1) }
    }

    /// The next entry. What stands between entries means nothing.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Unread> {
        loop {
            let Some(sign) = self.text[self.at..].find('@') else { return Ok(None) };
            let began = self.at + sign;
            self.at = began + 1;
            self.blank();
            let kind = self.word().to_lowercase();
            self.blank();
            let close = match self.peek() {
                Some('{') => '}',
                Some('(') => ')',
                // An address, most likely.
                _ => continue,
            };
            if kind == "comment" {
                self.at += 1;
                continue;
            }
            self.at += 1;
            match kind.as_str() {
                "preamble" => {
                    self.value()?;
                    self.end(close)?;
                }
                "string" => {
                    let (name, value) = self.field()?;
                    self.end(close)?;
                    self.kept += value.len();
                    self.strings.insert(name, value);
                    if self.kept > STRINGS {
                        return Err(self.wrong("the strings of this file are too long"));
                    }
                }
                _ => {
                    let line = self.line(began);
                    return Ok(Some(Entry { kind, line, fields: self.fields(close)? }));
                }
            }
        }
    }

    /// `key, name = value, …` up to and with what closes it.
    fn fields(&mut self, close: char) -> Result<BTreeMap<String, String>, Unread> {
        let key = self.text[self.at..].find([',', '}', '=', '"']).unwrap_or(0);
        if self.text[self.at + key..].starts_with([',', '}']) {
            self.at += key;
        }
        let mut fields = BTreeMap::new();
        loop {
            self.blank();
            if self.peek() == Some(',') {
                self.at += 1;
                continue;
            }
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok(fields);
            }
            let (name, value) = self.field()?;
            fields.entry(name).or_insert(value);
        }
    }

    fn field(&mut self) -> Result<(String, String), Unread> {
        self.blank();
        let name = self.word().to_lowercase();
        if name.is_empty() {
            return Err(self.wrong("a field, or the end of the entry, is wanted here"));
        }
        self.blank();
        if self.peek() != Some('=') {
            return Err(self.wrong(format!("`=` is wanted after `{name}`")));
        }
        self.at += 1;
        Ok((name, self.value()?))
    }

    /// Pieces joined by `#`.
    fn value(&mut self) -> Result<String, Unread> {
        let mut value = String::new();
        loop {
            self.blank();
            match self.peek() {
                Some(open @ ('{' | '"')) => value.push_str(self.quoted(open)?),
                Some(c) if c.is_ascii_digit() => value.push_str(self.word()),
                _ => {
                    let name = self.word().to_lowercase();
                    match self.strings.get(&name) {
                        Some(kept) => value.push_str(kept),
                        None if name.is_empty() => return Err(self.wrong("a value is wanted here")),
                        // Styles have strings of their own, names of journals mostly.
                        None => value.push_str(&name),
                    }
                }
            }
            if value.len() > LONGEST {
                return Err(self.wrong("this value is too long"));
            }
            self.blank();
            if self.peek() != Some('#') {
                return Ok(value);
            }
            self.at += 1;
        }
    }

    /// What stands within braces, or within quotes that no brace hides. A brace counts also where TeX is told to show it.
    fn quoted(&mut self, open: char) -> Result<&'t str, Unread> {
        let began = self.at + 1;
        let mut depth = 0_usize;
        for (at, c) in self.text[began..].char_indices() {
            let at = began + at;
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    if open == '"' {
                        return Err(Unread::at(self.text, at, "this brace closes nothing"));
                    }
                    self.at = at + 1;
                    return Ok(&self.text[began..at]);
                }
                '}' => depth -= 1,
                '"' if open == '"' && depth == 0 => {
                    self.at = at + 1;
                    return Ok(&self.text[began..at]);
                }
                _ => {}
            }
        }
        Err(Unread::at(self.text, began - 1, "what begins here has no end"))
    }

    fn end(&mut self, close: char) -> Result<(), Unread> {
        self.blank();
        if self.peek() != Some(close) {
            return Err(self.wrong(format!("`{close}` is wanted here")));
        }
        self.at += 1;
        Ok(())
    }

    /// A name: all but white space and what means something.
    fn word(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || "\"#%'(),={}@".contains(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn blank(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn line(&mut self, at: usize) -> usize {
        let (from, line) = self.counted;
        self.counted = (at, line + self.text[from..at].matches('\n').count());
        self.counted.1
    }

    fn wrong(&self, what: impl Into<String>) -> Unread {
        Unread::at(self.text, self.at, what)
    }
}
