//! A conversation as a PDF to read and print: A4, a title block, every message under its time, code on grey.
//!
//! Text is cut into lines and drawn as it was said, in any script and direction; none of it is markup. Pages are written
//! as they fill, compressed; what grows with the conversation is the file itself, which [`MOST_PAGES`] bounds.

mod faces;
mod fonts;
mod lines;
mod shape;
mod sheets;

use jiff::Timestamp;

use self::{faces::Faces, sheets::Sheets};
use super::{Bibliography, Conversation, Message, Part, written};

pub use fonts::{Config, Fonts};

/// Pages of one file. Some 25 MB of text.
pub const MOST_PAGES: usize = 5_000;

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The conversation takes more than [`MOST_PAGES`].
    #[error("more than {MOST_PAGES} pages")]
    TooLong,
    /// There was no more time.
    #[error("it took too long")]
    Late,
    /// The messages broke off.
    #[error("the messages broke off")]
    Broken,
    /// The file could not be written.
    #[error("{0}")]
    Unwritten(String),
}

/// Sets a conversation. It works for as long as it takes, at about 1 MB of text a second, and asks `late` now and then
/// whether it still may.
pub fn typeset(
    fonts: &Fonts,
    conversation: &Conversation,
    messages: impl Iterator<Item = Result<Message, Error>>,
    exported: Timestamp,
    late: impl Fn() -> bool,
) -> Result<Vec<u8>, Error> {
    let mut setting = Setting { faces: Faces::open(fonts), sheets: Sheets::new(conversation, exported), late };
    setting.title_block(conversation)?;
    for message in messages {
        setting.message(&message?)?;
    }
    setting.bibliography(&conversation.bibliography)?;
    setting.sheets.finish(&mut setting.faces)
}

/// How a line looks.
#[derive(Clone, Copy, Debug)]
struct Style {
    mono: bool,
    /// In points.
    size: f32,
    colour: [u8; 3],
    /// Behind the line.
    shade: Option<[u8; 3]>,
    /// From the margins, in points.
    inset: f32,
}

const BODY: Style = Style { mono: false, size: 10.0, colour: [20, 20, 20], shade: None, inset: 0.0 };
const TITLE: Style = Style { size: 18.0, ..BODY };
const HEADING: Style = Style { size: 13.0, ..BODY };
const HEADER: Style = Style { size: 9.5, colour: [30, 70, 140], ..BODY };
const QUIET: Style = Style { size: 8.5, colour: [110, 110, 110], ..BODY };
const CODE: Style = Style { mono: true, size: 8.5, shade: Some([240, 240, 240]), inset: 6.0, ..BODY };

struct Setting<'f, L> {
    faces: Faces<'f>,
    sheets: Sheets,
    late: L,
}

impl<L: Fn() -> bool> Setting<'_, L> {
    fn title_block(&mut self, conversation: &Conversation) -> Result<(), Error> {
        self.words(conversation.named(), TITLE)?;
        self.sheets.gap(4.0);
        for (label, value) in conversation.facts() {
            self.words(&format!("{label}: {value}"), QUIET)?;
        }
        self.sheets.gap(6.0);
        self.sheets.rule();
        Ok(())
    }

    fn message(&mut self, message: &Message) -> Result<(), Error> {
        self.sheets.gap(10.0);
        // A header is not left alone at the end of a page.
        self.sheets.reserve(48.0, &mut self.faces)?;
        self.words(&message.header(), HEADER)?;
        self.sheets.gap(2.0);
        for part in message.parts() {
            match part {
                Part::Words(words) => self.words(words, BODY)?,
                Part::Code { label, name, code } => {
                    self.words(&format!("{label} {}", name.as_deref().unwrap_or("a call")), QUIET)?;
                    self.sheets.gap(2.0);
                    self.words(code, CODE)?;
                }
                Part::File(file) => self.words(&file.told(), QUIET)?,
                Part::Citation(citation) => {
                    self.sheets.gap(2.0);
                    self.words(&citation.told(), QUIET)?;
                }
            }
        }
        Ok(())
    }

    fn bibliography(&mut self, bibliography: &Bibliography) -> Result<(), Error> {
        if bibliography.entries.is_empty() {
            return Ok(());
        }
        self.sheets.gap(14.0);
        self.sheets.reserve(60.0, &mut self.faces)?;
        self.sheets.rule();
        self.sheets.gap(8.0);
        self.words("Bibliography", HEADING)?;
        for entry in &bibliography.entries {
            self.sheets.gap(4.0);
            self.words(entry, BODY)?;
        }
        if let Some(note) = bibliography.note() {
            self.sheets.gap(4.0);
            self.words(note, QUIET)?;
        }
        Ok(())
    }

    /// Sets text of any length: lines where it has them, and where they are full.
    fn words(&mut self, text: &str, style: Style) -> Result<(), Error> {
        let width = self.sheets.width(style);
        for line in text.replace("\r\n", "\n").split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            let clean = shape::printable(line);
            let mut rest = clean.as_str();
            loop {
                if (self.late)() {
                    return Err(Error::Late);
                }
                let (now, later) = shape::stretch(rest);
                let paragraph = shape::Paragraph::new(now, style.mono, &mut self.faces);
                for line in lines::cut(&paragraph, width / style.size) {
                    self.sheets.line(line, style, &mut self.faces)?;
                }
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
