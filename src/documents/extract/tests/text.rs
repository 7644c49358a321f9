//! Plain text in its encodings.

use super::*;

#[test]
fn text_is_read_in_its_encoding() {
    let read = |bytes: &[u8]| read(bytes, Kind::Txt).unwrap();
    assert_eq!(read("\u{FEFF}naïve\r\ncafé".as_bytes()).text, "naïve\ncafé");
    assert_eq!(read(b"\xFF\xFEh\x00\xEF\x00").text, "hï");
    assert_eq!(read(b"\xFE\xFF\x00h\x00i").text, "hi");
    let old = read(b"caf\xE9 \x80 5");
    assert_eq!(old.text, "café € 5");
    assert_eq!(old.warnings, ["The text is not UTF-8; it was read as Windows-1252."]);
    assert_eq!(old.metadata.word_count, Some(3));
}

#[test]
fn long_text_is_cut_with_a_warning() {
    let limits = Limits { text_bytes: 1024, ..Limits::default() };
    let long = "añ".repeat(5000);
    let cut = read_within(long.as_bytes(), Kind::Md, limits).unwrap();
    assert_eq!(cut.text, "añ".repeat(341) + "a");
    assert_eq!(cut.warnings, ["Only the first 1 KiB of text were kept."]);
}

#[test]
fn a_file_that_is_not_there_is_no_fault_of_its_owner() {
    let gone = extract("/nonexistent/file".as_ref(), Kind::Txt, &Limits::default()).unwrap_err();
    assert!(gone.may_pass(), "{gone:?}");
}
