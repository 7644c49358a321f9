//! The faces one document is set in: the built-in ones, and others as characters ask for them.

use std::{collections::BTreeMap, sync::Arc};

use krilla::{
    Data, Document,
    geom::Point,
    text::{Font, GlyphId, KrillaGlyph},
};
use rustybuzz::Face as Shaper;

use super::fonts::{Fonts, Listed};

/// DejaVu Sans: Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian and many symbols. assets/fonts has its licence.
static SANS: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSans.ttf");
/// DejaVu Sans Mono, for code.
static MONO: &[u8] = include_bytes!("../../../../assets/fonts/DejaVuSansMono.ttf");

/// Which face, of those open.
pub(super) type FaceId = usize;

/// A face that is in use.
pub(super) struct Face<'f> {
    pub(super) shaper: Shaper<'f>,
    pub(super) font: Font,
}

/// All that are in use.
pub(super) struct Faces<'f> {
    fonts: &'f Fonts,
    open: Vec<Face<'f>>,
    /// What listed fonts were opened as; none, if they could not be.
    tried: Vec<(&'f Listed, Option<FaceId>)>,
    /// The face of each character seen, of text and of code.
    known: [BTreeMap<char, FaceId>; 2],
}

impl<'f> Faces<'f> {
    pub(super) fn open(fonts: &'f Fonts) -> Self {
        let built_in = |data: &'static [u8]| face(data, data.into(), 0);
        let open = [SANS, MONO].into_iter().filter_map(built_in).collect();
        Self { fonts, open, tried: Vec::new(), known: Default::default() }
    }

    pub(super) fn get(&self, id: FaceId) -> &Face<'f> {
        &self.open[id]
    }

    /// Whether an open face has a character.
    pub(super) fn has(&self, id: FaceId, c: char) -> bool {
        self.open[id].shaper.glyph_index(c).is_some()
    }

    /// The first face that has a character; the usual one, and in it a box, if none has.
    pub(super) fn of(&mut self, c: char, mono: bool) -> FaceId {
        if let Some(known) = self.known[usize::from(mono)].get(&c) {
            return *known;
        }
        let usual = if mono { [1, 0] } else { [0, 1] };
        let found = usual.into_iter().find(|id| self.has(*id, c)).or_else(|| self.elsewhere(c)).unwrap_or(usual[0]);
        self.known[usize::from(mono)].insert(c, found);
        found
    }

    fn elsewhere(&mut self, c: char) -> Option<FaceId> {
        let fonts = self.fonts;
        fonts.having(c).find_map(|listed| self.load(listed).filter(|id| self.has(*id, c)))
    }

    fn load(&mut self, listed: &'f Listed) -> Option<FaceId> {
        if let Some((_, tried)) = self.tried.iter().find(|(from, _)| std::ptr::eq(*from, listed)) {
            return *tried;
        }
        let loaded = listed.data().and_then(|data| face(data, Arc::clone(data).into(), listed.index));
        let id = loaded.filter(|face| embeds(&face.font)).map(|face| {
            self.open.push(face);
            self.open.len() - 1
        });
        self.tried.push((listed, id));
        id
    }
}

fn face(bytes: &[u8], data: Data, index: u32) -> Option<Face<'_>> {
    Some(Face { shaper: Shaper::from_slice(bytes, index)?, font: Font::new(data, index)? })
}

/// Whether a font can be put into a file: one that cannot would spoil the whole of it.
fn embeds(font: &Font) -> bool {
    let mut document = Document::new();
    let mut page = document.start_page();
    let glyph = KrillaGlyph::new(GlyphId::new(0), 1.0, 0.0, 0.0, 0.0, 0..1, None);
    page.surface().draw_glyphs(Point::from_xy(0.0, 20.0), &[glyph], font.clone(), "x", 10.0, false);
    page.finish();
    document.finish().is_ok()
}
