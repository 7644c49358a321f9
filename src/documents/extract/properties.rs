//! Who made a document and what it is called: the properties of Office Open XML (ECMA-376 part 2, 11, and part 1,
//! 22.2).

use super::{
    Failed, Metadata,
    archive::Archive,
    prose,
    xml::{Node, Xml},
};

/// Title, author and number of pages, from the parts that hold them, if they do.
pub(super) fn read(archive: &mut Archive) -> Result<Metadata, Failed> {
    let mut metadata = Metadata::default();
    if let Some(xml) = archive.xml("docProps/core.xml")? {
        gather(xml, &mut metadata)?;
    }
    if let Some(xml) = archive.xml("docProps/app.xml")? {
        gather(xml, &mut metadata)?;
    }
    Ok(metadata)
}

fn gather<R: std::io::Read>(mut xml: Xml<R>, metadata: &mut Metadata) -> Result<(), Failed> {
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        match element.name() {
            "title" => metadata.title = prose::line(&xml.text(PROPERTY_MAX)?),
            "creator" => metadata.author = prose::line(&xml.text(PROPERTY_MAX)?),
            "Pages" => metadata.page_count = xml.text(PROPERTY_MAX)?.trim().parse().ok(),
            _ => {}
        }
    }
    Ok(())
}

/// Bytes of a property that are read.
pub(super) const PROPERTY_MAX: usize = 4096;
