//! A bibliographic record: what is told of a document that is cited.
//!
//! Plain data, the same in tables, on the wire and in exports. What clients and files say passes [`Source::checked`] before
//! it is kept: fields are tidied, bounded and of the form their field of work gives them. BibTeX and RIS are read and
//! written here. Knows nothing else of ours.

mod bibtex;
mod cited;
mod date;
mod doi;
mod find;
mod imported;
mod kind;
mod name;
mod ris;
mod same;
mod tidy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bibtex::{from_bibtex, to_bibtex};
pub use cited::Cited;
pub use date::Date;
pub use find::find;
pub use imported::Unread;
pub use kind::Kind;
pub use name::Name;
pub use ris::{from_ris, to_ris};

/// What is known of a document that is cited.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// What it is called.
    #[schemars(length(max = TITLE))]
    pub title: Option<String>,
    /// Where it can be read: `http` or `https`.
    #[schemars(length(max = URL))]
    pub url: Option<String>,
    /// Who wrote it, in its order: `Family, Given`, or a name as it is written.
    #[schemars(with = "Option<Vec<String>>", length(max = AUTHORS))]
    pub authors: Vec<String>,
    /// When it came out: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; empty: not known.
    #[schemars(regex(pattern = r"^(\d{4}(-\d{2}(-\d{2})?)?)?$"))]
    pub publication_date: Option<String>,
    /// The journal it came out in; of a part of a book or of proceedings, what it is part of.
    #[schemars(length(max = JOURNAL))]
    pub journal: Option<String>,
    /// The volume of the journal.
    #[schemars(length(max = NUMBER))]
    pub volume: Option<String>,
    /// The issue of the volume.
    #[schemars(length(max = NUMBER))]
    pub issue: Option<String>,
    /// On which pages: `123-130`, `e1004`.
    #[schemars(length(max = NUMBER))]
    pub pages: Option<String>,
    /// Its Digital Object Identifier, bare: `10.1000/182`.
    #[schemars(length(max = doi::LONGEST))]
    pub doi: Option<String>,
    /// Its number in PubMed: 1 to 8 digits.
    #[schemars(regex(pattern = r"^([1-9]\d{0,7})?$"))]
    pub pmid: Option<String>,
    /// What kind of document it is: `article`, `book`, `chapter`, `conference`, `guideline`, `report`, `thesis`, `webpage`, or
    /// another word of small letters, digits, `_` and `-`.
    #[schemars(length(max = TYPE))]
    pub source_type: Option<String>,
}

/// A field that cannot be as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{field}` {must}")]
pub struct Wrong {
    /// The field, as it is called on the wire.
    pub field: &'static str,
    /// What it must be, in words that follow its name.
    pub must: String,
}

impl Source {
    /// The same, tidied: white space and control characters within a field are single spaces, an empty field is absent, DOI
    /// and PMID are bare.
    ///
    /// # Errors
    ///
    /// The first field that is too long, or not of its form.
    pub fn checked(self) -> Result<Self, Wrong> {
        Ok(Self {
            title: tidy::text("title", self.title, TITLE)?,
            url: tidy::url(self.url)?,
            authors: tidy::authors(self.authors)?,
            publication_date: tidy::date(self.publication_date)?,
            journal: tidy::text("journal", self.journal, JOURNAL)?,
            volume: tidy::text("volume", self.volume, NUMBER)?,
            issue: tidy::text("issue", self.issue, NUMBER)?,
            pages: tidy::text("pages", self.pages, NUMBER)?,
            doi: tidy::doi(self.doi)?,
            pmid: tidy::pmid(self.pmid)?,
            source_type: tidy::kind(self.source_type)?,
        })
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What of `self` is not known, taken from `other`: what people say of a document goes before what its file says.
    pub fn or(self, other: Self) -> Self {
        Self {
            title: self.title.or(other.title),
            url: self.url.or(other.url),
            authors: if self.authors.is_empty() { other.authors } else { self.authors },
            publication_date: self.publication_date.or(other.publication_date),
            journal: self.journal.or(other.journal),
            volume: self.volume.or(other.volume),
            issue: self.issue.or(other.issue),
            pages: self.pages.or(other.pages),
            doi: self.doi.or(other.doi),
            pmid: self.pmid.or(other.pmid),
            source_type: self.source_type.or(other.source_type),
        }
    }
}

/// Longest title, in characters.
pub const TITLE: usize = 1000;
/// Longest URL, in bytes: what browsers and servers agree on.
pub const URL: usize = 2048;
/// Most authors. Beyond them no style names any.
pub const AUTHORS: usize = 100;
/// Longest name of an author, in characters.
pub const AUTHOR: usize = 200;
/// Longest name of a journal, in characters.
pub const JOURNAL: usize = 500;
/// Longest volume, issue and pages, in characters.
pub const NUMBER: usize = 64;
/// Longest word for a kind of document.
pub const TYPE: usize = 40;

#[cfg(test)]
mod tests;
