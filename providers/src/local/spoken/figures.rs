//! Bare figures: versions, fractions, ranges, ratios, ordinals, years, numbers.

use regex::Captures;

use super::{
    numerals::{cardinal, digits, number, ordinal, year},
    rules::{Place, Rule},
};

/// `v2.1`, `1.0.4`, `192.168.0.1`
fn version(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let parts: Vec<_> = m[2].split('.').collect();
    let joint = if parts.len() == 4 && m.get(1).is_none() { " dot " } else { " point " };
    let said = parts.iter().map(|part| cardinal(part)).collect::<Vec<_>>().join(joint);
    Some(if m.get(1).is_some() { format!("version {said}") } else { said })
}

/// `1 1/2`, `3/4`; `24/7` has its own words.
fn fraction(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let (above, below) = (m[2].parse::<u32>().ok()?, m[3].parse::<u32>().ok()?);
    if (above, below) == (24, 7) {
        return Some("twenty four seven".to_owned());
    }
    if !(1..below).contains(&above) || below > 100 {
        return Some(format!(
            "{} {} {}",
            cardinal(&m[2]),
            if m.get(1).is_some() { "over" } else { "slash" },
            cardinal(&m[3])
        ))
        .filter(|_| m.get(1).is_none());
    }
    let name = match (below, above) {
        (2, _) => "half".to_owned(),
        (4, 1) => "quarter".to_owned(),
        (4, _) => "quarters".to_owned(),
        (_, 1) => ordinal(&m[3]),
        _ => ordinal(&m[3]) + "s",
    };
    let part = format!("{} {name}", if above == 1 && m.get(1).is_some() { "a".to_owned() } else { cardinal(&m[2]) });
    Some(m.get(1).map_or(part.clone(), |whole| format!("{} and {part}", number(whole.as_str()))))
}

/// `2½`
fn vulgar(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let part = match &m[2] {
        "½" => "a half",
        "¼" => "a quarter",
        "¾" => "three quarters",
        "⅓" => "a third",
        "⅔" => "two thirds",
        _ => "an eighth",
    };
    Some(format!("{} and {part}", number(&m[1])))
}

/// `5-10`, `1999–2003`
fn range(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(format!("{} to {}", plain(&m[1]), plain(&m[2])))
}

/// `16:9`
fn ratio(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(format!("{} to {}", number(&m[1]), number(&m[2])))
}

/// `1920x1080`
fn by(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let side = |text: &str| if text.len() == 4 { year(text) } else { number(text) };
    Some(format!("{} by {}", side(&m[1]), side(&m[2])))
}

/// `#5`, `No. 5`
fn numbered(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(format!("number {}", number(&m[1])))
}

/// A number that may be a year.
fn plain(text: &str) -> String {
    let is_year = text.len() == 4 && !text.contains('.') && ("1100"..="2099").contains(&text);
    if is_year { year(text) } else { number(text) }
}

pub(super) const RULES: &[Rule] = &[
    Rule(r"([vV]\.?)([0-9]{1,4}(?:\.[0-9]{1,4})+|[0-9]{1,3}\b)", version),
    Rule(r"([vV])?([0-9]{1,9}(?:\.[0-9]{1,9}){2,})", version),
    Rule(r"(?:([0-9]{1,4})[ -])?([0-9]{1,4})[/⁄]([0-9]{1,4})\b", fraction),
    Rule(r"([0-9]{1,4})\s?([½¼¾⅓⅔⅛])", vulgar),
    Rule(r"([0-9][[0-9],]*)(?:st|nd|rd|th)\b", |m, _| Some(ordinal(&m[1].replace(',', "")))),
    Rule(
        r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,6}(?:\.[0-9]{1,6})?)[-–—]([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,6}(?:\.[0-9]{1,6})?)\b",
        range,
    ),
    Rule(r"([0-9]{1,4}) - ([0-9]{1,4})\b", |m, _| Some(format!("{} minus {}", number(&m[1]), number(&m[2])))),
    Rule(r"([0-9]{1,4}(?:\.[0-9]+)?):([0-9]{1,4}(?:\.[0-9]+)?)", ratio),
    Rule(r"([0-9]{1,5})(?:\s?x\s?|×)([0-9]{1,5})\b", by),
    Rule(r"(?:#|Nos?\.\s?)([0-9][[0-9],]{0,12})\b", numbered),
    Rule(r"[0-9]{4}\b", |m, _| Some(plain(&m[0]))),
    Rule(r"[-−]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,36})?\.[0-9]{1,36}", |m, _| Some(number(&m[0]))),
    Rule(r"[-−]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})", |m, _| Some(number(&m[0]))),
    Rule(r"[0-9]{1,12}", |m, _| Some(digits(&m[0]))),
];
