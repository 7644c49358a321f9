//! What kind of document a source is, as styles and file formats tell them apart.

use super::Source;

/// A kind of document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Part of a journal.
    Article,
    /// A book.
    Book,
    /// Part of a book.
    Chapter,
    /// Part of the proceedings of a conference.
    Conference,
    /// A report, a guideline, a standard.
    Report,
    /// What a degree was given for.
    Thesis,
    /// A page on the web.
    Webpage,
    /// Anything else.
    Document,
}

impl Kind {
    /// The word for it in `source_type`; none for anything else.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Article => Some("article"),
            Self::Book => Some("book"),
            Self::Chapter => Some("chapter"),
            Self::Conference => Some("conference"),
            Self::Report => Some("report"),
            Self::Thesis => Some("thesis"),
            Self::Webpage => Some("webpage"),
            Self::Document => None,
        }
    }
}

impl Source {
    /// What it is: by its `source_type` if that is a known word, else by what else is known of it.
    pub fn kind(&self) -> Kind {
        let word = self.source_type.as_deref().unwrap_or_default().replace('-', "_");
        let said = WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(kind, _)| *kind);
        let likely = match self {
            Self { journal: Some(_), .. } | Self { pmid: Some(_), .. } => Kind::Article,
            Self { url: Some(_), doi: None, .. } => Kind::Webpage,
            _ => Kind::Document,
        };
        said.unwrap_or(likely)
    }
}

/// Words that databases and reference managers have for them.
const WORDS: [(Kind, &[&str]); 7] = [
    (
        Kind::Article,
        &[
            "article",
            "journal_article",
            "article_journal",
            "review",
            "systematic_review",
            "meta_analysis",
            "clinical_trial",
            "case_report",
            "pubmed",
        ],
    ),
    (Kind::Book, &["book", "monograph", "textbook", "ebook"]),
    (Kind::Chapter, &["chapter", "book_chapter", "book_section"]),
    (Kind::Conference, &["conference", "conference_paper", "paper_conference", "proceedings_article"]),
    (Kind::Report, &["report", "guideline", "clinical_guideline", "practice_guideline", "standard", "white_paper"]),
    (Kind::Thesis, &["thesis", "dissertation"]),
    (Kind::Webpage, &["webpage", "web_page", "web", "website", "blog"]),
];
