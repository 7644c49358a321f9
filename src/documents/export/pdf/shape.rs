//! From characters to glyphs: which direction, which face, which forms.

use std::ops::Range;

use krilla::text::{GlyphId, KrillaGlyph};
use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::{Level, ParagraphBidiInfo};
use unicode_script::{Script, UnicodeScript};

use super::faces::{FaceId, Faces};

/// Text of one line of its author's, shaped.
pub(super) struct Paragraph<'t> {
    pub(super) text: &'t str,
    pub(super) bidi: ParagraphBidiInfo<'t>,
    /// In the order of the text.
    pub(super) runs: Vec<Run>,
}

/// A stretch of one direction, face and script.
pub(super) struct Run {
    pub(super) range: Range<usize>,
    pub(super) level: Level,
    pub(super) face: FaceId,
    /// From left to right, measured in ems; their ranges are of the paragraph's text.
    pub(super) glyphs: Vec<KrillaGlyph>,
}

impl<'t> Paragraph<'t> {
    pub(super) fn new(text: &'t str, mono: bool, faces: &mut Faces<'_>) -> Self {
        let bidi = ParagraphBidiInfo::new(text, None);
        let mut runs = itemise(text, &bidi, mono, faces);
        runs.iter_mut().for_each(|run| shape(run, text, faces));
        Self { text, bidi, runs }
    }
}

/// Tabs as spaces, and a mark in place of what has no form.
pub(super) fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// Cuts text that is too long to be set at once, after white space if there is any; lines end there too.
pub(super) fn stretch(text: &str) -> (&str, &str) {
    /// Bytes: several pages.
    const LONGEST: usize = 16 << 10;
    if text.len() <= LONGEST {
        return (text, "");
    }
    let end = text.floor_char_boundary(LONGEST);
    let space = text[..end].char_indices().rev().take(LONGEST / 4).find(|(_, c)| c.is_whitespace());
    text.split_at(space.map_or(end, |(at, c)| at + c.len_utf8()))
}

fn itemise(text: &str, bidi: &ParagraphBidiInfo<'_>, mono: bool, faces: &mut Faces<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut script = Script::Common;
    for (at, c) in text.char_indices() {
        let (level, end) = (bidi.levels[at], at + c.len_utf8());
        let own = c.script();
        let open = matches!(own, Script::Common | Script::Inherited | Script::Unknown);
        let Some(last) = runs.last_mut() else {
            script = own;
            runs.push(Run { range: at..end, level, face: faces.of(c, mono), glyphs: Vec::new() });
            continue;
        };
        let follows = own == Script::Inherited || c.is_whitespace() || joins(c);
        let face = if follows || faces.has(last.face, c) && open { last.face } else { faces.of(c, mono) };
        let same = open || own == script || matches!(script, Script::Common | Script::Inherited | Script::Unknown);
        if level == last.level && face == last.face && same {
            last.range.end = end;
        } else {
            runs.push(Run { range: at..end, level, face, glyphs: Vec::new() });
            script = own;
        }
        if !open {
            script = own;
        }
    }
    runs
}

/// Unseen, and part of what stands before it: joiners, selectors, marks of direction.
fn joins(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0000}'..='\u{E0FFF}')
}

fn shape(run: &mut Run, text: &str, faces: &Faces<'_>) {
    let shaper = &faces.get(run.face).shaper;
    let em = f32::from(u16::try_from(shaper.units_per_em()).unwrap_or(1000).max(1));
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(&text[run.range.clone()]);
    buffer.guess_segment_properties();
    buffer.set_direction(if run.level.is_rtl() { Direction::RightToLeft } else { Direction::LeftToRight });
    let shaped = rustybuzz::shape(shaper, &[], buffer);
    let start = |cluster: u32| run.range.start + cluster as usize;
    let mut starts: Vec<_> = shaped.glyph_infos().iter().map(|info| start(info.cluster)).collect();
    starts.sort_unstable();
    starts.dedup();
    let glyph = |(info, place): (&rustybuzz::GlyphInfo, &rustybuzz::GlyphPosition)| {
        let from = start(info.cluster);
        let to = starts.get(starts.partition_point(|other| *other <= from)).copied().unwrap_or(run.range.end);
        let ems = |units: i32| units as f32 / em;
        KrillaGlyph::new(
            GlyphId::new(info.glyph_id),
            ems(place.x_advance),
            ems(place.x_offset),
            ems(place.y_offset),
            ems(place.y_advance),
            from..to,
            None,
        )
    };
    run.glyphs = shaped.glyph_infos().iter().zip(shaped.glyph_positions()).map(glyph).collect();
}
