//! BibTeX: what is written stays within its field, whatever it is; what is read is held to bounds and may refer to nothing.
//!
//! The grammar is that of "BibTeXing" (<https://mirrors.ctan.org/biblio/bibtex/base/btxdoc.pdf>) and of what the common
//! programs take besides. Cross-references between entries are not followed.

mod names;
mod read;
mod scan;
mod tex;
mod write;

pub use read::from_bibtex;
pub use write::to_bibtex;

use super::kind::Kind;

/// Types of entry; the first of each is the one that is written.
const TYPES: [(Kind, &[&str]); 7] = [
    (Kind::Article, &["article", "review"]),
    (Kind::Book, &["book", "booklet", "mvbook", "collection"]),
    (Kind::Chapter, &["incollection", "inbook", "bookinbook"]),
    (Kind::Conference, &["inproceedings", "conference"]),
    (Kind::Report, &["techreport", "report"]),
    (Kind::Thesis, &["phdthesis", "thesis", "mastersthesis"]),
    (Kind::Webpage, &["online", "electronic", "www", "webpage"]),
];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

#[cfg(test)]
mod tests;
