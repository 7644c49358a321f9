//! What a paragraph is, by its own properties (ECMA-376 part 1, 17.3.1) and by its style (17.7).

use std::{collections::BTreeMap, io::Read, iter::successors};

use super::super::{
    Failed,
    archive::Archive,
    paragraph::Role,
    xml::{Node, Xml},
};

/// The styles of paragraphs, by their ids, which are in the language of whoever made them.
#[derive(Debug, Default)]
pub(super) struct Styles(BTreeMap<String, Style>);

#[derive(Debug, Default)]
struct Style {
    /// In English if it is one of Word's own: `heading 1`.
    name: String,
    /// The id of the style that has what this one does not say.
    based_on: Option<String>,
    properties: Properties,
}

/// What a paragraph or a style says of itself.
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// The id of its style.
    style: Option<String>,
    /// Its level in the outline, from 0; from [`LEVELS`] on it is in none.
    outline: Option<usize>,
    /// Whether it is of a list.
    listed: Option<bool>,
}

impl Styles {
    /// The document's styles, if it has any.
    pub(super) fn read(archive: &mut Archive) -> Result<Self, Failed> {
        let mut styles = Self::default();
        let Some(mut xml) = archive.xml("word/styles.xml")? else { return Ok(styles) };
        while let Some(node) = xml.next()? {
            let Node::Open(element) = node else { continue };
            if element.name() != "style" || element.attribute("type").as_deref() != Some("paragraph") {
                continue;
            }
            if let Some(id) = element.attribute("styleId") {
                styles.0.insert(id, Style::read(&mut xml)?);
            }
        }
        Ok(styles)
    }

    /// What a paragraph is: as it says itself, or the first that does of its style and those which that is based on.
    pub(super) fn role(&self, own: &Properties) -> Role {
        let id = own.style.as_deref().unwrap_or_default();
        let first = self.0.get(id);
        // Whatever is based on itself ends too.
        let mut line = successors(first, |style| self.0.get(style.based_on.as_deref()?)).take(GENERATIONS);
        // Where a style is missing its id may tell.
        let unknown = || level(id).filter(|_| first.is_none());
        let outline = own.outline.or_else(|| line.clone().find_map(Style::outline)).or_else(unknown);
        match outline.filter(|level| *level < LEVELS) {
            Some(level) => Role::Heading(level + 1),
            None if own.listed.or_else(|| line.find_map(|style| style.properties.listed)) == Some(true) => Role::Entry,
            None => Role::Body,
        }
    }
}

impl Style {
    /// The rest of the element that was opened last.
    fn read<R: Read>(xml: &mut Xml<R>) -> Result<Self, Failed> {
        let mut style = Self::default();
        while let Some(node) = xml.next()? {
            match node {
                Node::Open(element) => match element.name() {
                    "name" => style.name = element.attribute("val").unwrap_or_default(),
                    "basedOn" => style.based_on = element.attribute("val"),
                    "pPr" => style.properties = Properties::read(xml)?,
                    _ => xml.skip()?,
                },
                Node::Close(name) if name == "style" => break,
                Node::Close(_) | Node::Text(_) => {}
            }
        }
        Ok(style)
    }

    fn outline(&self) -> Option<usize> {
        self.properties.outline.or_else(|| level(&self.name))
    }
}

impl Properties {
    /// The rest of the element that was opened last, a `pPr`. What it was before a change that is tracked does not count.
    pub(super) fn read<R: Read>(xml: &mut Xml<R>) -> Result<Self, Failed> {
        let mut properties = Self::default();
        while let Some(node) = xml.next()? {
            match node {
                Node::Open(element) => match element.name() {
                    "pStyle" => properties.style = element.attribute("val"),
                    "outlineLvl" => properties.outline = element.attribute("val").and_then(|level| level.parse().ok()),
                    "numPr" => {}
                    // The list without a number takes the paragraph out of its style's.
                    "numId" => properties.listed = element.attribute("val").map(|list| list != "0"),
                    _ => xml.skip()?,
                },
                Node::Close(name) if name == "pPr" => break,
                Node::Close(_) | Node::Text(_) => {}
            }
        }
        Ok(properties)
    }
}

/// The level, from 0, of a style that is Word's own: `heading 1` or `Title`.
fn level(name: &str) -> Option<usize> {
    let name = name.to_lowercase().replace(' ', "");
    if name == "title" {
        return Some(0);
    }
    name.strip_prefix("heading")?.parse::<usize>().ok()?.checked_sub(1)
}

/// Levels of the outline; what has a further one is text.
const LEVELS: usize = 9;

/// Styles that are based on each other and are looked at.
const GENERATIONS: usize = 16;
