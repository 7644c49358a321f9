//! What can be read in a file: its text, what it says of itself, and a small picture of it.
//!
//! [`extract`] is for the child process that [`sandbox`] starts, never for the server itself: parsers of these formats
//! panic, recurse and allocate at a file's will. One file a format; what they share is `prose`, `archive` and `xml`.

use std::{io, path::Path};

use serde::{Deserialize, Serialize};

use super::kind::Kind;

mod archive;
pub mod confine;
mod doc;
mod docx;
mod image;
mod odt;
mod paragraph;
mod pdf;
mod plain;
mod pptx;
mod program;
mod properties;
mod prose;
pub mod sandbox;
#[cfg(test)]
mod tests;
mod thumbnail;
mod xlsx;
mod xml;

/// What was read in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Extracted {
    /// Its text, without control characters but tabs and line feeds, at most [`Limits::text_bytes`] of it. A form feed
    /// parts pages of a PDF and slides of a presentation; headings and lists of a word processor are marked as in Markdown.
    pub text: String,
    /// What it says of itself.
    pub metadata: Metadata,
    /// A picture's PNG preview, at most [`THUMBNAIL_SIDE`] pixels wide and high.
    #[serde(with = "thumbnail::base64", default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<Vec<u8>>,
    /// What could not be done, a sentence each, for the user.
    pub warnings: Vec<String>,
}

impl Extracted {
    /// Its text as if it were on one long page.
    #[must_use]
    pub fn unpaged(&self) -> String {
        let pages = self.text.split(prose::PAGE).map(|page| page.trim_end_matches('\n'));
        pages.filter(|page| !page.is_empty()).collect::<Vec<_>>().join("\n\n")
    }
}

/// What a file says of itself; a fact its format has not, or that it does not tell, is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Pages of a PDF or text, slides of a presentation, sheets of a workbook.
    pub page_count: Option<u32>,
    /// Of a picture, in pixels.
    pub width: Option<u32>,
    /// Of a picture, in pixels.
    pub height: Option<u32>,
    /// Who made it, as the file says.
    pub author: Option<String>,
    /// Its title, as the file says.
    pub title: Option<String>,
    /// Words of the extracted text, as white space parts them.
    pub word_count: Option<u32>,
}

/// How much a file may ask of us.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long it may take, in seconds of the clock and of the processor.
    pub seconds: u32,
    /// Memory of the process, in bytes of address space beyond those it starts with.
    pub memory_bytes: u64,
    /// Text that is kept, in bytes of UTF-8; the rest is cut off with a warning.
    pub text_bytes: usize,
    /// What an archive may unpack to, in bytes.
    pub expanded_bytes: u64,
    /// Entries an archive may have.
    pub entries: u64,
    /// Elements of XML within each other.
    pub depth: usize,
    /// Pixels of a picture, width times height.
    pub pixels: u64,
    /// Pages of a PDF that are read; further ones are left out with a warning.
    pub pages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: 30,
            memory_bytes: 1 << 30,
            text_bytes: 4 << 20,
            expanded_bytes: 128 << 20,
            entries: 20_000,
            depth: 256,
            pixels: 50_000_000,
            pages: 2_000,
        }
    }
}

/// Why nothing could be read in a file, in words for its owner.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
pub enum Failed {
    /// It is not what its type demands.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// It is encrypted.
    #[error("the file is protected by a password")]
    Protected,
    /// It exceeds one of the [`Limits`].
    #[error("the file is too large to read: {0}")]
    TooLarge(String),
    /// Reading it took longer than [`Limits::seconds`].
    #[error("the file took longer than {0} seconds to read")]
    TooLong(u32),
    /// Reading it took more than [`Limits::memory_bytes`].
    #[error("the file needs too much memory to be read")]
    TooMuchMemory,
    /// The reader stumbled over it.
    #[error("the file cannot be read: it makes its reader fail")]
    Crashed,
    /// This server lacks what reads such files.
    #[error("{0}")]
    Unsupported(String),
    /// No fault of the file: trying again may help. The detail is for the log.
    #[error("files cannot be read at the moment")]
    Unavailable(String),
}

impl Failed {
    /// Whether the same file may be read another time.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    fn damaged(error: impl ToString) -> Self {
        Self::Damaged(prose::line(&error.to_string()).unwrap_or_default())
    }
}

impl From<io::Error> for Failed {
    /// Reading a local file fails for three reasons: what is in it, as decoders put it, too little memory, and a disk that does not work.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(failed) => failed,
            Err(error) if error.kind() == io::ErrorKind::OutOfMemory => Self::TooMuchMemory,
            Err(error) if error.raw_os_error().is_some() => Self::Unavailable(error.to_string()),
            Err(error) => Self::damaged(error),
        }
    }
}

/// Reads the file at `path`, which [`Kind::of`] found to be `kind`.
///
/// For a process that [`confine::apply`] has made harmless.
///
/// # Errors
/// [`Failed`], in words for the file's owner. A hostile file may also end the process.
pub fn extract(path: &Path, kind: Kind, limits: &Limits) -> Result<Extracted, Failed> {
    let mut extracted = match kind {
        Kind::Txt | Kind::Md | Kind::Csv => plain::read(path, limits),
        Kind::Pdf => pdf::read(path, limits),
        Kind::Docx => docx::read(path, limits),
        Kind::Pptx => pptx::read(path, limits),
        Kind::Xlsx => xlsx::read(path, limits),
        Kind::Odt => odt::read(path, limits),
        Kind::Doc => doc::read(path, limits),
        Kind::Png | Kind::Jpeg | Kind::Gif | Kind::WebP => image::read(path, kind, limits),
    }?;
    let words = extracted.text.split_whitespace().count();
    extracted.metadata.word_count = Some(u32::try_from(words).unwrap_or(u32::MAX));
    Ok(extracted)
}

/// Width and height a preview has at most, in pixels.
pub const THUMBNAIL_SIDE: u32 = 256;
