//! BibTeX as sources.

use super::{
    super::{
        Date, Source,
        imported::{self, Unread},
    },
    MONTHS, TYPES,
    names::authors,
    scan::{Entry, Scanner},
    tex::{shown, verbatim},
};

/// Reads a BibTeX file.
///
/// # Errors
///
/// An entry without an end, a field that cannot be what it is, more than 1000 entries, or too much text.
pub fn from_bibtex(text: &str) -> Result<Vec<Source>, Unread> {
    imported::fits(text)?;
    let mut scanner = Scanner::new(text);
    let mut sources = Vec::new();
    while let Some(entry) = scanner.next()? {
        imported::add(&mut sources, source(&entry), entry.line)?;
    }
    if sources.is_empty() && !text.trim().is_empty() {
        return Err(Unread::new(1, "there is no entry in this BibTeX file"));
    }
    Ok(sources)
}

fn source(Entry { kind, fields, .. }: &Entry) -> Source {
    let field = |name: &str| fields.get(name).map(|tex| shown(tex)).filter(|text| !text.trim().is_empty());
    let address = |name: &str| fields.get(name).map(|tex| verbatim(tex)).filter(|text| !text.is_empty());
    let kind = TYPES.iter().find(|(_, types)| types.contains(&kind.as_str())).and_then(|(kind, _)| kind.word());
    let title = match (field("title"), field("subtitle")) {
        (Some(title), Some(subtitle)) => Some(format!("{title}: {subtitle}")),
        (title, subtitle) => title.or(subtitle),
    };
    let pubmed = field("eprinttype").is_some_and(|name| name.eq_ignore_ascii_case("pubmed"));
    Source {
        title,
        url: address("url").filter(|url| url.starts_with("http://") || url.starts_with("https://")),
        authors: fields.get("author").map(|tex| authors(tex)).unwrap_or_default(),
        publication_date: date(field).map(|date| date.to_string()),
        journal: field("journal").or_else(|| field("journaltitle")).or_else(|| field("booktitle")),
        volume: field("volume"),
        issue: field("number").or_else(|| field("issue")),
        pages: field("pages").map(|pages| pages.replace(['–', '—'], "-")),
        doi: address("doi"),
        pmid: address("pmid").or_else(|| address("eprint").filter(|_| pubmed)),
        source_type: kind.map(str::to_owned),
    }
}

/// `date`, the first of a span; or `year`, `month` and `day`. `in press` is none.
fn date(field: impl Fn(&str) -> Option<String>) -> Option<Date> {
    let first = field("date").and_then(|date| date.split('/').next().and_then(|date| date.trim().parse().ok()));
    if first.is_some() {
        return first;
    }
    let year: Date = field("year")?.trim().parse().ok()?;
    let number = |text: String| text.trim().parse().ok().filter(|number| *number > 0);
    let month = field("month").and_then(|month| {
        let name: String = month.trim().to_lowercase().chars().take(3).collect();
        let named = MONTHS.iter().position(|month| *month == name).and_then(|at| i8::try_from(at + 1).ok());
        named.or_else(|| number(month))
    });
    let day = month.and_then(|_| field("day")).and_then(number);
    let exact = Date { month, day, ..year };
    // A day that no month has.
    Some(exact.to_string().parse().unwrap_or(year))
}
