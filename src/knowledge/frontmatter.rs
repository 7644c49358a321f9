//! What a document says of itself: bibliographic fields that nobody gave.

use super::{
    markdown,
    source::{self, Source},
};
use crate::documents::{extract::Metadata, kind::Kind};

/// What is read of a document in its file's properties and on its first pages. Where its properties tell no title, the heading
/// that it begins with is one, or else its file's name.
pub fn of(metadata: &Metadata, text: &str, kind: Option<Kind>, file_name: Option<&str>) -> Source {
    let (doi, pmid) = source::find(text);
    let heading = || kind.filter(|kind| has_marks(*kind)).and_then(|_| title(&markdown::title(text)?));
    let title = metadata.title.as_deref().and_then(title).or_else(heading);
    let title = title.or_else(|| file_name.map(|name| stem(name).to_owned()));
    let authors = metadata.author.as_deref().map(authors).unwrap_or_default();
    // What is too long, or of no form, is as good as not there.
    let kept = |source: Source| source.checked().unwrap_or_default();
    kept(Source { title, ..Source::default() }).or(kept(Source { authors, ..Source::default() })).or(kept(Source {
        doi,
        pmid,
        ..Source::default()
    }))
}

/// Whether headings are marked in the text of such files.
const fn has_marks(kind: Kind) -> bool {
    matches!(kind, Kind::Md | Kind::Docx | Kind::Odt)
}

/// A title that somebody gave, rather than a program that writes files.
fn title(property: &str) -> Option<String> {
    let title = property.strip_prefix("Microsoft Word - ").unwrap_or(property);
    let title = title.strip_prefix("PowerPoint Presentation").unwrap_or(title).trim();
    let says_nothing = ["untitled", "document", "document1", "slide 1"].iter().any(|it| title.eq_ignore_ascii_case(it));
    (!title.is_empty() && !says_nothing).then(|| stem(title).to_owned())
}

/// Without the ending of a file's name, if that is what it is.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ENDINGS.iter().any(|it| ending.eq_ignore_ascii_case(it)) => stem,
        Some(_) | None => name,
    }
}

/// The names in one line. Files part them by semicolons, by "and", or by commas where each name has several words: one comma
/// alone may stand between family and given name.
fn authors(line: &str) -> Vec<String> {
    let several = |names: Vec<&str>| -> Vec<String> {
        names.into_iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    };
    if line.contains(';') {
        return several(line.split(';').collect());
    }
    let parts: Vec<_> = line.split(" and ").flat_map(|part| part.split(" & ")).collect();
    let names = |part: &&str| part.split(',').all(|name| name.split_whitespace().count() > 1);
    if parts.iter().all(names) {
        return several(parts.into_iter().flat_map(|part| part.split(',')).collect());
    }
    several(parts)
}

/// What files are called by that are documents.
const ENDINGS: [&str; 16] = [
    "pdf", "txt", "md", "csv", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "odt", "png", "jpg", "jpeg", "gif", "webp",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(title: Option<&str>, author: Option<&str>, text: &str) -> Source {
        let own = |text: Option<&str>| text.map(str::to_owned);
        let metadata = Metadata { title: own(title), author: own(author), ..Metadata::default() };
        of(&metadata, text, Some(Kind::Pdf), Some("Sepsis 2.0.pdf"))
    }

    #[test]
    fn a_file_tells_its_title_its_authors_and_its_numbers() {
        let found = read(Some("Sepsis care"), Some("Jane Doe; Roe, Richard"), "doi:10.1000/182 PMID: 1234567");
        assert_eq!(found.title.as_deref(), Some("Sepsis care"));
        assert_eq!(found.authors, ["Jane Doe", "Roe, Richard"]);
        assert_eq!((found.doi.as_deref(), found.pmid.as_deref()), (Some("10.1000/182"), Some("1234567")));
    }

    #[test]
    fn a_title_that_a_program_made_is_none_and_the_name_of_the_file_is() {
        for (property, title) in [
            (None, "Sepsis 2.0"),
            (Some("untitled"), "Sepsis 2.0"),
            (Some("PowerPoint Presentation"), "Sepsis 2.0"),
            (Some("Microsoft Word - Fluids.docx"), "Fluids"),
            (Some("A. B."), "A. B."),
        ] {
            assert_eq!(read(property, None, "").title.as_deref(), Some(title), "{property:?}");
        }
        assert_eq!(of(&Metadata::default(), "", None, None), Source::default());
    }

    #[test]
    fn the_heading_that_a_text_begins_with_is_its_title_where_headings_are_marked() {
        let says = |title: &str| Metadata { title: Some(title.to_owned()), ..Metadata::default() };
        for (metadata, text, kind, title) in [
            (Metadata::default(), "# Fluids\nDrink.", Kind::Md, "Fluids"),
            (says("untitled"), "# Fluids", Kind::Docx, "Fluids"),
            (says("Water"), "# Fluids", Kind::Odt, "Water"),
            (Metadata::default(), "# Untitled", Kind::Md, "notes"),
            (Metadata::default(), "# Fluids", Kind::Csv, "notes"),
        ] {
            let found = of(&metadata, text, Some(kind), Some("notes.md"));
            assert_eq!(found.title.as_deref(), Some(title), "{kind} {text}");
        }
    }

    #[test]
    fn names_are_told_apart_where_that_can_be_told() {
        for (line, names) in [
            ("Jane Doe, Richard Roe and Ann Poe", vec!["Jane Doe", "Richard Roe", "Ann Poe"]),
            ("Doe, Jane", vec!["Doe, Jane"]),
            ("Doe, Jane and Roe, Richard", vec!["Doe, Jane", "Roe, Richard"]),
            ("Jane Doe & Richard Roe", vec!["Jane Doe", "Richard Roe"]),
            ("World Health Organization", vec!["World Health Organization"]),
            (" ; ", vec![]),
        ] {
            assert_eq!(read(None, Some(line), "").authors, names, "{line}");
        }
    }
}
