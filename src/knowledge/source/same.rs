//! Which records are of one document.

use std::collections::BTreeSet;

use super::Source;

impl Source {
    /// Each document once, in the order in which they come first.
    pub fn unique(sources: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        sources.into_iter().filter(|source| seen.insert(source.identity())).collect()
    }

    /// What two records of one document share: its DOI, its number in PubMed, where it is, or else what it is called and by
    /// whom.
    fn identity(&self) -> String {
        match self {
            Self { doi: Some(doi), .. } => format!("doi:{}", doi.to_lowercase()),
            Self { pmid: Some(pmid), .. } => format!("pmid:{pmid}"),
            Self { url: Some(url), .. } => format!("url:{}", url.split('#').next().unwrap_or(url)),
            _ => {
                let of = |field: &Option<String>| field.as_deref().unwrap_or_default().to_lowercase();
                let authors = self.authors.join(";").to_lowercase();
                format!("{}\n{authors}\n{}\n{}", of(&self.title), of(&self.publication_date), of(&self.journal))
            }
        }
    }
}
