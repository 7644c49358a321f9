//! Documents that are zip archives of XML.

use super::*;

#[test]
fn a_word_document_is_its_paragraphs_tables_and_notes() {
    let body = "<w:p><w:pPr><w:tabs><w:tab w:val=\"x\"/></w:tabs></w:pPr><w:r><w:t>Dear</w:t></w:r><w:r>\
                <w:t xml:space=\"preserve\"> A &amp; B</w:t></w:r></w:p><w:p/>\
                <w:p><w:r><w:delText>gone</w:delText><w:instrText>PAGE</w:instrText><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/>\
                <w:t>three</w:t></w:r></w:p>\
                <mc:AlternateContent><mc:Choice><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Choice>\
                <mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>";
    let read = read(&docx(body), Kind::Docx).unwrap();
    assert_eq!(read.text, "Dear A & B\none\ttwo\nthree\nbox");
    assert_eq!(read.metadata.title.as_deref(), Some("Plan & B"));
    assert_eq!(read.metadata.author.as_deref(), Some("Ann"));
    assert_eq!((read.metadata.page_count, read.metadata.word_count), (Some(3), Some(8)));
    assert_eq!(read.warnings, [""; 0]);
}

#[test]
fn a_presentation_is_its_slides_as_they_are_shown() {
    let slide = |text: &str| format!("<p:sld><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>");
    let file = zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        (
            "ppt/presentation.xml",
            b"<p:presentation><p:sldIdLst><p:sldId id=\"256\" r:id=\"rId9\"/><p:sldId id=\"257\" r:id=\"rId2\"/>\
              </p:sldIdLst></p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            b"<Relationships><Relationship Id=\"rId2\" Target=\"slides/slide1.xml\"/>\
              <Relationship Id=\"rId9\" Target=\"/ppt/slides/slide2.xml\"/></Relationships>",
        ),
        ("ppt/slides/slide1.xml", slide("second").as_bytes()),
        ("ppt/slides/slide2.xml", slide("first").as_bytes()),
    ]);
    let read = read(&file, Kind::Pptx).unwrap();
    assert_eq!(read.text, "first\n\u{C}second");
    assert_eq!(read.metadata.page_count, Some(2));
}

#[test]
fn an_opendocument_text_is_its_paragraphs_without_what_was_deleted() {
    let file = zipped(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        (
            "content.xml",
            b"<office:document-content>\n <office:body><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>\
              <text:h>Title</text:h>\n  <text:p>a<text:s text:c=\"2\"/>b<text:tab/>c<text:line-break/>d\n e</text:p>\
              </office:body></office:document-content>",
        ),
        (
            "meta.xml",
            b"<office:meta><meta:initial-creator>Ann</meta:initial-creator><dc:creator>Bob</dc:creator>\
              <dc:title>T</dc:title><meta:document-statistic meta:page-count=\"7\"/></office:meta>",
        ),
    ]);
    let read = read(&file, Kind::Odt).unwrap();
    assert_eq!(read.text, "Title\na  b\tc\nd e");
    assert_eq!(read.metadata.author.as_deref(), Some("Ann"));
    assert_eq!(read.metadata.page_count, Some(7));
}

#[test]
fn an_encrypted_opendocument_text_is_told_as_such() {
    let manifest = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
    let file = zipped(&[("content.xml", b"\x00garbage"), ("META-INF/manifest.xml", manifest)]);
    assert_eq!(read(&file, Kind::Odt), Err(Failed::Protected));
}

#[test]
fn a_workbook_is_its_sheets_row_by_row() {
    let file = xlsx(
        "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\"><v>1.5</v></c></row>\
         <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>in line</t></is></c><c r=\"C2\" t=\"b\"><v>1</v></c>\
         <c r=\"D2\" s=\"1\"><v>45000</v></c></row>\
         <row r=\"1048576\"><c r=\"XFD1048576\"><v>7</v></c></row>",
    );
    let read = read(&file, Kind::Xlsx).unwrap();
    assert_eq!(read.text, "Costs\nshared & told\t1.5\nin line\tTRUE\t2023-03-15\n7");
    assert_eq!(read.metadata.page_count, Some(1));
    assert_eq!(read.warnings, [""; 0]);
}

/// A workbook of one sheet with these rows.
fn xlsx(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", b"<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"),
        ("xl/workbook.xml", b"<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Costs\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", b"<Relationships><Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"),
        ("xl/sharedStrings.xml", b"<sst><si><t>shared &amp; told</t></si></sst>"),
        ("xl/styles.xml", b"<styleSheet><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}
