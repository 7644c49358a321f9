//! Sources as references: APA, MLA and Chicago, by the Citation Style Language (<https://citationstyles.org>).
//!
//! Styles and their terms in English are built in. A reference is plain text. What it is made of is text too, whatever it
//! looks like; whoever shows it escapes it.

mod entry;

use std::{str::FromStr, sync::LazyLock};

use hayagriva::{
    BibliographyDriver, BibliographyRequest, BufWriteFormat, CitationItem, CitationRequest, Entry,
    archive::{self, ArchivedStyle},
    citationberg::{self, IndependentStyle, Locale, LocaleCode},
};

use super::source::Source;

/// How references are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// American Psychological Association, 7th edition.
    Apa,
    /// Modern Language Association, 9th edition.
    Mla,
    /// The Chicago Manual of Style, author and date.
    Chicago,
}

/// Text that names no style.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is no style that is known")]
pub struct UnknownStyle;

impl Style {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Apa, Self::Mla, Self::Chicago];

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apa => "apa",
            Self::Mla => "mla",
            Self::Chicago => "chicago",
        }
    }

    /// A source as a reference that stands alone. It takes up to some milliseconds.
    pub fn reference(self, source: &Source) -> String {
        let written = self.bibliography(std::slice::from_ref(source));
        written.into_iter().map(|(_, reference)| reference).collect()
    }

    /// Sources as a list of references: each with its place among `sources`, in the order of the style, which tells apart
    /// what one author wrote in one year. It takes the longer the more there are: about a second for five hundred.
    pub fn bibliography(self, sources: &[Source]) -> Vec<(usize, String)> {
        if sources.is_empty() {
            return Vec::new();
        }
        let entries: Vec<Entry> = sources.iter().enumerate().map(|(at, source)| entry::of(at, source)).collect();
        let (style, locale) = (self.loaded(), Some(LocaleCode(ENGLISH.to_owned())));
        let mut driver = BibliographyDriver::new();
        for entry in &entries {
            let items = vec![CitationItem::with_entry(entry)];
            driver.citation(CitationRequest::new(items, style, locale.clone(), &TERMS, None));
        }
        let rendered = driver.finish(BibliographyRequest::new(style, locale, &TERMS));
        let items = rendered.bibliography.map(|list| list.items).unwrap_or_default();
        let written = items.into_iter().filter_map(|item| {
            let mut text = String::new();
            item.content.write_buf(&mut text, BufWriteFormat::Plain).ok()?;
            Some((item.key.parse().ok()?, dated(text)))
        });
        written.collect()
    }

    fn loaded(self) -> &'static IndependentStyle {
        static APA: LazyLock<IndependentStyle> =
            LazyLock::new(|| independent(ArchivedStyle::AmericanPsychologicalAssociation));
        static MLA: LazyLock<IndependentStyle> =
            LazyLock::new(|| independent(ArchivedStyle::ModernLanguageAssociation));
        static CHICAGO: LazyLock<IndependentStyle> = LazyLock::new(|| independent(ArchivedStyle::ChicagoAuthorDate));
        match self {
            Self::Apa => &APA,
            Self::Mla => &MLA,
            Self::Chicago => &CHICAGO,
        }
    }
}

impl FromStr for Style {
    type Err = UnknownStyle;

    fn from_str(text: &str) -> Result<Self, UnknownStyle> {
        Self::ALL.into_iter().find(|style| style.as_str() == text).ok_or(UnknownStyle)
    }
}

/// The reference without a comma that stands before a month where there is none: "(2024a,)".
fn dated(mut reference: String) -> String {
    while let Some(at) = reference.match_indices(",)").map(|(at, _)| at).find(|at| ends_with_a_year(&reference[..*at]))
    {
        reference.remove(at);
    }
    reference
}

fn ends_with_a_year(text: &str) -> bool {
    let year = text.rsplit('(').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_lowercase());
    year.len() == 4 && year.bytes().all(|c| c.is_ascii_digit())
}

fn independent(style: ArchivedStyle) -> IndependentStyle {
    match style.get() {
        citationberg::Style::Independent(style) => style,
        citationberg::Style::Dependent(_) => unreachable!("the styles named here stand for themselves"),
    }
}

/// The words of English that styles use: `and`, `edition`, names of months.
static TERMS: LazyLock<Vec<Locale>> = LazyLock::new(|| {
    let english = |locale: &Locale| locale.lang.as_ref().is_some_and(|lang| lang.0 == ENGLISH);
    archive::locales().into_iter().filter(english).collect()
});

const ENGLISH: &str = "en-US";

#[cfg(test)]
mod tests;
