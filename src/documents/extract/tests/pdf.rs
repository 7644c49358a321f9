//! PDFs, written by hand (ISO 32000-1, 7.5).

use pdf_extract::{Document, EncryptionState, EncryptionVersion, Object, Permissions, StringFormat};

use super::*;

/// A PDF of these objects, numbered from one, the first being the catalogue.
fn pdf(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let start = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        file.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    file.extend(
        format!("trailer\n<</Size {}/Root 1 0 R{trailer}>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1).bytes(),
    );
    file
}

fn stream(content: &str) -> String {
    format!("<</Length {}>>stream\n{content}\nendstream", content.len())
}

fn page(contents: u32) -> String {
    format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents {contents} 0 R/Resources<</Font<</F 3 0 R>>>>>>")
}

/// Two pages that say these words.
fn letter(first: &str, second: &str) -> Vec<u8> {
    let words = |words: &str| stream(&format!("BT /F 12 Tf 20 200 Td ({words}) Tj ET"));
    pdf(
        &[
            "<</Type/Catalog/Pages 2 0 R>>".into(),
            "<</Type/Pages/Kids[4 0 R 5 0 R]/Count 2>>".into(),
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".into(),
            page(6),
            page(7),
            words(first),
            words(second),
            "<</Title(A letter)/Author<FEFF0041006E006E00E9>>>".into(),
        ],
        "/Info 8 0 R",
    )
}

#[test]
fn a_pdf_is_its_pages_title_and_author() {
    let read = read(&letter("Hello there", "Good bye"), Kind::Pdf).unwrap();
    assert_eq!(read.text, "Hello there\n\u{C}Good bye");
    assert_eq!(read.unpaged(), "Hello there\n\nGood bye");
    assert_eq!(read.metadata.title.as_deref(), Some("A letter"));
    assert_eq!(read.metadata.author.as_deref(), Some("Anné"));
    assert_eq!((read.metadata.page_count, read.metadata.word_count), (Some(2), Some(4)));
    assert_eq!(read.warnings, [""; 0]);
}

#[test]
fn an_encryption_that_stands_in_the_trailer_itself_is_undone_or_told() {
    for before in ["", "\n\n"] {
        let file = |password| [before.as_bytes(), &encrypted(password)].concat();
        let read = |password| read(&file(password), Kind::Pdf);
        assert!(!String::from_utf8_lossy(&file("")).contains("Hello there"));
        let open = read("").unwrap();
        assert_eq!(open.text, "Hello there\n\u{C}Good bye");
        assert_eq!(open.metadata.title.as_deref(), Some("A letter"));
        assert_eq!(read("secret"), Err(Failed::Protected));
    }
}

/// A letter that only those with this password can read, its encryption dictionary no object of its own.
fn encrypted(password: &str) -> Vec<u8> {
    let mut document = Document::load_mem(&letter("Hello there", "Good bye")).unwrap();
    let id = Object::String(b"0123456789abcdef".to_vec(), StringFormat::Hexadecimal);
    document.trailer.set("ID", vec![id.clone(), id]);
    let version = EncryptionVersion::V2 {
        document: &document,
        owner_password: "owner",
        user_password: password,
        key_length: 128,
        permissions: Permissions::all(),
    };
    document.encrypt(&EncryptionState::try_from(version).unwrap()).unwrap();
    let id = document.trailer.get(b"Encrypt").and_then(Object::as_reference).unwrap();
    let encryption = document.objects.remove(&id).unwrap();
    document.trailer.set("Encrypt", encryption);
    let mut file = Vec::new();
    document.save_to(&mut file).unwrap();
    file
}

#[test]
fn further_pages_than_allowed_are_told() {
    let limits = Limits { pages: 1, ..Limits::default() };
    let read = read_within(&letter("one", "two"), Kind::Pdf, limits).unwrap();
    assert_eq!((read.text.as_str(), read.metadata.page_count), ("one", Some(2)));
    assert_eq!(read.warnings, ["Only the first 1 pages were read."]);
}

#[test]
fn a_page_that_its_reader_stumbles_over_costs_that_page_alone() {
    let broken = String::from_utf8(letter("one", "two")).unwrap().replacen(
        "/MediaBox[0 0 300 300]",
        "/MediaBox[0 (x) 3]    ",
        1,
    );
    let read = read(broken.as_bytes(), Kind::Pdf).unwrap();
    assert_eq!(read.text, "\u{C}two");
    assert_eq!(read.warnings, ["Page 1 could not be read."]);
}

#[test]
fn a_pdf_without_words_says_so() {
    let read = read(&letter("", ""), Kind::Pdf).unwrap();
    assert_eq!(read.warnings, ["There is no text in it: its pages may be pictures."]);
}

#[test]
fn a_pdf_cut_anywhere_is_read_or_refused() {
    let whole = letter("Hello there", "Good bye");
    for end in (9..whole.len()).step_by(31) {
        match read(&whole[..end], Kind::Pdf) {
            Ok(_) | Err(Failed::Damaged(_)) => {}
            Err(other) => panic!("cut at {end}: {other:?}"),
        }
    }
}

#[test]
fn a_table_of_objects_that_leads_back_to_itself_ends() {
    let whole = String::from_utf8(letter("one", "two")).unwrap();
    let start = whole.rsplit("startxref\n").next().unwrap().lines().next().unwrap().to_owned();
    let looped = whole.replace("/Info 8 0 R", &format!("/Prev {start}"));
    assert!(matches!(read(looped.as_bytes(), Kind::Pdf), Ok(_) | Err(Failed::Damaged(_))));
}

#[test]
fn a_tree_of_pages_that_bites_its_tail_ends() {
    let catalogue = "<</Type/Catalog/Pages 2 0 R>>".to_owned();
    let tree = "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>".to_owned();
    assert_eq!(read(&pdf(&[catalogue, tree], ""), Kind::Pdf), Err(Failed::Damaged("it has no pages".into())));
}
