//! Amounts of money.

use regex::Captures;

use super::{
    numerals::{cardinal, is_one, number},
    rules::{Place, Rule},
};

/// `$3.50`, `-€5`, `£2.5 million`, `$40k`
fn before(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    let sign = if m.get(1).is_some() { "minus " } else { "" };
    Some(format!("{sign}{}", amount(currency(&m[2])?, &m[3], m.get(4).or(m.get(5)).map(|scale| scale.as_str()))))
}

/// `5€`, `10 USD`
fn after(m: &Captures<'_>, _: Place<'_>) -> Option<String> {
    Some(amount(currency(&m[3])?, &m[1], m.get(2).map(|scale| scale.as_str())))
}

fn amount(currency: &Currency, figure: &str, scale: Option<&str>) -> String {
    if let Some(scale) = scale {
        return format!("{} {} {}", number(figure), scaled(scale), currency.many);
    }
    let plain = figure.replace(',', "");
    let Some((whole, part)) = plain.split_once('.').filter(|(_, part)| part.len() == 2 && currency.part.is_some())
    else {
        return format!("{} {}", number(figure), if is_one(figure) { currency.one } else { currency.many });
    };
    let units = format!("{} {}", cardinal(whole), if whole == "1" { currency.one } else { currency.many });
    let (one, many) = currency.part.unwrap_or_default();
    let parts = format!("{} {}", cardinal(part), if part == "01" { one } else { many });
    match (whole.trim_start_matches('0'), part) {
        (_, "00") => units,
        ("", _) => parts,
        _ => format!("{units} and {parts}"),
    }
}

fn scaled(scale: &str) -> &str {
    match scale {
        "k" | "K" => "thousand",
        "m" | "M" | "mn" => "million",
        "b" | "B" | "bn" => "billion",
        "t" | "T" | "tn" => "trillion",
        word => word,
    }
}

struct Currency {
    marks: &'static [&'static str],
    one: &'static str,
    many: &'static str,
    part: Option<(&'static str, &'static str)>,
}

fn currency(mark: &str) -> Option<&'static Currency> {
    CURRENCIES.iter().find(|currency| currency.marks.contains(&mark))
}

const CENTS: Option<(&str, &str)> = Some(("cent", "cents"));

const CURRENCIES: &[Currency] = &[
    Currency { marks: &["$", "US$", "USD"], one: "dollar", many: "dollars", part: CENTS },
    Currency { marks: &["€", "EUR"], one: "euro", many: "euros", part: CENTS },
    Currency { marks: &["£", "GBP"], one: "pound", many: "pounds", part: Some(("penny", "pence")) },
    Currency { marks: &["¥", "JPY"], one: "yen", many: "yen", part: None },
    Currency { marks: &["₹", "INR"], one: "rupee", many: "rupees", part: None },
    Currency { marks: &["₩"], one: "won", many: "won", part: None },
    Currency { marks: &["CHF"], one: "Swiss franc", many: "Swiss francs", part: None },
    Currency { marks: &["C$", "CAD"], one: "Canadian dollar", many: "Canadian dollars", part: CENTS },
    Currency { marks: &["A$", "AUD"], one: "Australian dollar", many: "Australian dollars", part: CENTS },
    Currency { marks: &["¢"], one: "cent", many: "cents", part: None },
];

pub(super) const RULES: &[Rule] = &[
    Rule(
        r"([-−])?((?:US|C|A)?\$|€|£|¥|₹|₩|(?:USD|EUR|GBP|JPY|INR|CHF|CAD|AUD)\s)\s?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)(?:\s?(hundred|thousand|million|billion|trillion)\b|(k|K|m|M|mn|b|B|bn|t|T|tn)\b)?",
        before,
    ),
    Rule(
        r"((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)\s?(hundred|thousand|million|billion|trillion)?\s?(€|£|¥|¢|USD|EUR|GBP|JPY|INR|CHF|CAD|AUD)",
        after,
    ),
];
