//! Numbers in words, American style: no "and", no hyphens.

use crate::local::english::ONES;

/// A whole number given by its digits: `twelve hundred` is never said, `one thousand two hundred` is.
///
/// Beyond 10^36 there are no common words: then digit by digit.
pub(super) fn cardinal(digits: &str) -> String {
    let digits = significant(digits);
    if digits.is_empty() {
        return ONES[0].to_owned();
    }
    let groups = digits.len().div_ceil(3);
    if groups > SCALES.len() {
        return self::digits(digits);
    }
    let mut words = Vec::new();
    let mut at = 0;
    for scale in (0..groups).rev() {
        let end = digits.len() - 3 * scale;
        let group = digits[at..end].bytes().fold(0, |n, b| n * 10 + usize::from(b - b'0'));
        at = end;
        hundreds(group, &mut words);
        if group > 0 && scale > 0 {
            words.push(SCALES[scale]);
        }
    }
    words.join(" ")
}

/// `first`, `twenty second`.
pub(super) fn ordinal(digits: &str) -> String {
    let cardinal = cardinal(digits);
    let (head, last) = cardinal.rsplit_once(' ').map_or(("", cardinal.as_str()), |(head, last)| (head, last));
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        word => word.strip_suffix('y').map_or_else(|| format!("{word}th"), |stem| format!("{stem}ieth")),
    };
    if head.is_empty() { last } else { format!("{head} {last}") }
}

/// A year of four digits as it is read: `nineteen ninety nine`, `two thousand five`, `nineteen hundred`.
pub(super) fn year(digits: &str) -> String {
    let digits = significant(digits);
    if digits.len() != 4 || digits[1..].starts_with("00") {
        return cardinal(digits);
    }
    let (century, rest) = digits.split_at(2);
    match rest.as_bytes() {
        b"00" => format!("{} hundred", cardinal(century)),
        [b'0', last] => format!("{} oh {}", cardinal(century), ONES[usize::from(last - b'0')]),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// `nineties`, `nineteen nineties`, `two thousands`.
pub(super) fn decade(digits: &str) -> String {
    let year = year(digits);
    match year.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{year}s"),
    }
}

/// Digit by digit; anything but digits is passed over.
pub(super) fn digits(text: &str) -> String {
    let words: Vec<_> = text.bytes().filter(u8::is_ascii_digit).map(|b| ONES[usize::from(b - b'0')]).collect();
    words.join(" ")
}

/// A number as written: `1,250.50`, `.5`, `-3`. A long one without grouping is an identifier and said digit by digit.
pub(super) fn number(text: &str) -> String {
    let unsigned = text.strip_prefix(['-', '−']);
    let plain = unsigned.unwrap_or(text).replace(',', "");
    let (whole, part) = plain.split_once('.').map_or((plain.as_str(), None), |(whole, part)| (whole, Some(part)));
    let identifier =
        whole.len() > 1 && whole.starts_with('0') || whole.len() > 6 && !text.contains(',') && !round(whole);
    let mut said = if identifier { digits(whole) } else { cardinal(whole) };
    if let Some(part) = part.filter(|part| !part.is_empty()) {
        said = format!("{said} point {}", digits(part));
    }
    if unsigned.is_some() { format!("minus {said}") } else { said }
}

/// Whether a written number is exactly one, for the choice of a singular.
pub(super) fn is_one(text: &str) -> bool {
    matches!(text.trim_start_matches(['-', '−']), "1" | "1.0")
}

fn round(whole: &str) -> bool {
    whole.ends_with("000")
}

fn significant(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

fn hundreds(group: usize, words: &mut Vec<&'static str>) {
    if group >= 100 {
        words.extend([ONES[group / 100], "hundred"]);
    }
    match group % 100 {
        0 => {}
        rest @ 1..20 => words.push(ONES[rest]),
        rest => {
            words.push(TENS[rest / 10]);
            if rest % 10 > 0 {
                words.push(ONES[rest % 10]);
            }
        }
    }
}

const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [&str; 12] = [
    "",
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
];
