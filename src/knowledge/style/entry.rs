//! A source as the library that knows the styles takes it.

use std::str::FromStr;

use hayagriva::{
    Entry,
    types::{ChunkKind, ChunkedString, Date, EntryType, FormatString, MaybeTyped, Person, QualifiedUrl},
};

use super::super::source::{self, Kind, Name, Source};

/// An entry whose key is the source's place.
pub(super) fn of(at: usize, source: &Source) -> Entry {
    let (kind, container) = types(source.kind());
    let mut entry = Entry::new(&at.to_string(), kind);
    entry.set_title(title(source.title.as_deref().or(source.url.as_deref()).unwrap_or("Untitled document")));
    if !source.authors.is_empty() {
        entry.set_authors(source.authors.iter().map(|author| person(author)).collect());
    }
    if let Some(date) = source.publication_date.as_deref().and_then(date) {
        entry.set_date(date);
    }
    if let Some(url) = source.url.as_deref().and_then(|url| QualifiedUrl::from_str(url).ok()) {
        entry.set_url(url);
    }
    if let Some(doi) = &source.doi {
        entry.set_doi(doi.clone());
    }
    if let Some(pmid) = &source.pmid {
        entry.set_pmid(pmid.clone());
    }
    if let Some(pages) = &source.pages {
        entry.set_page_range(typed(pages));
    }
    // Volume and issue are those of what it is part of.
    let mut whole = Entry::new("", container.unwrap_or(EntryType::Periodical));
    let part = container.is_some() && source.journal.is_some();
    let holder = if part { &mut whole } else { &mut entry };
    if let Some(volume) = &source.volume {
        holder.set_volume(typed(volume));
    }
    if let Some(issue) = &source.issue {
        holder.set_issue(typed(issue));
    }
    if let Some(journal) = source.journal.as_ref().filter(|_| part) {
        whole.set_title(title(journal));
        entry.set_parents(vec![whole]);
    }
    entry
}

/// What a kind of document is called there, and what it is part of.
fn types(kind: Kind) -> (EntryType, Option<EntryType>) {
    match kind {
        Kind::Article => (EntryType::Article, Some(EntryType::Periodical)),
        Kind::Book => (EntryType::Book, None),
        Kind::Chapter => (EntryType::Chapter, Some(EntryType::Book)),
        // As part of `Proceedings` it would be of a special issue.
        Kind::Conference => (EntryType::Chapter, Some(EntryType::Book)),
        Kind::Report => (EntryType::Report, None),
        Kind::Thesis => (EntryType::Thesis, None),
        Kind::Webpage => (EntryType::Web, None),
        Kind::Document => (EntryType::Misc, None),
    }
}

/// A title. Styles that write titles in capitals leave out words with a digit, a Greek letter or a capital inside: `mRNA`,
/// `BNT162b2`, `α-synuclein`.
fn title(text: &str) -> FormatString {
    let (mut value, mut before) = (ChunkedString::new(), None);
    for word in text.split(' ') {
        if let Some(before) = before {
            // A chunk that begins with a space and a sign loses the space; one that begins with a letter loses its capital.
            let sign = !word.starts_with(char::is_alphanumeric);
            value.push_char(' ', if sign { before } else { ChunkKind::Normal });
        }
        let named = |c: char| c.is_numeric() || ('\u{370}'..'\u{400}').contains(&c);
        let spelled = word.chars().any(named) || word.chars().skip(1).any(char::is_uppercase);
        let kind = if spelled { ChunkKind::Verbatim } else { ChunkKind::Normal };
        value.push_str(word, kind);
        before = Some(kind);
    }
    FormatString { value, short: None }
}

fn person(author: &str) -> Person {
    let (name, given_name, suffix) = match Name::of(author) {
        Name::Person { family, given, suffix } => (family, Some(given), suffix),
        Name::Whole(name) => (name, None, None),
    };
    Person { name, given_name, prefix: None, suffix, comma_suffix: false, alias: None }
}

fn date(text: &str) -> Option<Date> {
    let date: source::Date = text.parse().ok()?;
    // Months and days are counted from 0 there.
    let part = |part: Option<i8>| part.map(|part| part.unsigned_abs() - 1);
    Some(Date { month: part(date.month), day: part(date.day), ..Date::from_year(date.year.into()) })
}

/// A number where it is one; text otherwise.
fn typed<T: FromStr>(text: &str) -> MaybeTyped<T> {
    text.parse().map_or_else(|_| MaybeTyped::String(text.to_owned()), MaybeTyped::Typed)
}
