//! Real beginnings of files, lies in their names, and any bytes at all.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn of(bytes: &[u8], name: &str) -> Result<Kind, String> {
    Kind::of(&mut Cursor::new(bytes), name).map_err(|error| error.to_string())
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, stored).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A compound file's header and one sector of its directory, with a stream of this name.
fn compound(stream: &str) -> Vec<u8> {
    let mut file = vec![0; 1024];
    file[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    let entry = 512 + 128;
    for (index, unit) in stream.encode_utf16().enumerate() {
        file[entry + index * 2..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    file[entry + 0x40] = u8::try_from((stream.len() + 1) * 2).unwrap();
    file[entry + 0x42] = 2;
    file
}

#[test]
fn every_kind_is_known_by_its_content() {
    let types = "[Content_Types].xml";
    let files: [(&str, Vec<u8>, Kind); 17] = [
        ("a.pdf", b"%PDF-1.7\n".to_vec(), Kind::Pdf),
        ("junk first.PDF", b"\xEF\xBB\xBF\n%PDF-1.4\n\x00".to_vec(), Kind::Pdf),
        ("a.txt", "naïve\ttext\r\n".as_bytes().to_vec(), Kind::Txt),
        ("a.md", b"# Title".to_vec(), Kind::Md),
        ("a.csv", b"a,b\n1,2\n".to_vec(), Kind::Csv),
        ("latin.csv", b"caf\xE9,1\n".to_vec(), Kind::Csv),
        ("wide.txt", b"\xFF\xFEh\x00i\x00".to_vec(), Kind::Txt),
        ("a.png", b"\x89PNG\r\n\x1A\n".to_vec(), Kind::Png),
        ("a.jpg", b"\xFF\xD8\xFF\xE0".to_vec(), Kind::Jpeg),
        ("a.b.JPEG", b"\xFF\xD8\xFF\xE1".to_vec(), Kind::Jpeg),
        ("a.gif", b"GIF89a".to_vec(), Kind::Gif),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ".to_vec(), Kind::WebP),
        ("a.doc", compound("WordDocument"), Kind::Doc),
        ("a.docx", zipped(&[(types, ""), ("word/document.xml", ""), ("word/embeddings/b.xlsx", "")]), Kind::Docx),
        ("a.pptx", zipped(&[(types, ""), ("ppt/presentation.xml", "")]), Kind::Pptx),
        ("a.xlsx", zipped(&[("xl/workbook.xml", ""), (types, "")]), Kind::Xlsx),
        ("a.odt", zipped(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "")]), Kind::Odt),
    ];
    for (name, bytes, kind) in files {
        assert_eq!(of(&bytes, name), Ok(kind), "{name}");
    }
}

#[test]
fn a_name_that_lies_is_told_what_the_content_is() {
    assert_eq!(of(b"%PDF-1.7", "cv.docx"), Err("the file is called .docx but its content is a PDF".into()));
    assert_eq!(of(b"%PDF-1.7", "cv.txt"), Err("the file is called .txt but its content is a PDF".into()));
    assert_eq!(of(b"plain", "cv.pdf"), Err("the file is called .pdf but its content is plain text".into()));
    assert_eq!(
        of(b"MZ\x90\x00", "a.txt").unwrap_err(),
        "the file is called .txt but its content is something else, or damaged"
    );
    let workbook = zipped(&[("[Content_Types].xml", ""), ("xl/workbook.xml", "")]);
    assert_eq!(of(&workbook, "a.docx"), Err("the file is called .docx but its content is an Excel workbook".into()));
    assert_eq!(
        of(&zipped(&[("a.docx", "")]), "a.docx"),
        Err("the file is called .docx but its content is a zip archive".into())
    );
    assert!(of(&compound("Workbook"), "a.doc").unwrap_err().ends_with("an old Office file other than Word"));
}

#[test]
fn what_is_not_taken_is_told() {
    assert!(of(b"MZ", "setup.exe").unwrap_err().starts_with("`exe` is not a type of file that is taken; pdf,"));
    assert!(of(b"text", "README").unwrap_err().starts_with("`` is not"));
    assert_eq!(of(b"", "a.pdf"), Err("the file is empty".into()));
    assert_eq!(of(b"", "a.txt"), Ok(Kind::Txt));
    assert_eq!(of(&compound("EncryptedPackage"), "a.docx"), Err("the file is protected by a password".into()));
}

#[test]
fn an_archive_cut_anywhere_is_no_document_and_no_error_of_ours() {
    let whole = zipped(&[("[Content_Types].xml", "x"), ("word/document.xml", "x")]);
    for end in 4..whole.len() {
        let found = Kind::of(&mut Cursor::new(&whole[..end]), "a.docx");
        assert!(matches!(found, Err(KindError::Mismatch { .. })), "cut at {end}: {found:?}");
    }
}

#[test]
fn names_go_there_and_back() {
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

/// Any bytes, but often such that begin as a container.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let magic = prop::sample::select(vec![
        &b""[..],
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        b"%PDF-",
        b"\xFF\xFE",
    ]);
    (magic, prop::collection::vec(any::<u8>(), 0..600), any::<bool>()).prop_map(|(magic, rest, ended)| {
        let end: &[u8] = if ended { b"PK\x06\x07aaaabbbbccccdddPK\x05\x06aaaabbbbcccc\xFF\xFF\xFF\xFFee" } else { b"" };
        [magic, &rest, end].concat()
    })
}

proptest! {
    #[test]
    fn any_bytes_have_one_kind_at_most(bytes in bytes()) {
        let takes = |kind: &Kind| {
            let found = Kind::of(&mut Cursor::new(&bytes), &format!("file.{kind}"));
            assert!(!matches!(found, Err(KindError::Read(_))), "{found:?}");
            found.is_ok()
        };
        let taken: Vec<_> = Kind::ALL.into_iter().filter(takes).collect();
        let texts = taken.iter().all(|kind| kind.is_text());
        // A text that holds `%PDF-` may be called either.
        prop_assert!(taken.len() <= 1 || texts || taken.contains(&Kind::Pdf), "{:?}", taken);
    }

    #[test]
    fn text_of_any_language_is_text(text in "[^\\p{Cc}]{1,200}") {
        prop_assume!(!["%PDF-", "GIF8", "PK"].iter().any(|magic| text.contains(magic)));
        prop_assert_eq!(of(text.as_bytes(), "a.txt"), Ok(Kind::Txt));
    }
}
