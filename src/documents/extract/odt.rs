//! OpenDocument texts (OASIS ODF 1.3 part 3).

use std::{io::Read, path::Path};

use super::{
    Extracted, Failed, Limits, Metadata,
    archive::Archive,
    paragraph::{Paragraphs, Role},
    properties::PROPERTY_MAX,
    prose::{self, Prose},
    xml::{Node, Xml},
};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let mut archive = Archive::open(path, limits)?;
    if is_encrypted(&mut archive)? {
        return Err(Failed::Protected);
    }
    let mut prose = Prose::new(limits.text_bytes);
    body(archive.main(&["content.xml"])?, &mut prose)?;
    let metadata = match archive.xml("meta.xml")? {
        Some(xml) => properties(xml)?,
        None => Metadata::default(),
    };
    let mut warnings = Vec::new();
    Ok(Extracted { text: prose.finish(&mut warnings), metadata, warnings, ..Extracted::default() })
}

fn body<R: Read>(mut xml: Xml<R>, prose: &mut Prose) -> Result<(), Failed> {
    let mut paragraphs = Paragraphs::default();
    // Whether an entry of a list begins with what comes.
    let mut entry = false;
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "list-item" => entry = true,
                "table-row" => paragraphs.open_row(prose),
                "table-cell" | "covered-table-cell" => paragraphs.open_cell(),
                "h" => {
                    entry = false;
                    let level = element.attribute("outline-level").and_then(|level| level.parse().ok());
                    paragraphs.open(Role::Heading(level.unwrap_or(1)), prose);
                }
                "p" => {
                    let role = if std::mem::take(&mut entry) { Role::Entry } else { Role::Body };
                    paragraphs.open(role, prose);
                }
                "tab" => paragraphs.push("\t", prose),
                "line-break" => paragraphs.push("\n", prose),
                "s" => {
                    let spaces = element.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                    paragraphs.push(&" ".repeat(SPACES_MAX.min(spaces)), prose);
                }
                // What was deleted, and how the text is to look.
                "tracked-changes" | "automatic-styles" | "forms" => xml.skip()?,
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "p" | "h" => paragraphs.close(prose),
                "table-row" => paragraphs.close_row(prose),
                _ => {}
            },
            // White space of the XML is one space, as in HTML. Between paragraphs it is layout of the XML.
            Node::Text(text) => paragraphs.push(&collapsed(&text), prose),
        }
        if prose.is_full() {
            break;
        }
    }
    Ok(())
}

fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' | '\t' | '\n' | '\r' if collapsed.ends_with(' ') => {}
            ' ' | '\t' | '\n' | '\r' => collapsed.push(' '),
            c => collapsed.push(c),
        }
    }
    collapsed
}

fn properties<R: Read>(mut xml: Xml<R>) -> Result<Metadata, Failed> {
    let mut metadata = Metadata::default();
    let mut first = None;
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        match element.name() {
            "title" => metadata.title = prose::line(&xml.text(PROPERTY_MAX)?),
            "creator" => metadata.author = prose::line(&xml.text(PROPERTY_MAX)?),
            "initial-creator" => first = prose::line(&xml.text(PROPERTY_MAX)?),
            "document-statistic" => {
                metadata.page_count = element.attribute("page-count").and_then(|count| count.parse().ok());
            }
            _ => {}
        }
    }
    metadata.author = first.or(metadata.author);
    Ok(metadata)
}

fn is_encrypted(archive: &mut Archive) -> Result<bool, Failed> {
    let Some(mut xml) = archive.xml("META-INF/manifest.xml")? else { return Ok(false) };
    while let Some(node) = xml.next()? {
        if matches!(&node, Node::Open(element) if element.name() == "encryption-data") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Spaces of one element that are believed.
const SPACES_MAX: usize = 100;
