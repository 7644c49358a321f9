//! Text cut into passages that an embedding model takes whole and a person reads alone.
//!
//! A passage keeps to one section and one page: it begins anew at each heading and each form feed. Within these it takes
//! sentence after sentence up to about [`TARGET`] tokens, and begins with the last words of the one before it, so that what
//! stands at a seam is found too. All of the text but blanks is in some passage. Pure: knows no model and no store.

mod pieces;
mod tokens;

use std::ops::Range;

use self::pieces::{Kind, Piece, pieces};

/// A passage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Its words, as they stand in the whole text from `start` to `end`.
    pub text: String,
    /// The heading it stands under, unless it is the heading.
    pub heading: Option<String>,
    /// The page it is on, from 1; `None` of a text without form feeds.
    pub page: Option<u32>,
    /// Its first character, counted from 0 in the characters (Unicode scalar values) of the whole text.
    pub start: usize,
    /// Behind its last character, in the same count.
    pub end: usize,
}

/// Tokens (estimated) that a passage is filled up to.
pub const TARGET: usize = 180;

/// Tokens (estimated) of what a passage repeats of the one before it, at most. A passage with it is well below the 256 that
/// the embedded model reads, so that a title and a heading find room beside it.
const OVERLAP: usize = 30;

/// Cuts a text. A blank one has no passages.
pub fn chunks(text: &str) -> Vec<Chunk> {
    let mut cutter = Cutter { text, pending: Vec::new(), repeated: 0, heading: None, spans: Vec::new() };
    for piece in pieces(text) {
        cutter.take(piece);
    }
    cutter.cut();
    counted(text, cutter.spans)
}

impl Chunk {
    /// What is embedded of it: its words below the title of its document and its heading, without which words like "it" say
    /// little.
    pub fn in_context(&self, title: Option<&str>) -> String {
        let above = [title, self.heading.as_deref()].into_iter().flatten().filter(|line| !self.text.contains(line));
        let mut told = String::new();
        for line in above {
            told.extend(line.chars().take(LINE));
            told.push('\n');
        }
        told + &self.text
    }
}

/// Characters of a title or heading that go before a passage.
const LINE: usize = 100;

/// A passage by its bytes.
struct Span {
    bytes: Range<usize>,
    heading: Option<String>,
    page: Option<u32>,
}

struct Cutter<'a> {
    text: &'a str,
    /// What the next passage is made of.
    pending: Vec<Piece>,
    /// How many of them the last passage has too.
    repeated: usize,
    heading: Option<String>,
    spans: Vec<Span>,
}

impl Cutter<'_> {
    fn take(&mut self, piece: Piece) {
        let turned = self.pending.last().is_some_and(|last| last.page != piece.page);
        if piece.kind == Kind::Heading {
            // Headings that follow each other belong to the text below them.
            if turned || self.pending.iter().any(|pending| pending.kind != Kind::Heading) {
                self.cut();
                self.pending.clear();
                self.repeated = 0;
            }
            self.heading = Some(heading(&self.text[piece.bytes.clone()]));
        } else if turned {
            self.cut();
            self.repeat(|last| last.kind == Kind::Unfinished, 1);
        }
        if self.weight() + piece.tokens > TARGET && self.pending.len() > self.repeated {
            self.cut();
            self.repeat(|_| true, 2);
        }
        self.pending.push(piece);
    }

    fn weight(&self) -> usize {
        self.pending.iter().map(|piece| piece.tokens).sum()
    }

    /// Makes a passage of what is pending, unless the last one has it all.
    fn cut(&mut self) {
        let (Some(first), Some(last), Some(own)) =
            (self.pending.first(), self.pending.last(), self.pending.get(self.repeated))
        else {
            return;
        };
        let bytes = first.bytes.start..last.bytes.end;
        let heading = self.heading.clone().filter(|_| own.kind != Kind::Heading);
        self.spans.push(Span { bytes, heading, page: own.page });
    }

    /// Keeps what the next passage repeats: of the last pieces at most `most` for which this holds.
    fn repeat(&mut self, holds: impl Fn(&Piece) -> bool, most: usize) {
        let mut room = OVERLAP;
        let fits = |piece: &&Piece| {
            let fits = piece.kind != Kind::Heading && piece.tokens <= room && holds(piece);
            room = room.saturating_sub(piece.tokens);
            fits
        };
        let kept = self.pending.iter().rev().take(most).take_while(fits).count();
        self.pending.drain(..self.pending.len() - kept);
        self.repeated = kept;
    }
}

/// A heading without its marks.
fn heading(line: &str) -> String {
    let bare = line.trim_matches(|c: char| c == '#' || c.is_whitespace());
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes become characters in one walk over the text: passages begin and end in order.
fn counted(text: &str, spans: Vec<Span>) -> Vec<Chunk> {
    let mut counter = Counter { text, byte: 0, count: 0 };
    let starts: Vec<_> = spans.iter().map(|span| counter.at(span.bytes.start)).collect();
    let mut counter = Counter { text, byte: 0, count: 0 };
    let ends: Vec<_> = spans.iter().map(|span| counter.at(span.bytes.end)).collect();
    let chunk = |(span, (start, end)): (Span, (usize, usize))| Chunk {
        text: text[span.bytes].to_owned(),
        heading: span.heading,
        page: span.page,
        start,
        end,
    };
    spans.into_iter().zip(starts.into_iter().zip(ends)).map(chunk).collect()
}

struct Counter<'a> {
    text: &'a str,
    byte: usize,
    count: usize,
}

impl Counter<'_> {
    /// The characters before this byte, which is none before the last asked for.
    fn at(&mut self, byte: usize) -> usize {
        self.count += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.count
    }
}

#[cfg(test)]
mod tests;
