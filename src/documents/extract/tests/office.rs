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
fn headings_and_lists_of_a_word_document_are_marked_by_their_styles() {
    let style = |id: &str, name: &str, rest: &str| {
        format!("<w:style w:type=\"paragraph\" w:styleId=\"{id}\"><w:name w:val=\"{name}\"/>{rest}</w:style>")
    };
    let styles = [
        // Word's own, in German.
        style("Titel", "Title", "<w:basedOn w:val=\"Standard\"/>"),
        style("berschrift1", "heading 1", "<w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr>"),
        style("berschrift2", "heading 2", ""),
        style(
            "Inhaltsverzeichnisberschrift",
            "TOC Heading",
            "<w:basedOn w:val=\"berschrift1\"/><w:pPr><w:outlineLvl w:val=\"9\"/></w:pPr>",
        ),
        style("Liste", "List Bullet", "<w:pPr><w:numPr><w:numId w:val=\"3\"/></w:numPr></w:pPr>"),
        // Somebody's own.
        style("Frage", "Frage", "<w:basedOn w:val=\"berschrift2\"/><w:rPr><w:b/></w:rPr>"),
        style("Zirkel", "Zirkel", "<w:basedOn w:val=\"Zirkel\"/>"),
    ];
    for (properties, line) in [
        ("<w:pStyle w:val=\"Titel\"/>", "# x y"),
        ("<w:pStyle w:val=\"berschrift1\"/><w:numPr><w:numId w:val=\"1\"/></w:numPr>", "# x y"),
        ("<w:pStyle w:val=\"berschrift2\"/><w:rPr><w:b/></w:rPr>", "## x y"),
        ("<w:pStyle w:val=\"Frage\"/>", "## x y"),
        ("<w:pStyle w:val=\"Frage\"/><w:outlineLvl w:val=\"7\"/>", "###### x y"),
        ("<w:outlineLvl w:val=\"2\"/>", "### x y"),
        ("<w:pStyle w:val=\"Heading3\"/>", "### x y"),
        ("<w:pStyle w:val=\"Liste\"/>", "- x y"),
        ("<w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"7\"/></w:numPr>", "- x y"),
        ("<w:pStyle w:val=\"Liste\"/><w:numPr><w:numId w:val=\"0\"/></w:numPr>", "x y"),
        ("<w:pStyle w:val=\"Inhaltsverzeichnisberschrift\"/>", "x y"),
        ("<w:pStyle w:val=\"Zirkel\"/>", "x y"),
        ("<w:pStyle w:val=\"Subtitle\"/>", "x y"),
        ("<w:pPrChange><w:pPr><w:pStyle w:val=\"berschrift1\"/></w:pPr></w:pPrChange>", "x y"),
    ] {
        let body = format!(
            "<w:p><w:pPr>{properties}</w:pPr></w:p>\
             <w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space=\"preserve\"> x</w:t></w:r><w:r><w:tab/><w:t>y</w:t></w:r></w:p>"
        );
        let read = read(&styled(&styles.concat(), &body), Kind::Docx).unwrap();
        assert_eq!(read.text.trim().replace('\t', " "), line, "{properties}");
    }
}

#[test]
fn a_heading_stands_apart_on_one_line_and_without_a_word_it_leaves_no_trace() {
    let heading =
        |level: u32, runs: &str| format!("<w:p><w:pPr><w:pStyle w:val=\"Heading{level}\"/></w:pPr>{runs}</w:p>");
    let says = |text: &str| format!("<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r>");
    let boxed = format!("{}<w:r><w:txbxContent><w:p>{}</w:p></w:txbxContent></w:r>", says("Dose"), says("box"));
    let body = [
        heading(1, &says("Warfarin")),
        heading(2, &says(" ")),
        heading(2, &format!("{}<w:r><w:br/></w:r>{}", says("How it"), says("works"))),
        format!("<w:p>{}</w:p>", says("It thins the blood.")),
        heading(2, &boxed),
        format!("<w:p>{}</w:p>", says("Five milligrams.")),
    ];
    let read = read(&docx(&body.concat()), Kind::Docx).unwrap();
    assert_eq!(read.text, "# Warfarin\n\n## How it works\nIt thins the blood.\n\n## Dose\nbox\nFive milligrams.");
}

#[test]
fn a_row_of_a_table_is_a_line_and_a_cell_may_have_several() {
    let says = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
    let row = |cells: &[String]| {
        let cells = cells.iter().map(|cell| format!("<w:tc>{cell}</w:tc>"));
        format!("<w:tr>{}</w:tr>", cells.collect::<String>())
    };
    let empty = || "<w:p/>".to_owned();
    let inner = format!("<w:tbl>{}</w:tbl>", row(&[says("x"), says("y")]));
    let body = [
        says("Doses"),
        row(&[says("who"), says("how much"), empty()]),
        row(&[empty(), empty(), says("daily")]),
        row(&[says("adults") + &says("and others"), empty() + &says("5 mg")]),
        row(&[empty(), empty()]),
        row(&[says("above") + &inner + &says("beside"), says("z")]),
        says("End"),
    ];
    let read = read(&docx(&body.concat()), Kind::Docx).unwrap();
    assert_eq!(read.text, "Doses\nwho\thow much\n\t\tdaily\nadults\nand others\t5 mg\nabove\nx\ty\nbeside\tz\nEnd");
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
    assert_eq!(read.text, "# Title\na  b\tc\nd e");
    assert_eq!(read.metadata.author.as_deref(), Some("Ann"));
    assert_eq!(read.metadata.page_count, Some(7));
}

#[test]
fn headings_and_lists_of_an_opendocument_text_are_marked() {
    let file = zipped(&[(
        "content.xml",
        b"<office:text><text:h text:outline-level=\"1\">Warfarin</text:h><text:p>Thins the blood.<text:note><text:p>Really.\
          </text:p></text:note></text:p><text:h text:outline-level=\"2\"> <text:span>Dose</text:span><text:tab/>daily</text:h>\
          <text:list><text:list-item><text:p>one</text:p><text:p>and more</text:p></text:list-item><text:list-item>\
          <text:h text:outline-level=\"10\">Deep</text:h></text:list-item><text:list-item><text:p/></text:list-item></text:list>\
          <table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:covered-table-cell/>\
          <table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></table:table>\
          <text:p>End</text:p></office:text>",
    )]);
    assert_eq!(
        read(&file, Kind::Odt).unwrap().text,
        "# Warfarin\nThins the blood.\nReally.\n\n## Dose daily\n- one\nand more\n\n###### Deep\na\t\tb\nEnd"
    );
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

/// A Word document with these styles and this body.
fn styled(styles: &str, body: &str) -> Vec<u8> {
    zipped(&[
        ("word/document.xml", format!("<w:document><w:body>{body}</w:body></w:document>").as_bytes()),
        ("word/styles.xml", format!("<w:styles>{styles}</w:styles>").as_bytes()),
    ])
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
