//! The pass over the text: rules at the start of words, characters elsewhere, line markers at the start of lines.

use super::{
    Word,
    line::{self, Marker},
    numerals, rules, symbol,
};

/// A place in the text and the words before it.
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    words: Vec<Word>,
    /// Whether the next sound or mark belongs to the last word.
    open: bool,
    /// Whether this line began with a marker.
    marked: bool,
    /// Marks that go in front of the next word, and where they began.
    opening: Option<(String, usize)>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, words: Vec::new(), open: false, marked: false, opening: None }
    }

    pub(super) fn words(mut self) -> Vec<Word> {
        self.line();
        while self.at < self.text.len() {
            self.step();
        }
        self.words
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return };
        if c.is_whitespace() {
            return self.space(rest);
        }
        if self.rules_apply(c, rest)
            && let Some((length, said)) = rules::apply(rest, self.before())
        {
            self.say(&said, length);
            return;
        }
        if c.is_alphabetic() {
            return self.letters(rest);
        }
        if c.is_ascii_digit() {
            let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()).min(DIGITS);
            self.say(&numerals::digits(&rest[..length]), length);
            self.open = length < DIGITS;
            return;
        }
        self.mark(c, rest);
    }

    /// Whether a rule may begin here: at letters, figures, or a mark that goes with what follows it; not between two
    /// letters, and a hyphen inside a word is no minus. Keeps the many rules away from most marks.
    fn rules_apply(&self, here: char, rest: &str) -> bool {
        let before = self.text[..self.at].chars().next_back().unwrap_or(' ');
        let next = rest[here.len_utf8()..].chars().next().unwrap_or(' ');
        let figure = next.is_ascii_digit();
        match here {
            '-' | '=' if next == '>' => true,
            '-' | '−' => !before.is_alphanumeric() && (figure || next == '.' || symbol::is_currency(next)),
            '.' | '+' | '\'' | '’' => figure,
            '(' | '[' => figure || next == '^',
            '!' => next == '[',
            ']' => next == '(',
            '<' => next == '/' || next.is_ascii_alphabetic(),
            '#' => figure,
            '^' => !next.is_whitespace(),
            _ if symbol::is_currency(here) => true,
            // An endless number has no reading; its digits go by without a look.
            _ if here.is_ascii_digit() => {
                !before.is_ascii_digit() && rest.bytes().take(DIGITS * 3 + 1).any(|b| !b.is_ascii_digit())
                    || rest.len() <= DIGITS * 3
            }
            _ => here.is_alphabetic() && !before.is_alphabetic(),
        }
    }

    /// The last thing said.
    fn before(&self) -> &str {
        self.words.last().map_or("", |word| &word.spoken)
    }

    /// White space ends a word; the end of a paragraph or of a list's item ends a sentence.
    fn space(&mut self, rest: &str) {
        let length = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let lines = rest[..length].matches('\n').count();
        self.at += length;
        self.open = false;
        if lines == 0 {
            return;
        }
        let said = self.words.len();
        let ended = std::mem::take(&mut self.marked);
        self.line();
        if (lines > 1 || self.marked || ended)
            && let Some(word) = self.words[..said].last_mut()
            && word.spoken.ends_with(|c: char| c.is_alphanumeric() || c == ')' || c == '"')
        {
            word.spoken.push('.');
        }
    }

    /// Takes the marker of a list's item, a heading, a quotation or a fence.
    fn line(&mut self) {
        match line::marker(self.rest()) {
            Marker::None => return,
            Marker::Silent(length) => self.at += length,
            Marker::Item { number, length } => {
                self.say(&numerals::cardinal(number), length);
                self.pause(',', 0);
            }
        }
        self.open = false;
        self.marked = true;
    }

    /// A run of letters, apostrophes and inner hyphens: a word for the dictionary.
    fn letters(&mut self, rest: &str) {
        let mut length = 0;
        for (at, c) in rest.char_indices() {
            let next = rest[at + c.len_utf8()..].chars().next();
            let inner =
                matches!(c, '\'' | '’' | '-' | '\u{2010}' | '\u{2011}') && next.is_some_and(char::is_alphabetic);
            if !(c.is_alphabetic() || symbol::is_combining(c) || inner) || at >= LETTERS {
                break;
            }
            length = at + c.len_utf8();
        }
        // Never nothing: the first character is a letter. What is longer goes on as another word.
        let word = &rest[..length.max(rest.chars().next().map_or(1, char::len_utf8))];
        let said: String = word.chars().filter(|c| symbol::is_sayable(*c)).map(symbol::plain).collect();
        if said.is_empty() {
            self.open = false;
            self.at += word.len();
        } else {
            self.say(&said, word.len());
            self.open = word.len() < LETTERS;
        }
    }

    /// A symbol or mark: a word, a pause, or nothing.
    fn mark(&mut self, c: char, rest: &str) {
        let after = rest[c.len_utf8()..].chars().next();
        let before = self.text[..self.at].chars().next_back();
        match symbol::read(c, before, after) {
            symbol::Reading::Word(word) => self.say(word, c.len_utf8()),
            symbol::Reading::Pause(mark) => self.pause(mark, c.len_utf8()),
            symbol::Reading::Opening(mark) => {
                let (marks, _) = self.opening.get_or_insert_with(|| (String::new(), self.at));
                marks.push(mark);
                self.open = false;
                self.at += c.len_utf8();
            }
            symbol::Reading::Break => {
                self.open = false;
                self.at += c.len_utf8();
            }
            symbol::Reading::Silent => self.at += c.len_utf8(),
        }
    }

    /// Adds a mark to the last word, once.
    fn pause(&mut self, mark: char, length: usize) {
        let end = self.at + length;
        if let Some(word) = self.words.last_mut() {
            if self.open {
                word.source.end = end;
            }
            let last = word.spoken.chars().next_back();
            let pending = last.is_some_and(|last| matches!(last, ',' | ';' | ':' | '—'));
            let ended = last.is_some_and(|last| matches!(last, '.' | '!' | '?' | '…'));
            let closing = matches!(mark, '"' | '”' | ')');
            if closing && last != Some(mark) {
                word.spoken.push(mark);
            } else if pending && matches!(mark, '.' | '!' | '?' | '…') {
                word.spoken.pop();
                word.spoken.truncate(word.spoken.trim_end().len());
                word.spoken.push(mark);
            } else if !(pending || ended || closing) {
                if mark == '—' {
                    word.spoken.push(' ');
                }
                word.spoken.push(mark);
            }
        }
        self.at = end;
    }

    /// Says something new: after figures and symbols within one word it joins that word.
    fn say(&mut self, said: &str, length: usize) {
        let (marks, from) = self.opening.take().unwrap_or_else(|| (String::new(), self.at));
        let end = self.at + length;
        match self.words.last_mut() {
            Some(word) if self.open && word.spoken.len() < LETTERS => {
                if !said.is_empty() {
                    word.spoken.push(' ');
                    word.spoken.push_str(&marks);
                    word.spoken.push_str(said);
                }
                word.source.end = end;
            }
            Some(_) | None if said.is_empty() => {}
            Some(_) | None => self.words.push(Word { spoken: marks + said, source: from..end }),
        }
        self.open = true;
        self.at = end;
    }
}

/// Letters of one word, at most: no word is longer, and what follows is read as the next.
const LETTERS: usize = 60;
/// Digits read in one go.
const DIGITS: usize = 12;
