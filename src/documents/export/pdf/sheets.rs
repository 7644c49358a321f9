//! Pages: what is on the one being filled, and the document of those that are full.

use jiff::{Timestamp, tz::TimeZone};
use krilla::{
    Document, SerializeSettings,
    color::rgb,
    geom::{Path, PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    page::PageSettings,
    paint::Fill,
};

use super::{
    Conversation, Error, MOST_PAGES, QUIET, Style,
    faces::Faces,
    lines::{self, Line},
    shape::Paragraph,
    written,
};

/// A4 and its margins, in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const MARGIN: f32 = 56.0;
/// From the top to the last line and to the number of the page.
const BOTTOM: f32 = HEIGHT - MARGIN - 14.0;
const FOOTER: f32 = HEIGHT - 36.0;
/// Of a line, by the size of its letters.
const LEADING: f32 = 1.4;

/// A document being filled.
pub(super) struct Sheets {
    document: Document,
    /// What is on the page that is not full.
    marks: Vec<Mark>,
    /// How far it is filled, from the top.
    filled: f32,
    pages: usize,
    exported: Timestamp,
}

enum Mark {
    Text { x: f32, y: f32, line: Line, style: Style },
    Area { path: Path, colour: [u8; 3] },
}

impl Sheets {
    pub(super) fn new(conversation: &Conversation, exported: Timestamp) -> Self {
        let mut document = Document::new_with(SerializeSettings { enable_tagging: false, ..Default::default() });
        let metadata = Metadata::new()
            .title(conversation.named().to_owned())
            .creator("voice-relay".to_owned())
            .creation_date(date(exported))
            .document_id(conversation.id.clone());
        document.set_metadata(metadata);
        Self { document, marks: Vec::new(), filled: MARGIN, pages: 0, exported }
    }

    /// How wide lines may be, in points.
    pub(super) fn width(&self, style: Style) -> f32 {
        WIDTH - 2.0 * (MARGIN + style.inset)
    }

    /// Leaves room, unless the page has just begun.
    pub(super) fn gap(&mut self, height: f32) {
        if self.filled > MARGIN {
            self.filled += height;
        }
    }

    /// A line across.
    pub(super) fn rule(&mut self) {
        let path = area(MARGIN, self.filled, WIDTH - 2.0 * MARGIN, 0.6);
        self.marks.extend(path.map(|path| Mark::Area { path, colour: [180, 180, 180] }));
        self.filled += 1.0;
    }

    /// Begins a page unless this one has so much room.
    pub(super) fn reserve(&mut self, height: f32, faces: &mut Faces<'_>) -> Result<(), Error> {
        if self.filled + height > BOTTOM { self.turn(faces) } else { Ok(()) }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: Line, style: Style, faces: &mut Faces<'_>) -> Result<(), Error> {
        let height = style.size * LEADING;
        self.reserve(height, faces)?;
        if let Some(colour) = style.shade {
            let path = area(MARGIN, self.filled, WIDTH - 2.0 * MARGIN, height + 0.2);
            self.marks.extend(path.map(|path| Mark::Area { path, colour }));
        }
        let left = MARGIN + style.inset;
        let x = if line.rtl { left + self.width(style) - line.width * style.size } else { left };
        self.marks.push(Mark::Text { x, y: self.filled + style.size * 1.05, line, style });
        self.filled += height;
        Ok(())
    }

    /// The file.
    pub(super) fn finish(mut self, faces: &mut Faces<'_>) -> Result<Vec<u8>, Error> {
        self.turn(faces)?;
        self.document.finish().map_err(|error| Error::Unwritten(error.to_string()))
    }

    /// Writes the page that is full, with its number.
    fn turn(&mut self, faces: &mut Faces<'_>) -> Result<(), Error> {
        if self.pages == MOST_PAGES {
            return Err(Error::TooLong);
        }
        self.pages += 1;
        let footer = format!("Exported {} · Page {}", written(self.exported), self.pages);
        let paragraph = Paragraph::new(&footer, false, faces);
        let footer = lines::cut(&paragraph, f32::INFINITY).map(|line| {
            let x = (WIDTH - line.width * QUIET.size) / 2.0;
            Mark::Text { x, y: FOOTER, line, style: QUIET }
        });
        self.marks.extend(footer);
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).unwrap_or_default();
        let mut page = self.document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in self.marks.drain(..) {
            match mark {
                Mark::Area { path, colour } => {
                    surface.set_fill(Some(fill(colour)));
                    surface.draw_path(&path);
                }
                Mark::Text { mut x, y, line, style } => {
                    surface.set_fill(Some(fill(style.colour)));
                    for piece in line.pieces {
                        let font = faces.get(piece.face).font.clone();
                        surface.draw_glyphs(Point::from_xy(x, y), &piece.glyphs, font, &line.text, style.size, false);
                        x += piece.width * style.size;
                    }
                }
            }
        }
        surface.finish();
        page.finish();
        self.filled = MARGIN;
        Ok(())
    }
}

fn area(x: f32, y: f32, width: f32, height: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(x, y, width, height)?);
    path.finish()
}

fn fill([red, green, blue]: [u8; 3]) -> Fill {
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, ..Fill::default() }
}

fn date(time: Timestamp) -> DateTime {
    let time = time.to_zoned(TimeZone::UTC);
    let part = |part: i8| part.unsigned_abs();
    DateTime::new(time.year().unsigned_abs())
        .month(part(time.month()))
        .day(part(time.day()))
        .hour(part(time.hour()))
        .minute(part(time.minute()))
        .second(part(time.second()))
        .utc_offset_hour(0)
}
