//! Numbers as they are said: "twenty-one", "a dozen", "three point one four", "2.5 million", "one and a half".

use super::{super::heard::Word, Number};
use crate::local::english::ONES;

/// Reads the longest numeral at the start; how many words it took.
pub(in super::super) fn read(words: &[Word]) -> Option<(Number, usize)> {
    let (number, count) = read_plain(words)?;
    // "two and a half", "one and three quarters"
    if text(words, count) == Some("and")
        && let Some((fraction, taken)) = read_fraction(&words[count + 1..])
    {
        return Some((number.plus(fraction), count + 1 + taken));
    }
    Some((number, count))
}

/// Reads "first", "4th", "twenty-third" as 1, 4, 23.
pub(in super::super) fn read_ordinal(words: &[Word]) -> Option<(u32, usize)> {
    let first = text(words, 0)?;
    if let Some(digits) = ["st", "nd", "rd", "th"].iter().find_map(|ending| first.strip_suffix(ending))
        && let Ok(value) = digits.parse()
    {
        return Some((value, 1));
    }
    if let Some(tens) = TENS.iter().position(|name| *name == first)
        && let Some(ones) = text(words, 1).and_then(|word| ORDINALS[..9].iter().position(|name| *name == word))
    {
        return Some((u32::try_from((tens + 2) * 10 + ones + 1).ok()?, 2));
    }
    let at = ORDINALS.iter().position(|name| *name == first)?;
    Some((if at < 20 { u32::try_from(at + 1).ok()? } else { 30 }, 1))
}

/// A whole number from 0 to 9999 in words.
pub(in super::super) fn spell(value: u32) -> String {
    let below_hundred = |value: u32| match value {
        0..20 => ONES[value as usize].to_owned(),
        _ if value.is_multiple_of(10) => TENS[(value / 10 - 2) as usize].to_owned(),
        _ => format!("{}-{}", TENS[(value / 10 - 2) as usize], ONES[(value % 10) as usize]),
    };
    match value {
        0..100 => below_hundred(value),
        100..10_000 => {
            let (size, name) = if value < 1_000 { (100, "hundred") } else { (1_000, "thousand") };
            let head = format!("{} {name}", spell(value / size));
            if value.is_multiple_of(size) { head } else { format!("{head} {}", spell(value % size)) }
        }
        _ => value.to_string(),
    }
}

fn read_plain(words: &[Word]) -> Option<(Number, usize)> {
    if let Some(found) = read_fraction(words) {
        return Some(found);
    }
    let first = text(words, 0)?;
    if let Some(number) = Number::decimal(first) {
        return Some(scaled(number, words, 1));
    }
    if matches!(first, "a" | "an") && text(words, 1).is_some_and(|word| scale(word).is_some()) {
        return Some(scaled(Number::whole(1), words, 1));
    }
    let (whole, mut count) = read_whole(words)?;
    let mut number = Number::whole(whole);
    if text(words, count) == Some("point") {
        let digits: String = words[count + 1..].iter().map_while(|word| digit(&word.text)).collect();
        if !digits.is_empty() {
            number = Number::decimal(&format!("{whole}.{digits}"))?;
            count += 1 + words[count + 1..].iter().map_while(|word| digit(&word.text)).count();
        }
    }
    Some(scaled(number, words, count))
}

/// "half", "a half", "a quarter", "three quarters", "two thirds".
fn read_fraction(words: &[Word]) -> Option<(Number, usize)> {
    let parts = |word: &str| match word {
        "half" | "halves" => Some(2),
        "third" | "thirds" => Some(3),
        "quarter" | "quarters" | "fourth" | "fourths" => Some(4),
        "tenth" | "tenths" => Some(10),
        _ => None,
    };
    let first = text(words, 0)?;
    if matches!(first, "half" | "quarter") {
        return Some((Number::ratio(1, parts(first)?)?, 1));
    }
    let top = match first {
        "a" | "an" => 1,
        _ => ONES.iter().position(|name| *name == first).and_then(|at| i128::try_from(at).ok())?,
    };
    Some((Number::ratio(top, parts(text(words, 1)?)?)?, 2))
}

/// Whole numbers in words, with or without "and" after the hundreds.
fn read_whole(words: &[Word]) -> Option<(i128, usize)> {
    let (mut total, mut group, mut count) = (0i128, None::<i128>, 0);
    // What may still be added to the group: below 100 after "hundred", below 10 after "twenty".
    let mut room = i128::MAX;
    while let Some(word) = text(words, count) {
        if let Some(ones) = ONES.iter().position(|name| *name == word).map(|at| at as i128)
            && ones < room
        {
            group = Some(group.unwrap_or(0) + ones);
            room = 0;
        } else if let Some(tens) = TENS.iter().position(|name| *name == word).map(|at| (at as i128 + 2) * 10)
            && tens < room
        {
            group = Some(group.unwrap_or(0) + tens);
            room = 10;
        } else if word == "hundred" && group.is_some_and(|group| (1..100).contains(&group)) {
            group = group.map(|group| group * 100);
            room = 100;
        } else if let (Some(scale), Some(value)) = (scale(word).filter(|scale| *scale >= 1_000), group) {
            total += value.checked_mul(scale)?;
            (group, room) = (None, i128::MAX);
        } else if word == "and" && room == 100 && text(words, count + 1).is_some_and(is_small) {
            // "one hundred and five"
        } else {
            break;
        }
        count += 1;
    }
    (count > 0).then_some((total + group.unwrap_or(0), count))
}

fn scaled(number: Number, words: &[Word], count: usize) -> (Number, usize) {
    match text(words, count).and_then(scale) {
        Some(scale) => (number.times(Number::whole(scale)), count + 1),
        None => (number, count),
    }
}

fn scale(word: &str) -> Option<i128> {
    Some(match word {
        "dozen" => 12,
        "hundred" => 100,
        "thousand" => 1_000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        "trillion" => 1_000_000_000_000,
        _ => return None,
    })
}

fn digit(word: &str) -> Option<String> {
    let spoken = ONES[..10].iter().position(|name| *name == word).map(|at| at.to_string());
    spoken.or_else(|| (word == "oh").then(|| "0".to_owned())).or_else(|| {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.to_owned())
    })
}

fn is_small(word: &str) -> bool {
    ONES.contains(&word) || TENS.contains(&word)
}

fn text(words: &[Word], at: usize) -> Option<&str> {
    words.get(at).map(|word| word.text.as_str())
}

const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// First to twentieth, then thirtieth.
const ORDINALS: [&str; 21] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "thirtieth",
];

#[cfg(test)]
mod tests {
    use super::{super::super::heard::Heard, *};

    #[test]
    fn numerals_are_read_as_far_as_they_go() {
        for (text, expected, count) in [
            ("twelve times", "12", 1),
            ("twenty-one apples", "21", 2),
            ("one hundred and five", "105", 4),
            ("two hundred and my", "200", 2),
            ("three thousand four hundred fifty six", "3456", 6),
            ("a dozen eggs", "12", 2),
            ("a hundred", "100", 2),
            ("1,000 meters", "1000", 1),
            ("2.5 million", "2500000", 2),
            ("three point one four", "3.14", 4),
            ("zero point five", "0.5", 3),
            ("half a mile", "0.5", 1),
            ("three quarters of", "0.75", 2),
            ("two and a half hours", "2.5", 4),
            ("five and three", "5", 1),
            ("nineteen eighty", "19", 1),
        ] {
            let heard = Heard::new(text);
            let read = read(heard.words()).map(|(number, count)| (number.spoken(), count));
            assert_eq!(read, Some((expected.to_owned(), count)), "{text}");
        }
        assert!(read(Heard::new("apples").words()).is_none());
        assert!(read(Heard::new("a mile").words()).is_none());
    }

    #[test]
    fn ordinals_are_read() {
        for (text, expected) in
            [("4th", (4, 1)), ("first", (1, 1)), ("twenty-third", (23, 2)), ("thirtieth", (30, 1)), ("31st", (31, 1))]
        {
            assert_eq!(read_ordinal(Heard::new(text).words()), Some(expected), "{text}");
        }
        assert!(read_ordinal(Heard::new("four").words()).is_none());
    }

    #[test]
    fn numbers_are_spelled() {
        for (value, expected) in [
            (0, "zero"),
            (13, "thirteen"),
            (40, "forty"),
            (99, "ninety-nine"),
            (105, "one hundred five"),
            (2_000, "two thousand"),
        ] {
            assert_eq!(spell(value), expected);
        }
    }
}
