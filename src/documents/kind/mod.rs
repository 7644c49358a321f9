//! What a file is, decided from its content; its name has to agree.
//!
//! Reads a bounded part of the file and parses nothing: it runs in the server's process. Plain text, Markdown and CSV look
//! alike, so among them the name decides.

use std::{
    fmt::{self, Display},
    io::{self, Read, Seek, SeekFrom},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::layout::{self, Layout};

/// A type of file that is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Portable Document Format.
    Pdf,
    /// Plain text.
    Txt,
    /// Markdown.
    Md,
    /// Comma-separated values.
    Csv,
    /// Portable Network Graphics.
    Png,
    /// JPEG; its files are called `.jpg` or `.jpeg`.
    Jpeg,
    /// Graphics Interchange Format.
    Gif,
    /// WebP.
    WebP,
    /// Word 97–2003.
    Doc,
    /// Word (Office Open XML).
    Docx,
    /// PowerPoint (Office Open XML).
    Pptx,
    /// Excel (Office Open XML).
    Xlsx,
    /// OpenDocument text.
    Odt,
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// Its name ends in nothing that is taken.
    #[error(
        "`{0}` is not a type of file that is taken; pdf, txt, md, csv, png, jpg, jpeg, gif, webp, doc, docx, pptx, xlsx and odt are"
    )]
    Extension(String),
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is not what its name says.
    #[error("the file is called .{named} but its content is {found}")]
    Mismatch {
        /// The type its name says.
        named: Kind,
        /// What its content is, in words.
        found: &'static str,
    },
    /// It cannot be read without a password.
    #[error("the file is protected by a password")]
    Protected,
    /// It could not be read, which is no fault of the file.
    #[error("the file cannot be read")]
    Read(#[from] io::Error),
}

impl Kind {
    /// All kinds, in the order they are told to people.
    pub const ALL: [Self; 13] = [
        Self::Pdf,
        Self::Txt,
        Self::Md,
        Self::Csv,
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::WebP,
        Self::Doc,
        Self::Docx,
        Self::Pptx,
        Self::Xlsx,
        Self::Odt,
    ];

    /// Decides what `file` is and holds its name against it. The file's position afterwards is unspecified.
    ///
    /// # Errors
    /// See [`KindError`]; all but `Read` are the file's fault.
    pub fn of<R: Read + Seek>(file: &mut R, file_name: &str) -> Result<Self, KindError> {
        let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
        let named = match extension.as_str() {
            "jpg" => Self::Jpeg,
            other => other.parse().map_err(|UnknownKind| KindError::Extension(brief(&extension)))?,
        };
        match Content::of(file, named)? {
            Content::Text if named.is_text() => Ok(named),
            Content::Known(kind) if kind == named => Ok(named),
            Content::Empty if named.is_text() => Ok(named),
            Content::Empty => Err(KindError::Empty),
            Content::Protected => Err(KindError::Protected),
            found @ (Content::Text | Content::Known(_) | Content::Zip | Content::Compound | Content::Unknown) => {
                Err(KindError::Mismatch { named, found: found.words() })
            }
        }
    }

    /// The extension and the name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Txt => "txt",
            Self::Md => "md",
            Self::Csv => "csv",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Doc => "doc",
            Self::Docx => "docx",
            Self::Pptx => "pptx",
            Self::Xlsx => "xlsx",
            Self::Odt => "odt",
        }
    }

    /// The media type registered with IANA.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Txt => "text/plain",
            Self::Md => "text/markdown",
            Self::Csv => "text/csv",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Doc => "application/msword",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Odt => "application/vnd.oasis.opendocument.text",
        }
    }

    /// Whether it is a picture.
    #[must_use]
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::WebP)
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Txt | Self::Md | Self::Csv)
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No kind has this name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no kind of file has this name")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownKind)
    }
}

/// What the bytes say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    Empty,
    Text,
    Known(Kind),
    Protected,
    /// A zip archive that is no document we know.
    Zip,
    /// An OLE compound file that is no Word document.
    Compound,
    Unknown,
}

impl Content {
    fn of<R: Read + Seek>(file: &mut R, named: Kind) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let mut head = Vec::new();
        Read::take(&mut *file, HEAD).read_to_end(&mut head)?;
        Ok(match head.as_slice() {
            [] => Self::Empty,
            [b'%', b'P', b'D', b'F', b'-', ..] => Self::Known(Kind::Pdf),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Self::Known(Kind::Png),
            [0xFF, 0xD8, 0xFF, ..] => Self::Known(Kind::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Self::Known(Kind::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::Known(Kind::WebP),
            [b'P', b'K', 3, 4, ..] => match layout::of_zip(file)? {
                Layout::Word => Self::Known(Kind::Docx),
                Layout::Slides => Self::Known(Kind::Pptx),
                Layout::Sheets => Self::Known(Kind::Xlsx),
                Layout::OpenText => Self::Known(Kind::Odt),
                Layout::Locked => Self::Protected,
                Layout::Other => Self::Zip,
            },
            [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => match layout::of_compound(file)? {
                Layout::Word => Self::Known(Kind::Doc),
                Layout::Locked => Self::Protected,
                Layout::Slides | Layout::Sheets | Layout::OpenText | Layout::Other => Self::Compound,
            },
            // Readers accept a header within the first kibibyte (Adobe's implementation note 13), and some writers need it.
            head if named == Kind::Pdf && contains(&head[..head.len().min(1024)], b"%PDF-") => Self::Known(Kind::Pdf),
            head if is_text(head) => Self::Text,
            _ => Self::Unknown,
        })
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Text => "plain text",
            Self::Known(Kind::Pdf) => "a PDF",
            Self::Known(Kind::Png) => "a PNG picture",
            Self::Known(Kind::Jpeg) => "a JPEG picture",
            Self::Known(Kind::Gif) => "a GIF picture",
            Self::Known(Kind::WebP) => "a WebP picture",
            Self::Known(Kind::Doc) => "an old Word document",
            Self::Known(Kind::Docx) => "a Word document",
            Self::Known(Kind::Pptx) => "a PowerPoint presentation",
            Self::Known(Kind::Xlsx) => "an Excel workbook",
            Self::Known(Kind::Odt) => "an OpenDocument text",
            Self::Known(Kind::Txt | Kind::Md | Kind::Csv) => "plain text",
            Self::Protected => "encrypted",
            Self::Zip => "a zip archive",
            Self::Compound => "an old Office file other than Word",
            Self::Unknown => "something else, or damaged",
        }
    }
}

/// Whether these first bytes are text: of some 8-bit or UTF-8 encoding without control characters, or UTF-16 with its mark.
fn is_text(head: &[u8]) -> bool {
    match head {
        [0xFF, 0xFE, rest @ ..] => is_utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => is_utf16(rest, u16::from_be_bytes),
        head => !head.iter().any(|byte| is_control(u16::from(*byte))),
    }
}

/// Pairs that end amid a character are no wonder: this is but the head of a file.
fn is_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> bool {
    !bytes.chunks_exact(2).any(|pair| is_control(unit([pair[0], pair[1]])))
}

/// Control characters that no text has. Escape stays: logs are coloured with it.
const fn is_control(unit: u16) -> bool {
    matches!(unit, 0..=8 | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// What of a name can be said back.
fn brief(extension: &str) -> String {
    extension.chars().filter(|c| !c.is_control()).take(20).collect()
}

/// How much of a file is looked at, in bytes: a binary that shows no control character in so much is unheard of.
const HEAD: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
