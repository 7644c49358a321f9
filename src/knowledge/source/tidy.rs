//! One field after the other, as it is kept.

use super::{AUTHOR, AUTHORS, Date, TYPE, URL, Wrong, doi};

/// Text of one line.
pub(super) fn text(field: &'static str, given: Option<String>, longest: usize) -> Result<Option<String>, Wrong> {
    let Some(line) = given.map(|text| line(&text)).filter(|line| !line.is_empty()) else { return Ok(None) };
    bounded(field, line, longest).map(Some)
}

pub(super) fn authors(given: Vec<String>) -> Result<Vec<String>, Wrong> {
    let names = given.iter().map(|name| line(name)).filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(|name| bounded("authors", name, AUTHOR)).collect::<Result<_, _>>()?;
    if names.len() > AUTHORS {
        return Err(wrong("authors", format!("must have at most {AUTHORS} names")));
    }
    Ok(names)
}

/// Only what a browser opens as a page, and nothing that would show a password.
pub(super) fn url(given: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = present(given) else { return Ok(None) };
    let url = url::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| wrong("url", "must be a URL that begins with http:// or https://"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("url", "must not hold a user name or password"));
    }
    let url = String::from(url);
    if url.len() > URL { Err(wrong("url", format!("must have at most {URL} bytes"))) } else { Ok(Some(url)) }
}

pub(super) fn date(given: Option<String>) -> Result<Option<String>, Wrong> {
    let date: Option<Date> = present(given)
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| wrong("publication_date", "must be a date of the form YYYY, YYYY-MM or YYYY-MM-DD"))?;
    Ok(date.map(|date| date.to_string()))
}

pub(super) fn doi(given: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = present(given) else { return Ok(None) };
    let bare = doi::bare(&text);
    if doi::is_doi(bare) {
        return Ok(Some(bare.to_owned()));
    }
    Err(wrong("doi", format!("must be a DOI such as 10.1000/182, of at most {} bytes", doi::LONGEST)))
}

pub(super) fn pmid(given: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = present(given) else { return Ok(None) };
    let named = text.get(..4).filter(|name| name.eq_ignore_ascii_case("pmid"));
    let bare = named.map_or(text.as_str(), |name| text[name.len()..].trim_start_matches([':', ' ']));
    if is_pmid(bare) {
        Ok(Some(bare.to_owned()))
    } else {
        Err(wrong("pmid", "must be a PubMed number of 1 to 8 digits"))
    }
}

/// PubMed's numbers, <https://www.nlm.nih.gov/bsd/mms/medlineelements.html#pmid>.
pub(super) fn is_pmid(text: &str) -> bool {
    (1..=8).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn kind(given: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = present(given) else { return Ok(None) };
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if text.len() <= TYPE && text.chars().all(word) {
        return Ok(Some(text));
    }
    Err(wrong("source_type", format!("must be a word of at most {TYPE} small letters, digits, `_` and `-`")))
}

/// Without white space around it, if anything is left.
fn present(given: Option<String>) -> Option<String> {
    given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// On one line, without what no reader sees.
pub(super) fn line(text: &str) -> String {
    let spaced = text.split(|c: char| c.is_whitespace() || c.is_control());
    spaced.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn bounded(field: &'static str, text: String, longest: usize) -> Result<String, Wrong> {
    if text.chars().count() > longest {
        return Err(wrong(field, format!("must have at most {longest} characters")));
    }
    Ok(text)
}

fn wrong(field: &'static str, must: impl Into<String>) -> Wrong {
    Wrong { field, must: must.into() }
}
