//! What lies inside the two containers that documents come in, read without unpacking: zip archives by their central
//! directory (PKWARE APPNOTE 4.3), OLE compound files by the names in theirs (MS-CFB 2.6).
//!
//! Memory is bounded by one name, whatever the file says of itself.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

/// Which document a container holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// A text of Word.
    Word,
    /// A presentation of PowerPoint.
    Slides,
    /// A workbook of Excel.
    Sheets,
    /// A text of OpenDocument.
    OpenText,
    /// Something that only a password opens.
    Locked,
    /// None of these.
    Other,
}

/// The document in a zip archive. Office Open XML has its content types and a folder of its application at the top;
/// OpenDocument starts with its media type, stored as it is (OASIS ODF 1.3 part 2, 3.3).
pub(super) fn of_zip<R: Read + Seek>(file: &mut R) -> io::Result<Layout> {
    let mut first = [0; MIMETYPE_AT + ODT.len()];
    file.seek(SeekFrom::Start(0))?;
    if read_up_to(file, &mut first)? == first.len() && first[30..38] == *b"mimetype" && first[MIMETYPE_AT..] == *ODT {
        return Ok(Layout::OpenText);
    }
    let Some(directory) = Directory::find(file)? else { return Ok(Layout::Other) };
    let (mut typed, mut found) = (false, Layout::Other);
    let walked = directory.walk(file, |name| match name {
        b"[Content_Types].xml" => typed = true,
        b"word/document.xml" | b"word/document2.xml" => found = Layout::Word,
        b"ppt/presentation.xml" => found = Layout::Slides,
        b"xl/workbook.xml" => found = Layout::Sheets,
        _ => {}
    });
    match walked {
        Ok(()) if typed => Ok(found),
        Ok(()) => Ok(Layout::Other),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Layout::Other),
        Err(error) => Err(error),
    }
}

/// How many entries a zip archive says to have; `None` if it has no directory.
pub(super) fn zip_entries<R: Read + Seek>(file: &mut R) -> io::Result<Option<u64>> {
    let Some(directory) = Directory::find(file)? else { return Ok(None) };
    let mut entries = 0;
    match directory.walk(file, |_| entries += 1) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        Ok(()) | Err(_) => Ok(Some(entries)),
    }
}

/// The document in a compound file, by the names of its streams. Entries of the directory are 128 bytes and lie in whole
/// sectors of 512 bytes or more, so every one starts at a multiple of 128.
pub(super) fn of_compound<R: Read + Seek>(file: &mut R) -> io::Result<Layout> {
    file.seek(SeekFrom::Start(0))?;
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let mut entry = [0; 128];
    let mut found = Layout::Other;
    while read_up_to(&mut file, &mut entry)? == entry.len() {
        if entry[0x42] != STREAM {
            continue;
        }
        if is_called(&entry, "EncryptedPackage") {
            return Ok(Layout::Locked);
        }
        if is_called(&entry, "WordDocument") {
            found = Layout::Word;
        }
    }
    Ok(found)
}

fn is_called(entry: &[u8; 128], name: &str) -> bool {
    let length = usize::from(u16::from_le_bytes([entry[0x40], entry[0x41]]));
    length == (name.len() + 1) * 2
        && name.encode_utf16().zip(entry.chunks_exact(2)).all(|(unit, pair)| unit.to_le_bytes() == [pair[0], pair[1]])
}

/// Where a zip archive's central directory starts.
struct Directory {
    start: u64,
}

impl Directory {
    /// Looks for the end record, which a comment of at most 64 KiB may follow. Archives that need Zip64 are beyond any
    /// document's size, but writers that stream use its records anyway: their offsets are found in the entries' stead.
    fn find<R: Read + Seek>(file: &mut R) -> io::Result<Option<Self>> {
        let length = file.seek(SeekFrom::End(0))?;
        let from = length.saturating_sub(END_SIZE + COMMENT_MAX + LOCATOR_SIZE);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        Read::take(&mut *file, END_SIZE + COMMENT_MAX + LOCATOR_SIZE).read_to_end(&mut tail)?;
        let Some(end) = tail.windows(4).rposition(|window| window == b"PK\x05\x06") else { return Ok(None) };
        let Some(record) = tail.get(end..end + END_SIZE as usize) else { return Ok(None) };
        let start = number(&record[16..20]);
        if start != u64::from(u32::MAX) {
            return Ok(Some(Self { start }));
        }
        let Some(locator) = tail[..end].windows(4).rposition(|window| window == b"PK\x06\x07") else { return Ok(None) };
        let Some(record) = tail.get(locator + 8..locator + 16).map(number) else { return Ok(None) };
        let mut field = [0; 8];
        file.seek(SeekFrom::Start(record.saturating_add(48).min(length)))?;
        Ok((read_up_to(file, &mut field)? == field.len()).then(|| Self { start: number(&field).min(length) }))
    }

    /// Tells every entry's name, until something else than an entry follows. Names past [`ENTRIES_MAX`] are not told.
    fn walk<R: Read + Seek>(&self, file: &mut R, mut tell: impl FnMut(&[u8])) -> io::Result<()> {
        file.seek(SeekFrom::Start(self.start))?;
        let mut file = BufReader::new(file);
        let mut name = Vec::new();
        for _ in 0..ENTRIES_MAX {
            let mut header = [0; 46];
            if read_up_to(&mut file, &mut header)? < header.len() || header[..4] != *b"PK\x01\x02" {
                return Ok(());
            }
            name.resize(number(&header[28..30]) as usize, 0);
            file.read_exact(&mut name)?;
            file.seek_relative((number(&header[30..32]) + number(&header[32..34])) as i64)?;
            tell(&name);
        }
        Ok(())
    }
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Fills what the file has left to fill `buffer` with, and says how much.
fn read_up_to<R: Read>(file: &mut R, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// More entries than any document has: a presentation of a thousand slides has some ten thousand.
pub(super) const ENTRIES_MAX: usize = 65_535;

const ODT: &[u8; 39] = b"application/vnd.oasis.opendocument.text";
/// Past a local header and the name `mimetype`.
const MIMETYPE_AT: usize = 30 + 8;
const END_SIZE: u64 = 22;
const COMMENT_MAX: u64 = 65_535;
const LOCATOR_SIZE: u64 = 20;
/// The object type of a stream in a compound file's directory.
const STREAM: u8 = 2;
