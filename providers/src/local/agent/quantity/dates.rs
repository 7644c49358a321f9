//! Days as they are said: "tomorrow", "next Friday", "July 4th", "the fourth of May 2027", "Christmas", "2026-12-25".

use jiff::{
    ToSpan,
    civil::{Date, Weekday, date},
};

use super::{
    super::heard::{Heard, Word, lead},
    numeral,
};
use crate::local::english::MONTHS;

/// A day, how it was named, and whether that name comes round again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct Day {
    pub(in super::super) date: Date,
    /// A name to speak of it by; empty where the date says it all.
    pub(in super::super) name: &'static str,
    /// How many words named it.
    pub(in super::super) words: usize,
}

/// The first day named anywhere among these words, seen from `today`.
pub(in super::super) fn day_of(heard: &Heard, today: Date) -> Option<(usize, Day)> {
    let words = heard.words();
    (0..words.len()).find_map(|at| Some((at, read_day(&words[at..], today)?)))
}

/// A day named at the start of these words: the next such day from `today` on, today included.
pub(in super::super) fn read_day(words: &[Word], today: Date) -> Option<Day> {
    relative(words, today)
        .or_else(|| weekday(words, today))
        .or_else(|| holiday(words, today))
        .or_else(|| iso(words))
        .or_else(|| month_first(words, today))
        .or_else(|| day_first(words, today))
}

fn relative(words: &[Word], today: Date) -> Option<Day> {
    const NAMES: [(&str, i64); 6] = [
        ("the day after tomorrow", 2),
        ("the day before yesterday", -2),
        ("day after tomorrow", 2),
        ("tomorrow", 1),
        ("yesterday", -1),
        ("today", 0),
    ];
    NAMES.iter().find_map(|(name, days)| {
        let words = lead(words, name)?;
        Some(Day { date: today.checked_add(days.days()).ok()?, name, words })
    })
}

fn weekday(words: &[Word], today: Date) -> Option<Day> {
    let next = lead(words, "next").or_else(|| lead(words, "this")).unwrap_or(0);
    let word = words.get(next)?;
    let (name, weekday) = if word.text == "weekend" || lead(words, "the weekend") == Some(2) {
        ("the weekend", Weekday::Saturday)
    } else {
        *WEEKDAYS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&word.text))?
    };
    let taken = if lead(words, "the weekend").is_some() { 2 } else { next + 1 };
    let mut ahead = i64::from(today.weekday().until(weekday));
    if ahead == 0 && next > 0 {
        ahead = 7;
    }
    Some(Day { date: today.checked_add(ahead.days()).ok()?, name, words: taken })
}

fn holiday(words: &[Word], today: Date) -> Option<Day> {
    HOLIDAYS.iter().find_map(|(spoken, name, falls)| {
        let words = lead(words, spoken)?;
        let this = falls(today.year())?;
        let date = if this < today { falls(today.year() + 1)? } else { this };
        Some(Day { date, name, words })
    })
}

/// "2026-12-25" arrives as three numbers with signs between.
fn iso(words: &[Word]) -> Option<Day> {
    let [year, month, day] = match words {
        [year, minus, month, second, day, ..] if minus.text == "minus" && second.text == "minus" => [year, month, day],
        _ => return None,
    };
    let date = Date::new(year.text.parse().ok()?, month.text.parse().ok()?, day.text.parse().ok()?).ok()?;
    (year.text.len() == 4).then_some(Day { date, name: "", words: 5 })
}

/// "July 4th", "July fourth 2027", "July 4".
fn month_first(words: &[Word], today: Date) -> Option<Day> {
    let month = month(words.first()?)?;
    let the = usize::from(lead(&words[1..], "the").is_some());
    let (day, count) = day_number(&words[1 + the..])?;
    dated(words, today, month, day, 1 + the + count)
}

/// "the fourth of July", "4th July", "4 July 2027".
fn day_first(words: &[Word], today: Date) -> Option<Day> {
    let the = lead(words, "the").unwrap_or(0);
    let (day, count) = day_number(&words[the..])?;
    let of = lead(&words[the + count..], "of").unwrap_or(0);
    let month = month(words.get(the + count + of)?)?;
    dated(words, today, month, day, the + count + of + 1)
}

fn dated(words: &[Word], today: Date, month: i8, day: i8, count: usize) -> Option<Day> {
    let year = words.get(count).and_then(|word| word.text.parse().ok()).filter(|year| (1000..=9999).contains(year));
    if let Some(year) = year {
        return Some(Day { date: Date::new(year, month, day).ok()?, name: "", words: count + 1 });
    }
    // The 29th of February may be years away.
    let mut years = (today.year()..today.year().saturating_add(9)).filter_map(|year| Date::new(year, month, day).ok());
    Some(Day { date: years.find(|date| *date >= today)?, name: "", words: count })
}

fn day_number(words: &[Word]) -> Option<(i8, usize)> {
    let (day, count) = numeral::read_ordinal(words).or_else(|| {
        let (number, count) = numeral::read(words)?;
        Some((u32::try_from(number.integer()?).ok()?, count))
    })?;
    Some((i8::try_from(day).ok().filter(|day| (1..=31).contains(day))?, count))
}

fn month(word: &Word) -> Option<i8> {
    let at = MONTHS.iter().position(|name| {
        let name = name.as_bytes();
        let word = word.text.as_bytes();
        name.eq_ignore_ascii_case(word) || word.len() == 3 && name[..3].eq_ignore_ascii_case(word)
    })?;
    i8::try_from(at + 1).ok()
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("Monday", Weekday::Monday),
    ("Tuesday", Weekday::Tuesday),
    ("Wednesday", Weekday::Wednesday),
    ("Thursday", Weekday::Thursday),
    ("Friday", Weekday::Friday),
    ("Saturday", Weekday::Saturday),
    ("Sunday", Weekday::Sunday),
];

type Falls = fn(i16) -> Option<Date>;

/// As heard, as spoken, and when. Longer names before their beginnings.
#[rustfmt::skip]
const HOLIDAYS: [(&str, &str, Falls); 17] = [
    ("christmas eve", "Christmas Eve", |year| Some(date(year, 12, 24))),
    ("christmas day", "Christmas", |year| Some(date(year, 12, 25))),
    ("christmas", "Christmas", |year| Some(date(year, 12, 25))),
    ("boxing day", "Boxing Day", |year| Some(date(year, 12, 26))),
    ("new year's eve", "New Year's Eve", |year| Some(date(year, 12, 31))),
    ("new years eve", "New Year's Eve", |year| Some(date(year, 12, 31))),
    ("new year's day", "New Year's Day", |year| Some(date(year, 1, 1))),
    ("new years day", "New Year's Day", |year| Some(date(year, 1, 1))),
    ("the new year", "the new year", |year| Some(date(year, 1, 1))),
    ("new year's", "New Year's Day", |year| Some(date(year, 1, 1))),
    ("new year", "the new year", |year| Some(date(year, 1, 1))),
    ("valentine's day", "Valentine's Day", |year| Some(date(year, 2, 14))),
    ("saint patrick's day", "Saint Patrick's Day", |year| Some(date(year, 3, 17))),
    ("independence day", "Independence Day", |year| Some(date(year, 7, 4))),
    ("halloween", "Halloween", |year| Some(date(year, 10, 31))),
    ("thanksgiving", "Thanksgiving", |year| date(year, 11, 1).nth_weekday_of_month(4, Weekday::Thursday).ok()),
    ("easter", "Easter", easter),
];

/// Easter Sunday by the anonymous Gregorian computus (Nature, 1876).
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let n = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Sunday.
    const TODAY: Date = date(2026, 11, 22);

    #[test]
    fn days_are_understood_as_the_next_such_day() {
        for (text, expected) in [
            ("tomorrow", date(2026, 11, 23)),
            ("the day after tomorrow", date(2026, 11, 24)),
            ("friday", date(2026, 11, 27)),
            ("next Sunday", date(2026, 11, 29)),
            ("Sunday", TODAY),
            ("the weekend", date(2026, 11, 28)),
            ("Christmas", date(2026, 12, 25)),
            ("New Year's Eve", date(2026, 12, 31)),
            ("Thanksgiving", date(2026, 11, 26)),
            ("Easter", date(2027, 3, 28)),
            ("July 4th", date(2027, 7, 4)),
            ("July the fourth", date(2027, 7, 4)),
            ("the twenty-fifth of December", date(2026, 12, 25)),
            ("4 July 2030", date(2030, 7, 4)),
            ("Dec 1, 2026", date(2026, 12, 1)),
            ("February 29", date(2028, 2, 29)),
            ("2027-01-15", date(2027, 1, 15)),
        ] {
            let day = read_day(Heard::new(text).words(), TODAY);
            assert_eq!(day.map(|day| day.date), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_left_alone() {
        for text in ["may I ask", "February 30", "12 apples", "the", "99-99-99", ""] {
            assert_eq!(read_day(Heard::new(text).words(), TODAY), None, "{text}");
        }
    }
}
