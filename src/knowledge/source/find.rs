//! DOI and PMID of a document, read in its own text.

use super::{doi, tidy};

/// The DOI and the PMID that a document's text gives itself: the first of each on its first pages, before its references,
/// which are other documents'.
pub fn find(text: &str) -> (Option<String>, Option<String>) {
    let text = front(text);
    (first_doi(text), first_pmid(text))
}

/// Where a document speaks of itself.
fn front(text: &str) -> &str {
    /// Some five printed pages, in bytes.
    const FRONT: usize = 16 << 10;
    let text = &text[..text.floor_char_boundary(FRONT)];
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let heading = line.trim_matches(|c: char| !c.is_alphabetic());
        if ["references", "bibliography", "works cited", "literature cited"]
            .iter()
            .any(|it| heading.eq_ignore_ascii_case(it))
        {
            break;
        }
        end += line.len();
    }
    &text[..end]
}

fn first_doi(text: &str) -> Option<String> {
    let mut starts = text.match_indices("10.").map(|(at, _)| at);
    starts.find_map(|at| {
        let before = text[..at].chars().next_back();
        let found = &text[at..];
        let prefix = doi::prefix(found).filter(|_| !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.'))?;
        let end = found.find(|c| !doi::is_usual(c)).unwrap_or(found.len());
        let doi = whole(&found[..end]);
        (doi.len() > prefix && doi::is_doi(doi)).then(|| doi.to_owned())
    })
}

/// Without the sentence around it: its stop, and the bracket that was opened before it.
fn whole(mut found: &str) -> &str {
    loop {
        let closes = found.ends_with(')') && found.matches(')').count() > found.matches('(').count();
        match found.char_indices().next_back() {
            Some((at, '.' | ';' | ':' | '/' | '(' | '-' | '_')) => found = &found[..at],
            Some((at, ')')) if closes => found = &found[..at],
            _ => return found,
        }
    }
}

fn first_pmid(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    ["pmid", "pubmed.ncbi.nlm.nih.gov/", "ncbi.nlm.nih.gov/pubmed/"].iter().find_map(|label| {
        let mut after = lower.match_indices(label).map(|(at, label)| &text[at + label.len()..]);
        after.find_map(|rest| {
            let rest = rest.trim_start_matches([':', ' ', '\u{a0}']);
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            Some(&rest[..digits]).filter(|number| tidy::is_pmid(number)).map(str::to_owned)
        })
    })
}
