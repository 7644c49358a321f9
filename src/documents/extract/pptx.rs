//! PowerPoint presentations: the text of slides in the order they are shown (ECMA-376 part 1, 19 and 21).

use std::{collections::BTreeMap, io::Read, path::Path};

use super::{
    Extracted, Failed, Limits,
    archive::Archive,
    docx::TEXT_MAX,
    properties,
    prose::Prose,
    xml::{Node, Xml},
};

pub(super) fn read(path: &Path, limits: &Limits) -> Result<Extracted, Failed> {
    let mut archive = Archive::open(path, limits)?;
    let slides = slides(&mut archive)?;
    let mut prose = Prose::new(limits.text_bytes);
    let mut warnings = Vec::new();
    for slide in &slides {
        match archive.xml(&format!("ppt/{slide}"))? {
            Some(xml) => body(xml, &mut prose)?,
            None => warnings.push(format!("A slide is missing: {slide}.")),
        }
        prose.end_page();
        if prose.is_full() {
            break;
        }
    }
    warnings.truncate(WARNINGS_MAX);
    let mut metadata = properties::read(&mut archive)?;
    metadata.page_count = u32::try_from(slides.len()).ok();
    Ok(Extracted { text: prose.finish(&mut warnings), metadata, warnings, ..Extracted::default() })
}

/// The parts of the slides, in the order they are shown.
fn slides(archive: &mut Archive) -> Result<Vec<String>, Failed> {
    let mut targets = BTreeMap::new();
    if let Some(mut xml) = archive.xml("ppt/_rels/presentation.xml.rels")? {
        while let Some(node) = xml.next()? {
            let Node::Open(element) = node else { continue };
            if let (Some(id), Some(target)) = (element.attribute("Id"), element.attribute("Target")) {
                // Targets are relative to the presentation's folder, or to the root with a slash.
                let target = target.trim_start_matches("/ppt/").to_owned();
                targets.insert(id, target);
            }
        }
    }
    let mut slides = Vec::new();
    let mut xml = archive.main(&["ppt/presentation.xml"])?;
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        if element.name() == "sldId"
            && let Some(id) = element.qualified("r:id")
        {
            slides.extend(targets.get(&id).cloned());
        }
    }
    Ok(slides)
}

fn body<R: Read>(mut xml: Xml<R>, prose: &mut Prose) -> Result<(), Failed> {
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "t" => prose.push(&xml.text(TEXT_MAX)?),
                "br" => prose.push("\n"),
                "Fallback" => xml.skip()?,
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "p" | "tr" => prose.end_line(),
                "tc" => prose.push("\t"),
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

/// Missing slides that are told of.
const WARNINGS_MAX: usize = 10;
