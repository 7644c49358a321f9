//! Word documents: WordprocessingML (ECMA-376 part 1, 17).

mod styles;

use std::{io::Read, path::Path};

use self::styles::{Properties, Styles};
use super::{
    Extracted, Failed, Limits,
    archive::Archive,
    paragraph::{Paragraphs, Role},
    properties,
    prose::Prose,
    xml::{Node, Xml},
};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let mut archive = Archive::open(path, limits)?;
    let styles = Styles::read(&mut archive)?;
    let mut prose = Prose::new(limits.text_bytes);
    body(archive.main(&["word/document.xml", "word/document2.xml"])?, &styles, &mut prose)?;
    for notes in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(xml) = archive.xml(notes)? {
            prose.end_part();
            body(xml, &styles, &mut prose)?;
        }
    }
    let metadata = properties::read(&mut archive)?;
    let mut warnings = Vec::new();
    Ok(Extracted { text: prose.finish(&mut warnings), metadata, warnings, ..Extracted::default() })
}

/// The text of runs. Deleted text (`delText`) and field codes (`instrText`) are other elements than `t`; a `Fallback` says
/// again, for older readers, what the `Choice` beside it said.
fn body<R: Read>(mut xml: Xml<R>, styles: &Styles, prose: &mut Prose) -> Result<(), Failed> {
    let mut paragraphs = Paragraphs::default();
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "p" => paragraphs.open(Role::Body, prose),
                "tr" => paragraphs.open_row(prose),
                "tc" => paragraphs.open_cell(),
                "pPr" => paragraphs.tell(styles.role(&Properties::read(&mut xml)?)),
                "t" => paragraphs.push(&xml.text(TEXT_MAX)?, prose),
                "tab" | "ptab" => paragraphs.push("\t", prose),
                "br" | "cr" => paragraphs.push("\n", prose),
                "noBreakHyphen" => paragraphs.push("\u{2011}", prose),
                "Fallback" => xml.skip()?,
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "p" => paragraphs.close(prose),
                "tr" => paragraphs.close_row(prose),
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
