//! PDF, page by page: a page that its reader stumbles over costs that page alone.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use pdf_extract::{
    Document, Error, IncrementalDocument, Object, OutputError, PlainTextOutput, decode_text_string,
    encryption::DecryptionError, output_doc_page,
};

use super::{
    Extracted, Failed, Limits, Metadata,
    prose::{self, Prose},
};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let mut document = load(path).map_err(broken)?;
    if document.is_encrypted() {
        // Many are encrypted only against changes: the password to read them is empty.
        document.decrypt("").map_err(broken)?;
    }
    let pages = document.get_pages();
    if pages.is_empty() {
        return Err(Failed::Damaged("it has no pages".into()));
    }
    let mut prose = Prose::new(limits.text_bytes);
    let mut unread = Vec::new();
    for page in pages.keys().copied().take(limits.pages as usize) {
        match catch_unwind(AssertUnwindSafe(|| text(&document, page))) {
            Ok(Ok(text)) => prose.push(&text),
            Ok(Err(_)) | Err(_) => unread.push(page),
        }
        prose.end_page();
        if prose.is_full() {
            break;
        }
    }
    let mut warnings = Vec::new();
    let text = prose.finish(&mut warnings);
    if let [first, rest @ ..] = unread.as_slice() {
        warnings.push(match rest.len() {
            0 => format!("Page {first} could not be read."),
            more => format!("Page {first} and {more} more could not be read."),
        });
    } else if text.is_empty() {
        warnings.push("There is no text in it: its pages may be pictures.".into());
    }
    if pages.len() > limits.pages as usize {
        warnings.push(format!("Only the first {} pages were read.", limits.pages));
    }
    let metadata = Metadata { page_count: u32::try_from(pages.len()).ok(), ..properties(&document) };
    Ok(Extracted { text, metadata, warnings, ..Extracted::default() })
}

/// Loads a document, and decrypts it if the password is empty.
///
/// The library looks for the encryption dictionary by a reference alone. One that stands directly in the trailer, as the
/// format allows (ISO 32000-1, 7.5.5), gets an object of its own, in an update at the end of the file.
fn load(path: &Path) -> Result<Document, Error> {
    let document = Document::load(path)?;
    let Ok(Object::Dictionary(encryption)) = document.trailer.get(b"Encrypt").cloned() else { return Ok(document) };
    let mut file = fs::read(path)?;
    // Where an object stands is counted from here.
    let start = file.windows(HEADER.len()).position(|bytes| bytes == HEADER).unwrap_or(0);
    let mut update = IncrementalDocument::create_from(file.split_off(start), document);
    let id = update.new_document.add_object(encryption);
    update.new_document.trailer.set("Encrypt", id);
    let mut updated = Vec::new();
    update.save_to(&mut updated)?;
    Document::load_mem(&updated)
}

fn text(document: &Document, page: u32) -> Result<String, OutputError> {
    let mut text = String::new();
    output_doc_page(document, &mut PlainTextOutput::new(&mut text), page)?;
    Ok(text)
}

/// The document information dictionary (ISO 32000-1, 14.3.3).
fn properties(document: &Document) -> Metadata {
    let info = document.trailer.get(b"Info").and_then(|info| document.dereference(info));
    let Some(info) = info.ok().and_then(|(_, info)| info.as_dict().ok()) else { return Metadata::default() };
    let property = |key: &[u8]| {
        let (_, value) = document.dereference(info.get(key).ok()?).ok()?;
        prose::line(&decode_text_string(value).ok()?)
    };
    Metadata { author: property(b"Author"), title: property(b"Title"), ..Metadata::default() }
}

fn broken(error: Error) -> Failed {
    if matches!(error, Error::InvalidPassword | Error::Decryption(DecryptionError::IncorrectPassword)) {
        return Failed::Protected;
    }
    let Error::IO(error) = error else { return Failed::damaged(error) };
    error.into()
}

/// Begins a PDF.
const HEADER: &[u8] = b"%PDF-";
