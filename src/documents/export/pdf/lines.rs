//! Where lines end (UAX #14), and in which order they show what is in them (UAX #9).

use std::ops::Range;

use krilla::text::KrillaGlyph;
use unicode_linebreak::linebreaks;

use super::{
    faces::FaceId,
    shape::{Paragraph, Run},
};

/// One line, ready to be drawn.
pub(super) struct Line {
    /// What it says; glyphs point into it.
    pub(super) text: String,
    /// From left to right.
    pub(super) pieces: Vec<Piece>,
    /// In ems.
    pub(super) width: f32,
    /// Whether it begins at the right.
    pub(super) rtl: bool,
}

/// Glyphs of one face.
pub(super) struct Piece {
    pub(super) face: FaceId,
    pub(super) glyphs: Vec<KrillaGlyph>,
    /// In ems.
    pub(super) width: f32,
}

/// Cuts a paragraph into lines of at most `width` ems: where the script allows it, else wherever the line is full.
pub(super) fn cut<'p>(paragraph: &'p Paragraph<'_>, width: f32) -> impl Iterator<Item = Line> + 'p {
    ranges(paragraph, width).into_iter().map(|range| line(paragraph, range))
}

/// A cluster's place in the text and its width.
fn clusters(runs: &[Run]) -> Vec<(usize, f32)> {
    let mut all: Vec<(usize, f32)> = Vec::new();
    let mut add = |glyph: &KrillaGlyph| match all.last_mut() {
        Some((at, width)) if *at == glyph.text_range.start => *width += glyph.x_advance,
        Some(_) | None => all.push((glyph.text_range.start, glyph.x_advance)),
    };
    for run in runs {
        match run.level.is_rtl() {
            true => run.glyphs.iter().rev().for_each(&mut add),
            false => run.glyphs.iter().for_each(&mut add),
        }
    }
    all
}

fn ranges(paragraph: &Paragraph<'_>, width: f32) -> Vec<Range<usize>> {
    let text = paragraph.text;
    let mut allowed = linebreaks(text).map(|(at, _)| at).peekable();
    let mut ranges = Vec::new();
    // The line so far; where it may end, and what of it would come after.
    let (mut start, mut filled) = (0, 0.0);
    let mut end: Option<(usize, f32)> = None;
    for (at, advance) in clusters(&paragraph.runs) {
        while allowed.next_if(|place| *place < at).is_some() {}
        if allowed.peek() == Some(&at) && at > start {
            end = Some((at, 0.0));
        }
        let hangs = text[at..].starts_with(char::is_whitespace);
        if filled + advance > width && !hangs && at > start {
            let (cut, after) = end.take().unwrap_or((at, 0.0));
            ranges.push(start..cut);
            (start, filled) = (cut, after);
        }
        filled += advance;
        if let Some((_, after)) = &mut end {
            *after += advance;
        }
    }
    ranges.push(start..text.len());
    ranges
}

fn line(paragraph: &Paragraph<'_>, range: Range<usize>) -> Line {
    let text = paragraph.text[range.clone()].trim_end();
    let range = range.start..range.start + text.len();
    let (levels, stretches) = match range.is_empty() {
        true => (Vec::new(), Vec::new()),
        false => paragraph.bidi.visual_runs(range.clone()),
    };
    let mut pieces = Vec::new();
    for stretch in stretches {
        let within = |run: &&Run| run.range.start < stretch.end && run.range.end > stretch.start;
        let piece = |run: &Run| piece(run, &stretch, &range);
        let runs = paragraph.runs.iter().filter(within);
        match levels[stretch.start].is_rtl() {
            true => pieces.extend(runs.rev().map(piece)),
            false => pieces.extend(runs.map(piece)),
        }
    }
    let width = pieces.iter().map(|piece| piece.width).sum();
    Line { text: text.to_owned(), pieces, width, rtl: paragraph.bidi.paragraph_level.is_rtl() }
}

/// The glyphs of a run that begin in a stretch of a line, pointing into the line.
///
/// A glyph may stand for more than the stretch has: what is unseen at a line's end is a stretch of its own (UAX #9, L1),
/// though it belongs to the cluster before it.
fn piece(run: &Run, stretch: &Range<usize>, line: &Range<usize>) -> Piece {
    let at = |glyph: &KrillaGlyph| glyph.text_range.start;
    let glyphs = &run.glyphs;
    let (from, to) = match run.level.is_rtl() {
        true => (
            glyphs.partition_point(|glyph| at(glyph) >= stretch.end),
            glyphs.partition_point(|g| at(g) >= stretch.start),
        ),
        false => {
            (glyphs.partition_point(|glyph| at(glyph) < stretch.start), glyphs.partition_point(|g| at(g) < stretch.end))
        }
    };
    let mut glyphs = glyphs.get(from..to).unwrap_or_default().to_vec();
    for glyph in &mut glyphs {
        let end = glyph.text_range.end.min(line.end);
        glyph.text_range = glyph.text_range.start - line.start..end - line.start;
    }
    let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
    Piece { face: run.face, glyphs, width }
}
