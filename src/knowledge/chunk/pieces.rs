//! What passages are made of: headings, lines of lists and tables, sentences, and parts of sentences that are too long.

use std::ops::Range;

use providers::sentences::{self, is_finished, trimmed};

use super::{
    TARGET,
    tokens::{Weight, estimate},
};

/// Something that is not cut again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Where it stands in the text.
    pub(super) bytes: Range<usize>,
    /// From 1; `None` of a text without form feeds.
    pub(super) page: Option<u32>,
    /// About how many; at most [`TARGET`].
    pub(super) tokens: usize,
    pub(super) kind: Kind,
}

/// What a piece is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// What follows is about this.
    Heading,
    /// A sentence, or a line that stands for itself.
    Whole,
    /// What ends without the end of its sentence: the next page may go on with it.
    Unfinished,
}

/// All pieces of a text, in order. Nothing but blanks is lost.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Pieces { text, page: text.contains(PAGE).then_some(1), pieces: Vec::new() };
    let lines = lines(text);
    let mut paragraph: Option<Range<usize>> = None;
    for (at, line) in lines.iter().enumerate() {
        let blank = |line: &Line| line.kind == Shape::Blank;
        let stands_alone = (line.opens_page || at == 0 || blank(&lines[at - 1]))
            && lines.get(at + 1).is_some_and(|next| blank(next) && !next.opens_page);
        if line.opens_page {
            out.prose(paragraph.take());
            out.page = out.page.map(|page| page + 1);
        }
        match line.kind {
            Shape::Heading => {
                out.prose(paragraph.take());
                out.push(line.bytes.clone(), Kind::Heading);
            }
            Shape::Title if stands_alone => {
                out.prose(paragraph.take());
                out.push(line.bytes.clone(), Kind::Heading);
            }
            Shape::Entry => {
                out.prose(paragraph.take());
                out.push(line.bytes.clone(), Kind::Whole);
            }
            Shape::Blank => out.prose(paragraph.take()),
            Shape::Title | Shape::Prose => {
                let start = paragraph.map_or(line.bytes.start, |begun| begun.start);
                paragraph = Some(start..line.bytes.end);
            }
        }
    }
    out.prose(paragraph);
    out.pieces
}

struct Pieces<'a> {
    text: &'a str,
    page: Option<u32>,
    pieces: Vec<Piece>,
}

impl Pieces<'_> {
    /// The sentences of a paragraph.
    fn prose(&mut self, paragraph: Option<Range<usize>>) {
        let Some(paragraph) = paragraph else { return };
        let text = self.text;
        for sentence in sentences::ranges(&text[paragraph.clone()]) {
            let bytes = paragraph.start + sentence.start..paragraph.start + sentence.end;
            let kind = if is_finished(&text[bytes.clone()]) { Kind::Whole } else { Kind::Unfinished };
            self.push(bytes, kind);
        }
    }

    /// In parts, if it is too long: at blanks, and where there are none, between characters.
    fn push(&mut self, bytes: Range<usize>, kind: Kind) {
        let mut rest = bytes;
        while let Some(bytes) = trimmed(self.text, rest.clone()) {
            let fits = bytes.start + longest(&self.text[bytes.clone()]);
            // A heading of a page's length is none.
            let kind = if fits < bytes.end && kind == Kind::Heading { Kind::Whole } else { kind };
            let part = trimmed(self.text, bytes.start..fits).unwrap_or(bytes.start..fits);
            self.pieces.push(Piece { tokens: estimate(&self.text[part.clone()]), bytes: part, page: self.page, kind });
            rest = fits..bytes.end;
        }
    }
}

/// How many bytes of a text, which does not begin with a blank, make a piece.
fn longest(text: &str) -> usize {
    let (mut weight, mut blank) = (Weight::default(), None);
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            blank = Some(at);
        }
        weight.add(c);
        if weight.tokens() > TARGET {
            return blank.filter(|blank| at - blank <= LONGEST_WORD).unwrap_or(at);
        }
    }
    text.len()
}

/// A line of the text, without its end.
struct Line {
    bytes: Range<usize>,
    kind: Shape,
    /// Whether a form feed stands right before it.
    opens_page: bool,
}

/// What a line looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Blank,
    /// By its Markdown.
    Heading,
    /// Short, and without an end: a heading if it stands alone.
    Title,
    /// Of a list or a table.
    Entry,
    Prose,
}

fn lines(text: &str) -> Vec<Line> {
    let (mut start, mut opens_page) = (0, false);
    let mut lines = Vec::new();
    for line in text.split_inclusive(['\n', PAGE]) {
        let bare = line.trim_end_matches(['\n', PAGE]);
        lines.push(Line { bytes: start..start + bare.len(), kind: shape(bare), opens_page });
        start += line.len();
        opens_page = line.ends_with(PAGE);
    }
    lines
}

fn shape(line: &str) -> Shape {
    let bare = line.trim();
    let marks = bare.len() - bare.trim_start_matches('#').len();
    let behind = &bare[marks..];
    if bare.is_empty() {
        Shape::Blank
    } else if (1..=6).contains(&marks) && behind.starts_with(char::is_whitespace) && !behind.trim().is_empty() {
        Shape::Heading
    } else if is_entry(bare) {
        Shape::Entry
    } else if is_title(bare) {
        Shape::Title
    } else {
        Shape::Prose
    }
}

fn is_entry(line: &str) -> bool {
    let bullet = ["- ", "* ", "+ ", "• ", "– "].iter().any(|mark| line.starts_with(mark));
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = numbered.len() < line.len() && (numbered.starts_with(". ") || numbered.starts_with(") "));
    bullet || number || line.contains('\t') || line.starts_with('|')
}

fn is_title(line: &str) -> bool {
    let short = line.len() <= 80 && line.split_whitespace().count() <= 10;
    let begins = line.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    let sentences = line.contains(". ") || line.ends_with(['.', ',', ';', ':', '?', '!', '-']);
    short && begins && line.contains(char::is_alphabetic) && !sentences
}

/// Ends a page in the text of a file.
const PAGE: char = '\u{c}';

/// Bytes of what is still a word: longer ones are no language, and are cut anywhere.
const LONGEST_WORD: usize = 256;
