//! XML from strangers: no document type, so no entities of the file's own; no elements without end within each other.

use std::io::{self, BufReader, Read};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event, attributes::Attribute},
};

use super::Failed;

/// How many elements may be within each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth(pub(super) usize);

/// What stands next. Names are without their namespace's prefix.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Node {
    Open(Element),
    Close(String),
    Text(String),
}

/// An element's name and attributes.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Element(BytesStart<'static>);

impl Element {
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The value of the first attribute of this name, whatever its prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.find(|attribute| attribute.key.local_name().into_inner() == name)
    }

    /// The value of the attribute of this name, its prefix included: `r:id`, say, beside `id`.
    pub(super) fn qualified(&self, name: &str) -> Option<String> {
        self.find(|attribute| attribute.key.into_inner() == name)
    }

    fn find(&self, wanted: impl Fn(&Attribute) -> bool) -> Option<String> {
        let found = self.0.attributes().flatten().find(wanted)?;
        found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
    }
}

/// Reads one part of a document from front to back.
pub(super) struct Xml<R> {
    reader: Reader<BufReader<R>>,
    buffer: Vec<u8>,
    limit: Depth,
    depth: usize,
}

impl<R: Read> Xml<R> {
    pub(super) fn new(part: R, limit: Depth) -> Self {
        let mut reader = Reader::from_reader(BufReader::new(part));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), limit, depth: 0 }
    }

    /// The next node; `None` at the end.
    ///
    /// # Errors
    /// [`Failed::Damaged`] where it is not well-formed or refers to entities, [`Failed::TooLarge`] where it is too deep,
    /// and whatever stopped the part from being read.
    pub(super) fn next(&mut self) -> Result<Option<Node>, Failed> {
        loop {
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer).map_err(broken)? {
                Event::Start(element) | Event::Empty(element) => {
                    self.depth += 1;
                    if self.depth > self.limit.0 {
                        return Err(Failed::TooLarge(format!("its XML is more than {} elements deep", self.limit.0)));
                    }
                    return Ok(Some(Node::Open(Element(element.into_owned()))));
                }
                Event::End(element) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Node::Close(element.local_name().into_inner().to_owned())));
                }
                Event::Text(text) => return Ok(Some(Node::Text(text.xml10_content().into_owned()))),
                Event::CData(text) => return Ok(Some(Node::Text(text.xml10_content().into_owned()))),
                Event::GeneralRef(reference) => return Ok(Some(Node::Text(meant(&reference)?.to_string()))),
                Event::DocType(_) => return Err(Failed::Damaged("its XML declares a document type".into())),
                Event::Eof if self.depth > 0 => return Err(Failed::Damaged("its XML ends early".into())),
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Passes over everything up to the end of the element that was opened last.
    pub(super) fn skip(&mut self) -> Result<(), Failed> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside && self.next()?.is_some() {}
        Ok(())
    }

    /// The text within the element that was opened last, up to `limit` bytes of it.
    pub(super) fn text(&mut self, limit: usize) -> Result<String, Failed> {
        let outside = self.depth.saturating_sub(1);
        let mut gathered = String::new();
        while self.depth > outside {
            match self.next()? {
                Some(Node::Text(text)) if gathered.len() + text.len() <= limit => gathered.push_str(&text),
                Some(Node::Text(_) | Node::Open(_) | Node::Close(_)) => {}
                None => break,
            }
        }
        Ok(gathered)
    }
}

/// The character that a reference stands for: those of XML itself, and no others.
fn meant(reference: &BytesRef<'_>) -> Result<char, Failed> {
    match (reference.resolve_char_ref(), &**reference) {
        (Ok(Some(c)), _) => Ok(c),
        (Ok(None), "lt") => Ok('<'),
        (Ok(None), "gt") => Ok('>'),
        (Ok(None), "amp") => Ok('&'),
        (Ok(None), "apos") => Ok('\''),
        (Ok(None), "quot") => Ok('"'),
        (Ok(None) | Err(_), _) => Err(Failed::Damaged("its XML refers to an unknown entity".into())),
    }
}

fn broken(error: quick_xml::Error) -> Failed {
    let quick_xml::Error::Io(error) = error else { return Failed::damaged(error) };
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<Failed>()).cloned();
    reason.unwrap_or_else(|| io::Error::new(error.kind(), error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Node>, Failed> {
        let mut xml = Xml::new(text.as_bytes(), Depth(3));
        let mut nodes = Vec::new();
        while let Some(node) = xml.next()? {
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn texts(text: &str) -> String {
        let nodes = read(text).unwrap().into_iter();
        nodes.filter_map(|node| if let Node::Text(text) = node { Some(text) } else { None }).collect()
    }

    #[test]
    fn references_of_xml_itself_are_characters() {
        assert_eq!(texts("<p>a &lt; b &amp;&#x20;c<![CDATA[ & d]]></p>"), "a < b & c & d");
    }

    #[test]
    fn a_document_type_is_refused_and_so_are_entities() {
        let laughs = "<!DOCTYPE p [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><p>&b;</p>";
        assert_eq!(read(laughs), Err(Failed::Damaged("its XML declares a document type".into())));
        assert_eq!(read("<p>&b;</p>"), Err(Failed::Damaged("its XML refers to an unknown entity".into())));
    }

    #[test]
    fn depth_is_bounded_and_ends_are_asked_for() {
        assert!(read("<a><b><c/></b><b><c/></b></a>").is_ok());
        assert!(matches!(read("<a><b><c><d/></c></b></a>"), Err(Failed::TooLarge(_))));
        assert!(matches!(read("<a><b>"), Err(Failed::Damaged(_))));
        assert!(matches!(read("<a></b>"), Err(Failed::Damaged(_))));
    }

    #[test]
    fn an_element_is_skipped_or_gathered_whole() {
        let mut xml = Xml::new("<a><b>no<c>no</c></b><d>y<e>e</e>s</d>.</a>".as_bytes(), Depth(9));
        let mut seen = String::new();
        while let Some(node) = xml.next().unwrap() {
            match node {
                Node::Open(element) if element.name() == "b" => xml.skip().unwrap(),
                Node::Open(element) if element.name() == "d" => seen += &xml.text(99).unwrap(),
                Node::Text(text) => seen += &text,
                Node::Open(_) | Node::Close(_) => {}
            }
        }
        assert_eq!(seen, "yes.");
    }
}
