//! Plain text, Markdown and CSV: as they are, in whatever encoding.

use std::{fs::File, io::Read, path::Path};

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::{Extracted, Failed, Limits, prose::Prose};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let mut bytes = Vec::new();
    // One byte of UTF-16 or of an 8-bit encoding makes three bytes of UTF-8 at most, two make one at least.
    let wanted = limits.text_bytes as u64 * 2 + 4;
    File::open(path)?.take(wanted).read_to_end(&mut bytes)?;
    let mut warnings = Vec::new();
    let mut prose = Prose::new(limits.text_bytes);
    let more = bytes.len() as u64 == wanted;
    prose.push(&decoded(&bytes, more, &mut warnings));
    Ok(Extracted { text: prose.finish(&mut warnings), warnings, ..Extracted::default() })
}

/// UTF-8, or UTF-16 if a byte order mark says so, or else Windows-1252, which any bytes are and old files most often.
fn decoded(bytes: &[u8], more: bool, warnings: &mut Vec<String>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, garbled) = encoding.decode_without_bom_handling(&bytes[mark..]);
        if garbled && !more {
            warnings.push(format!("Some characters are not valid {} and were replaced.", encoding.name()));
        }
        return text.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // What was read may end amid a character.
        Err(error) if more && error.error_len().is_none() => UTF_8.decode_without_bom_handling(bytes).0.into_owned(),
        Err(_) => {
            warnings.push("The text is not UTF-8; it was read as Windows-1252.".into());
            WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
        }
    }
}
