//! Sources as BibTeX.

use std::{collections::BTreeSet, fmt::Write};

use unicode_normalization::UnicodeNormalization;

use super::{
    super::{Date, Source, kind::Kind, name::Name, tidy::line},
    MONTHS, TYPES,
};

/// Sources as a BibTeX file. No value can end its field: it has no brace that is not ours.
pub fn to_bibtex(sources: &[Source]) -> String {
    let (mut out, mut keys) = (String::new(), BTreeSet::new());
    for source in sources {
        let kind = source.kind();
        // Old programs know no pages of the web.
        let known = TYPES.iter().find(|(other, _)| *other == kind && kind != Kind::Webpage);
        let entry = known.map_or("misc", |(_, types)| types[0]);
        let _ = write!(out, "@{entry}{{{}", key(source, &mut keys));
        let mut field = |name: &str, value: &str| {
            let _ = write!(out, ",\n  {name} = {value}");
        };
        let braced = |text: &str| format!("{{{}}}", escaped(text));
        if !source.authors.is_empty() {
            let names: Vec<_> = source.authors.iter().map(|author| written(author)).collect();
            field("author", &format!("{{{}}}", names.join(" and ")));
        }
        let container = match kind {
            Kind::Chapter | Kind::Conference => "booktitle",
            Kind::Article | Kind::Book | Kind::Report | Kind::Thesis | Kind::Webpage | Kind::Document => "journal",
        };
        for (name, value) in [
            ("title", &source.title),
            (container, &source.journal),
            ("volume", &source.volume),
            ("number", &source.issue),
        ] {
            if let Some(value) = value {
                field(name, &braced(value));
            }
        }
        if let Some(pages) = &source.pages {
            field("pages", &braced(&pages.replace('–', "-")).replace('-', "--"));
        }
        if let Some(date) = source.publication_date.as_deref().and_then(|date| date.parse::<Date>().ok()) {
            field("year", &format!("{{{:04}}}", date.year));
            if let Some(month) = date.month.and_then(|month| MONTHS.get(usize::from(month.unsigned_abs()) - 1)) {
                field("month", month);
            }
            if let Some(day) = date.day {
                field("day", &format!("{{{day}}}"));
            }
        }
        for (name, value) in [("doi", &source.doi), ("url", &source.url), ("pmid", &source.pmid)] {
            if let Some(value) = value {
                field(name, &format!("{{{}}}", verbatim(value)));
            }
        }
        out.push_str("\n}\n\n");
    }
    out
}

/// What an entry is called: `polack2020safety`, told apart from those before it.
fn key(source: &Source, taken: &mut BTreeSet<String>) -> String {
    let plain = |text: &str| -> String {
        text.nfkd().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(20).collect()
    };
    let author = source.authors.first().map(|author| match Name::of(author) {
        Name::Person { family, .. } => plain(&family),
        Name::Whole(name) => plain(&name),
    });
    let year: String = source.publication_date.as_deref().unwrap_or_default().chars().take(4).collect();
    let words = source.title.as_deref().unwrap_or_default().split_whitespace().map(plain);
    let word = words.into_iter().find(|word| word.len() > 3).unwrap_or_default();
    let stem = format!("{}{}{word}", author.unwrap_or_default(), plain(&year));
    let stem = if stem.is_empty() { "source".to_owned() } else { stem };
    let mut key = stem.clone();
    let mut nth = 1;
    while !taken.insert(key.clone()) {
        nth += 1;
        key = format!("{stem}-{nth}");
    }
    key
}

/// An author. A brace keeps what is one name from being read as two.
fn written(author: &str) -> String {
    match Name::of(author) {
        Name::Person { family, given, suffix } => {
            let part = |text: &str| {
                let joined = text.split_whitespace().any(|word| word.eq_ignore_ascii_case("and")) || text.contains(',');
                if joined { format!("{{{}}}", escaped(text)) } else { escaped(text) }
            };
            match suffix {
                Some(suffix) => format!("{}, {}, {}", part(&family), part(&suffix), part(&given)),
                None => format!("{}, {}", part(&family), part(&given)),
            }
        }
        Name::Whole(name) => format!("{{{}}}", escaped(&name)),
    }
}

/// Text in TeX's words. Braces are commands too: an escaped one still counts for BibTeX.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '{' => out.push_str("\\textbraceleft{}"),
            '}' => out.push_str("\\textbraceright{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '$' | '&' | '%' | '#' | '_' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// An address, which TeX is not to read. Addresses have other spellings of what would end the field.
fn verbatim(text: &str) -> String {
    let spelled = line(text).replace(' ', "%20");
    spelled.replace('{', "%7B").replace('}', "%7D").replace('\\', "%5C")
}
