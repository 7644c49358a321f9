//! Archives and XML made to harm.

use super::*;

const OFFICE: [Kind; 4] = [Kind::Docx, Kind::Pptx, Kind::Xlsx, Kind::Odt];

/// An archive whose main part, of whichever format, is this.
fn archive_of(part: &[u8]) -> Vec<u8> {
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", part),
        ("ppt/presentation.xml", part),
        ("xl/workbook.xml", part),
        ("content.xml", part),
    ])
}

#[test]
fn an_archive_that_unpacks_to_more_than_allowed_is_refused() {
    let bomb = archive_of(&[b"<a>".as_slice(), &vec![b' '; 3 << 20]].concat());
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let limits = Limits { expanded_bytes: 1 << 20, ..Limits::default() };
    for kind in OFFICE {
        let refused = read_within(&bomb, kind, limits).unwrap_err();
        assert_eq!(refused.to_string(), "the file is too large to read: it unpacks to more than 1 MiB", "{kind}");
    }
}

#[test]
fn an_archive_of_too_many_entries_is_refused() {
    let names: Vec<_> = (0..50).map(|number| format!("part{number}")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    let limits = Limits { entries: 49, ..Limits::default() };
    let refused = read_within(&zipped(&parts), Kind::Docx, limits).unwrap_err();
    assert_eq!(refused.to_string(), "the file is too large to read: its archive has more than 49 entries");
}

#[test]
fn an_archive_in_an_archive_stays_packed() {
    let inner = archive_of(&vec![b' '; 1 << 20]);
    let read = read(&zipped(&[("word/document.xml", b"<a/>"), ("word/embeddings/inner.docx", &inner)]), Kind::Docx);
    assert_eq!(read.unwrap().text, "");
}

#[test]
fn laughs_by_the_billion_are_not_laughed() {
    let laughs =
        b"<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;\">]><w:t>&b;</w:t>";
    for kind in [Kind::Docx, Kind::Pptx, Kind::Odt] {
        let refused = read(&archive_of(laughs), kind).unwrap_err();
        assert_eq!(refused.to_string(), "the file is damaged: its XML declares a document type", "{kind}");
    }
    // The library ignores document types and knows no entities of theirs: nothing is laughed either.
    if let Ok(read) = read(&archive_of(laughs), Kind::Xlsx) {
        assert!(!read.text.contains("ha"), "{}", read.text);
    }
}

#[test]
fn elements_without_end_within_each_other_are_refused() {
    let refused = read(&archive_of("<a>".repeat(100_000).as_bytes()), Kind::Docx).unwrap_err();
    assert_eq!(refused.to_string(), "the file is too large to read: its XML is more than 256 elements deep");
}

#[test]
fn a_document_without_its_main_part_is_damaged() {
    for kind in OFFICE {
        let refused = read(&zipped(&[("mimetype", b"x")]), kind).unwrap_err();
        assert!(matches!(refused, Failed::Damaged(_)), "{kind}: {refused:?}");
    }
}

#[test]
fn an_archive_cut_anywhere_is_damaged() {
    let whole = docx("<w:p><w:r><w:t>text</w:t></w:r></w:p>");
    for end in (0..whole.len()).step_by(37) {
        for kind in OFFICE {
            let refused = read(&whole[..end], kind);
            assert!(matches!(refused, Err(Failed::Damaged(_))), "{kind} cut at {end}: {refused:?}");
        }
    }
}

#[test]
fn a_document_with_any_byte_changed_is_read_or_refused() {
    let whole = docx("<w:p><w:r><w:t>text</w:t></w:r></w:p>");
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        if let Err(refused) = read(&changed, Kind::Docx) {
            assert!(!refused.may_pass(), "changed at {at}: {refused:?}");
        }
    }
}
