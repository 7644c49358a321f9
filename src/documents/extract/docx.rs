//! Word documents: WordprocessingML (ECMA-376 part 1, 17).

use std::{io::Read, path::Path};

use super::{
    Extracted, Failed, Limits,
    archive::Archive,
    properties,
    prose::Prose,
    xml::{Node, Xml},
};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let mut archive = Archive::open(path, limits)?;
    let mut prose = Prose::new(limits.text_bytes);
    body(archive.main(&["word/document.xml", "word/document2.xml"])?, &mut prose)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(xml) = archive.xml(notes)? {
            prose.end_part();
            body(xml, &mut prose)?;
        }
    }
    let metadata = properties::read(&mut archive)?;
    let mut warnings = Vec::new();
    Ok(Extracted { text: prose.finish(&mut warnings), metadata, warnings, ..Extracted::default() })
}

/// The text of runs. Deleted text (`delText`) and field codes (`instrText`) are other elements than `t`; a `Fallback` says
/// again, for older readers, what the `Choice` beside it said.
fn body<R: Read>(mut xml: Xml<R>, prose: &mut Prose) -> Result<(), Failed> {
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "t" => prose.push(&xml.text(TEXT_MAX)?),
                "tab" | "ptab" => prose.push("\t"),
                "br" | "cr" => prose.push("\n"),
                "noBreakHyphen" => prose.push("\u{2011}"),
                // Tab stops of a paragraph's style are called `tab` as well.
                "Fallback" | "pPr" => xml.skip()?,
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "p" => prose.end_line(),
                "tc" => prose.push("\t"),
                "tr" => prose.end_line(),
                _ => {}
            },
            Node::Text(_) => {}
        }
        if prose.is_full() {
            break;
        }
    }
    Ok(())
}

/// Bytes of one run that are read.
pub(super) const TEXT_MAX: usize = 8 << 20;
