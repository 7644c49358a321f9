//! RIS, as reference managers exchange it: a tag and a value a line, `TY` to `ER` a record
//! (<https://en.wikipedia.org/wiki/RIS_(file_format)>, after Research Information Systems).

use std::fmt::Write;

use super::{
    Date, Source,
    imported::{self, Unread},
    kind::Kind,
    tidy::line,
};

/// Sources as a RIS file. A value is one line, so none can be taken for a tag.
pub fn to_ris(sources: &[Source]) -> String {
    let mut out = String::new();
    for source in sources {
        let mut tag = |name: &str, value: &str| {
            let _ = write!(out, "{name}  - {}\r\n", line(value));
        };
        tag("TY", kind_tag(source.kind()));
        source.authors.iter().for_each(|author| tag("AU", author));
        let date: Option<Date> = source.publication_date.as_deref().and_then(|date| date.parse().ok());
        let (first, last) = source.pages.as_deref().map(pages).unwrap_or_default();
        let part = |number: Option<i8>| number.map(|number| format!("{number:02}")).unwrap_or_default();
        let fields = [
            ("TI", source.title.clone()),
            ("T2", source.journal.clone()),
            ("VL", source.volume.clone()),
            ("IS", source.issue.clone()),
            ("SP", first),
            ("EP", last),
            ("PY", date.map(|date| format!("{:04}", date.year))),
            ("DA", date.map(|date| format!("{:04}/{}/{}/", date.year, part(date.month), part(date.day)))),
            ("DO", source.doi.clone()),
            ("AN", source.pmid.clone()),
            ("DB", source.pmid.as_ref().map(|_| "PubMed".to_owned())),
            ("UR", source.url.clone()),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                tag(name, &value);
            }
        }
        out.push_str("ER  - \r\n\r\n");
    }
    out
}

/// The first and the last page.
fn pages(pages: &str) -> (Option<String>, Option<String>) {
    match pages.split_once(['-', '–']) {
        Some((first, last)) if !last.contains([',', ';']) => {
            (Some(first.trim().to_owned()), Some(last.trim_matches(['-', '–', ' ']).to_owned()))
        }
        Some(_) | None => (Some(pages.to_owned()), None),
    }
}

/// Reads a RIS file.
///
/// # Errors
///
/// Text that is no RIS, a field that cannot be what it is, more than 1000 records, or too much text.
pub fn from_ris(text: &str) -> Result<Vec<Source>, Unread> {
    imported::fits(text)?;
    let mut sources = Vec::new();
    let mut open: Option<(usize, Record)> = None;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = number + 1;
        match (tagged(line), &mut open) {
            (Some(("TY", kind)), None) => open = Some((number, Record::of(kind))),
            (Some(("TY", _)), Some((began, _))) => {
                return Err(Unread::new(
                    number,
                    format!("a record begins (TY) before the one of line {began} ends (ER)"),
                ));
            }
            (Some(("ER", _)), Some(_)) => {
                if let Some((began, record)) = open.take() {
                    imported::add(&mut sources, record.source(), began)?;
                }
            }
            (Some((tag, value)), Some((_, record))) => record.take(tag, value),
            (Some((tag, _)), None) => return Err(Unread::new(number, format!("{tag} stands outside of any record"))),
            (None, _) if line.trim().is_empty() => {}
            // A value that goes on.
            (None, Some((_, record))) => record.more(line),
            (None, None) => return Err(Unread::new(number, "this is no RIS: a record begins with `TY  - `")),
        }
    }
    // Some writers forget the last end.
    if let Some((began, record)) = open {
        imported::add(&mut sources, record.source(), began)?;
    }
    Ok(sources)
}

/// A line's tag and value.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (tag, rest) = line.split_at_checked(2)?;
    let name = tag.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let rest = rest.strip_prefix("  -")?;
    (name && !tag.starts_with(|c: char| c.is_ascii_digit())).then(|| (tag, rest.trim()))
}

/// A record while it is read: the first value of each tag, and all authors.
#[derive(Default)]
struct Record {
    source: Source,
    first: Option<String>,
    last: Option<String>,
    /// A number in a database, and the database.
    accession: Option<String>,
    database: Option<String>,
    year: Option<String>,
    /// The value that came last, if it may go on.
    open: Option<Field>,
}

type Field = fn(&mut Record) -> &mut Option<String>;

impl Record {
    fn of(kind: &str) -> Self {
        let source_type = KINDS.iter().find(|(_, tags)| tags.contains(&kind)).and_then(|(kind, _)| kind.word());
        Self { source: Source { source_type: source_type.map(str::to_owned), ..Source::default() }, ..Self::default() }
    }

    fn take(&mut self, tag: &str, value: &str) {
        self.open = None;
        if value.is_empty() {
            return;
        }
        if matches!(tag, "AU" | "A1") {
            self.source.authors.push(value.to_owned());
            return;
        }
        let field: Field = match tag {
            "TI" | "T1" | "CT" => |record| &mut record.source.title,
            "T2" | "JO" | "JF" | "JA" | "BT" => |record| &mut record.source.journal,
            "VL" => |record| &mut record.source.volume,
            "IS" => |record| &mut record.source.issue,
            "SP" => |record| &mut record.first,
            "EP" => |record| &mut record.last,
            "DA" => |record| &mut record.source.publication_date,
            "PY" | "Y1" => |record| &mut record.year,
            "DO" => |record| &mut record.source.doi,
            "AN" => |record| &mut record.accession,
            "DB" | "DP" => |record| &mut record.database,
            "UR" => |record| &mut record.source.url,
            _ => return,
        };
        let kept = field(self);
        if kept.is_none() {
            *kept = Some(value.to_owned());
            self.open = Some(field);
        }
    }

    fn more(&mut self, line: &str) {
        if let Some(field) = self.open
            && let Some(value) = field(self)
        {
            value.push(' ');
            value.push_str(line.trim());
        }
    }

    fn source(self) -> Source {
        let pages = match (self.first, self.last) {
            (Some(first), Some(last)) => Some(format!("{first}-{last}")),
            (first, last) => first.or(last),
        };
        let pubmed = self.database.is_some_and(|database| {
            ["pubmed", "medline", "nlm"].iter().any(|name| database.to_lowercase().contains(name))
        });
        let date = self.source.publication_date.as_deref().and_then(date).or(self.year.as_deref().and_then(date));
        Source {
            pages,
            publication_date: date.map(|date| date.to_string()),
            pmid: self.accession.filter(|_| pubmed),
            url: self.source.url.filter(|url| url.starts_with("http://") || url.starts_with("https://")),
            ..self.source
        }
    }
}

/// `YYYY/MM/DD/season` with any of it left out, or `YYYY-MM-DD`.
fn date(text: &str) -> Option<Date> {
    let parts: Vec<_> = text.split(['/', '-']).map(str::trim).take(3).take_while(|part| !part.is_empty()).collect();
    (1..=parts.len()).rev().find_map(|known| {
        let parts: Vec<_> = parts[..known].iter().map(|part| format!("{part:0>2}")).collect();
        parts.join("-").parse().ok()
    })
}

fn kind_tag(kind: Kind) -> &'static str {
    let tags = KINDS.iter().find(|(other, _)| *other == kind).map(|(_, tags)| tags[0]);
    tags.unwrap_or("GEN")
}

/// Types of reference; the first of each is the one that is written.
const KINDS: [(Kind, &[&str]); 7] = [
    (Kind::Article, &["JOUR", "EJOUR", "JFULL", "ABST", "MGZN", "NEWS", "INPR"]),
    (Kind::Book, &["BOOK", "EBOOK", "EDBOOK"]),
    (Kind::Chapter, &["CHAP", "ECHAP"]),
    (Kind::Conference, &["CPAPER", "CONF"]),
    (Kind::Report, &["RPRT", "GOVDOC", "STAND"]),
    (Kind::Thesis, &["THES"]),
    (Kind::Webpage, &["ELEC", "WEB", "BLOG", "ICOMM"]),
];
