//! Times of day and dates.

use regex::Captures;

use super::{
    numerals::{cardinal, decade, ordinal, year},
    rules::{Place, Rule},
};
use crate::local::english::MONTHS;

/// `9:30am`, `14:05`, `7:00:15 p.m.`
fn time(m: &Captures<'_>, place: Place<'_>) -> Option<String> {
    let hour: u32 = m[1].parse().ok().filter(|hour| *hour <= 24)?;
    let half = half_of_day(m.get(4).or(m.get(5)).map(|half| half.as_str()));
    let minutes = match &m[2] {
        "00" if half.is_some() || m.get(3).is_some() => String::new(),
        "00" if hour > 12 => " hundred".to_owned(),
        "00" => " o'clock".to_owned(),
        minutes if minutes.starts_with('0') => format!(" oh {}", cardinal(minutes)),
        minutes => format!(" {}", cardinal(minutes)),
    };
    let seconds = m.get(3).map_or(String::new(), |seconds| match seconds.as_str() {
        "01" => " and one second".to_owned(),
        seconds => format!(" and {} seconds", cardinal(seconds)),
    });
    let stop = stop(m.get(4).is_some(), place);
    Some(format!("{}{minutes}{seconds}{}{stop}", cardinal(&m[1]), half.unwrap_or_default()))
}

/// `9am`, `9 p.m.`
fn hour(m: &Captures<'_>, place: Place<'_>) -> Option<String> {
    let half = half_of_day(m.get(2).or(m.get(3)).map(|half| half.as_str()))?;
    Some(format!("{}{half}{}", cardinal(&m[1]), stop(m.get(2).is_some(), place)))
}

fn half_of_day(letter: Option<&str>) -> Option<&'static str> {
    letter.map(|letter| if letter.starts_with(['a', 'A']) { " AM" } else { " PM" })
}

/// The full stop that "p.m." shares with its sentence.
fn stop(dotted: bool, place: Place<'_>) -> &'static str {
    if dotted && place.ends_sentence() { "." } else { "" }
}

/// `2026-11-22`, with or without a time after it.
fn iso(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let date = date(Some(&m[1]), month(&m[2])?, &m[3])?;
    let time = m.get(4).zip(m.get(5)).map(|(hour, minute)| match minute.as_str() {
        "00" => format!(", {} hundred", cardinal(hour.as_str())),
        minute if minute.starts_with('0') => format!(", {} oh {}", cardinal(hour.as_str()), cardinal(minute)),
        minute => format!(", {} {}", cardinal(hour.as_str()), cardinal(minute)),
    });
    Some(date + &time.unwrap_or_default())
}

/// `11/22/2026`, `22/11/26`: the month first wherever it can be.
fn slashed(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let full = match &m[3] {
        short if short.len() == 2 => format!("{}{short}", if short > "50" { "19" } else { "20" }),
        full => full.to_owned(),
    };
    let (month, day) = month(&m[1]).map(|month| (month, &m[2])).or_else(|| Some((month(&m[2])?, &m[1])))?;
    date(Some(&full), month, day)
}

/// `Nov 22, 2026`, `November 22nd`.
fn month_first(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    date(m.get(3).map(|year| year.as_str()), month(&m[1])?, &m[2])
}

/// `22 November 2026`, `1st of May`.
fn day_first(m: &Captures<'_>, place: Place<'_>) -> Option<String> {
    let month = month(&m[2])?;
    let day = day(&m[1])?;
    let year = m.get(3).map(|digits| format!(", {}", year(digits.as_str()))).unwrap_or_default();
    let article = if place.said.eq_ignore_ascii_case("the") { "" } else { "the " };
    Some(format!("{article}{day} of {month}{year}"))
}

/// `Sept. 2026`
fn month_alone(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(format!("{} {}", month(&m[1])?, year(&m[2])))
}

/// `1990s`, `'90s`
fn years(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(decade(&m[1]))
}

fn date(full_year: Option<&str>, month: &str, digits: &str) -> Option<String> {
    let year = full_year.map(|digits| format!(", {}", year(digits))).unwrap_or_default();
    Some(format!("{month} {}{year}", day(digits)?))
}

fn day(digits: &str) -> Option<String> {
    (1..=31).contains(&digits.parse::<u32>().ok()?).then(|| ordinal(digits))
}

/// A month by its number or by at least three of its letters.
fn month(text: &str) -> Option<&'static str> {
    match text.parse::<usize>() {
        Ok(number) => number.checked_sub(1).and_then(|index| MONTHS.get(index)).copied(),
        Err(_) => MONTHS.iter().find(|month| text.get(..3).is_some_and(|start| month.starts_with(start))).copied(),
    }
}

macro_rules! months {
    () => {
        r"(Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
    };
}

pub(super) const RULES: &[Rule] = &[
    Rule(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?",
        iso,
    ),
    Rule(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})", slashed),
    Rule(r"([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?(?:\s?(?:([AaPp])\.\s?[Mm]\.|([AaPp])[Mm]\b))?", time),
    Rule(r"(1[0-2]|[1-9])\s?(?:([AaPp])\.\s?[Mm]\.|([AaPp][Mm])\b)", hour),
    Rule(concat!(months!(), r"\s([0-9]{1,2})(?:st|nd|rd|th)?\b(?:,?\s([0-9]{4})\b)?"), month_first),
    Rule(concat!(r"([0-9]{1,2})(?:st|nd|rd|th)?\s(?:of\s)?", months!(), r"(?:,?\s([0-9]{4})\b)?"), day_first),
    Rule(concat!(months!(), r",?\s([0-9]{4})\b"), month_alone),
    Rule(r"['’]?([0-9]{1,3}0)['’]?s\b", years),
];
