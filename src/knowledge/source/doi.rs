//! Digital Object Identifiers, ISO 26324: a prefix that names who gave it, a slash, and what they called it.

/// Longest that is taken, in bytes. The standard knows no limit; registered ones are shorter.
pub(super) const LONGEST: usize = 255;

/// What may stand in a DOI by the rule that Crossref found to hold for nearly all of those given
/// (`10.\d{4,9}/[-._;()/:A-Z0-9]+`, <https://www.crossref.org/blog/dois-and-matching-regular-expressions/>).
pub(super) fn is_usual(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._;()/:".contains(c)
}

/// What stands in old ones besides, such as `10.1002/(SICI)1097-0258(19980815)17:15<1661::AID-SIM968>3.0.CO;2-2`.
fn is_old(c: char) -> bool {
    "<>[]&+#".contains(c)
}

/// Whether `text` is one, bare.
pub(super) fn is_doi(text: &str) -> bool {
    let suffix = prefix(text).map(|prefix| &text[prefix..]);
    text.len() <= LONGEST
        && suffix.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| is_usual(c) || is_old(c)))
}

/// How long the prefix and its slash are, if `text` starts with one.
pub(super) fn prefix(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("10.")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    ((4..=9).contains(&digits) && rest[digits..].starts_with('/')).then_some("10./".len() + digits)
}

/// A DOI without what it is often written behind.
pub(super) fn bare(text: &str) -> &str {
    const BEFORE: [&str; 7] = [
        "https://doi.org/",
        "http://doi.org/",
        "https://dx.doi.org/",
        "http://dx.doi.org/",
        "doi.org/",
        "doi:",
        "doi ",
    ];
    let before = BEFORE.iter().find(|before| text.get(..before.len()).is_some_and(|s| s.eq_ignore_ascii_case(before)));
    before.map_or(text, |before| text[before.len()..].trim_start())
}
