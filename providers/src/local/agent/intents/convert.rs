//! Units: "five miles in kilometers", "how many feet are in a mile", "convert 72 degrees Fahrenheit to Celsius".

use super::super::{
    heard::{Heard, Word, capital, lead},
    quantity::{
        Number, numeral,
        units::{self, Dimension, Unit},
    },
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, _: &Scene<'_>) -> Option<String> {
    let words = heard.core();
    how_many(words).or_else(|| amount_first(words))
}

/// "how many V are there in A U".
fn how_many(words: &[Word]) -> Option<String> {
    let words = &words[lead(words, "how many").or_else(|| lead(words, "how much"))?..];
    let (to, count) = units::read(words)?;
    let mut rest = &words[count..];
    while let Some(count) =
        ["are", "is", "there", "do you get", "go", "make", "makes", "fit", "in", "into", "to", "from", "equal", "does"]
            .iter()
            .find_map(|filler| lead(rest, filler))
    {
        rest = &rest[count..];
    }
    let (amounts, count) = read_amounts(rest)?;
    let end = &rest[count..];
    let ends = ["", "make", "have", "equal", "contain"]
        .iter()
        .any(|word| if word.is_empty() { end.is_empty() } else { lead(end, word) == Some(end.len()) });
    if ends { told(&amounts, &to) } else { None }
}

/// "convert A U to V", "what is A U in V", "A U in V".
fn amount_first(words: &[Word]) -> Option<String> {
    let asked = [
        "convert",
        "what is",
        "what are",
        "how much is",
        "how much are",
        "how long is",
        "how far is",
        "how hot is",
        "how cold is",
        "how heavy is",
        "how tall is",
        "how high is",
        "how big is",
        "how fast is",
        "change",
        "turn",
    ];
    let words = &words[asked.iter().find_map(|phrase| lead(words, phrase)).unwrap_or(0)..];
    let (amounts, count) = read_amounts(words)?;
    let words = &words[count..];
    let joined = ["is how many", "equals how many", "equal how many", "in", "into", "to", "as", "equals"];
    let words = &words[joined.iter().find_map(|phrase| lead(words, phrase))?..];
    let (to, count) = units::read(words).or_else(|| degrees(words))?;
    if count == words.len() { told(&amounts, &to) } else { None }
}

/// One amount and the units its name may mean; "degrees" alone may be any temperature.
type Amount = (Number, Vec<&'static Unit>);

/// "5 feet 10 inches", "a mile", "one and a half hours", "minus 40 degrees".
fn read_amounts(words: &[Word]) -> Option<(Vec<Amount>, usize)> {
    let (mut amounts, mut at) = (Vec::new(), 0);
    loop {
        let and = if amounts.is_empty() { 0 } else { lead(&words[at..], "and").unwrap_or(0) };
        let Some((amount, count)) = read_amount(&words[at + and..]) else { break };
        amounts.push(amount);
        at += and + count;
    }
    (!amounts.is_empty()).then_some((amounts, at))
}

fn read_amount(words: &[Word]) -> Option<(Amount, usize)> {
    let negative = lead(words, "minus").or_else(|| lead(words, "negative")).unwrap_or(0);
    let words_left = &words[negative..];
    let (number, count) = numeral::read(words_left).or_else(|| {
        let one = ["a", "an", "one", "1"].iter().find_map(|word| lead(words_left, word))?;
        Some((Number::whole(1), one))
    })?;
    let of = ["of a", "of an", "a", "an"].iter().find_map(|word| lead(&words_left[count..], word)).unwrap_or(0);
    let (unit, taken) = units::read(&words_left[count + of..]).or_else(|| degrees(&words_left[count + of..]))?;
    let number = if negative > 0 { Number::whole(0).minus(number) } else { number };
    Some(((number, unit), negative + count + of + taken))
}

fn degrees(words: &[Word]) -> Option<(Vec<&'static Unit>, usize)> {
    let count = lead(words, "degrees").or_else(|| lead(words, "degree"))?;
    let named = |name: &str| units::read(Heard::new(name).words()).map(|(units, _)| units);
    Some(([named("fahrenheit")?, named("celsius")?].concat(), count))
}

fn told(amounts: &[Amount], to: &[&'static Unit]) -> Option<String> {
    let pairs = |(_, from): &Amount| -> Vec<(&'static Unit, &'static Unit)> {
        from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))).collect()
    };
    // Names such as "ounce" mean several units, and bare degrees both scales: the pair that fits, and is no identity.
    let first = pairs(amounts.first()?);
    let fit = first.iter().filter(|(from, to)| from.dimension == to.dimension);
    let Some((_, to)) = fit.clone().find(|(from, to)| from != to).or_else(|| fit.clone().next()) else {
        return first.first().map(|(from, to)| mismatch(from, to));
    };
    let mut total = Number::whole(0);
    let mut spoken = Vec::new();
    for (number, from) in amounts {
        let same = |from: &&&'static Unit| from.dimension == to.dimension;
        let from = from.iter().filter(same).find(|from| **from != *to).or_else(|| from.iter().find(same))?;
        let exact = from.convert(*number, to)?;
        total = if to.dimension == Dimension::Temperature { exact } else { total.plus(exact) };
        spoken.push(format!("{} {}", number.spoken(), from.name(*number)));
    }
    let places = if total.value().abs() >= 100.0 { 1 } else { 3 };
    Some(format!("{} is {} {}.", capital(&spoken.join(" ")), total.rounded(places), to.name(total)))
}

fn mismatch(from: &Unit, to: &Unit) -> String {
    let many = Number::whole(2);
    format!(
        "{} measure {} and {} measure {}, so I cannot turn one into the other.",
        capital(from.name(many)),
        from.dimension.name(),
        to.name(many),
        to.dimension.name()
    )
}

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};

    fn answer_to(text: &str) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), &[]))
    }

    #[test]
    fn amounts_are_converted() {
        for (text, expected) in [
            ("Five miles in kilometers.", "5 miles is about 8.047 kilometers."),
            ("What's 5 miles in kilometers?", "5 miles is about 8.047 kilometers."),
            ("How many feet are in a mile?", "1 mile is 5280 feet."),
            ("How many feet are there in 2 miles?", "2 miles is 10560 feet."),
            ("Convert 72 degrees Fahrenheit to Celsius.", "72 degrees Fahrenheit is about 22.222 degrees Celsius."),
            ("72°F in °C", "72 degrees Fahrenheit is about 22.222 degrees Celsius."),
            ("What is 100 degrees Celsius in Fahrenheit?", "100 degrees Celsius is 212 degrees Fahrenheit."),
            ("What's 20 degrees in Fahrenheit?", "20 degrees Celsius is 68 degrees Fahrenheit."),
            ("Minus forty Celsius to Fahrenheit", "Minus 40 degrees Celsius is minus 40 degrees Fahrenheit."),
            ("Convert 10 kilograms to pounds.", "10 kilograms is about 22.046 pounds."),
            ("How many ounces in a pound?", "1 pound is 16 ounces."),
            ("How many ounces are in a cup?", "1 cup is 8 fluid ounces."),
            ("How many minutes are in a day?", "1 day is 1440 minutes."),
            ("How many seconds are there in an hour?", "1 hour is 3600 seconds."),
            ("60 miles per hour in kilometers per hour", "60 miles per hour is about 96.561 kilometers per hour."),
            ("How many megabytes are in 2 gigabytes?", "2 gigabytes is 2000 megabytes."),
            ("What's five feet ten inches in centimeters?", "5 feet 10 inches is 177.8 centimeters."),
            ("How many liters in a gallon?", "1 gallon is about 3.785 liters."),
            ("Convert half a mile to meters.", "0.5 miles is about 804.7 meters."),
            ("How tall is 6 feet in centimeters?", "6 feet is about 182.9 centimeters."),
            ("5km to miles", "5 kilometers is about 3.107 miles."),
            ("one and a half hours in minutes", "1.5 hours is 90 minutes."),
            ("How many milliliters does 2 cups make?", "2 cups is about 473.2 milliliters."),
        ] {
            assert_eq!(answer_to(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn unlike_things_are_not_converted() {
        let expected = "Miles measure length and kilograms measure weight, so I cannot turn one into the other.";
        assert_eq!(answer_to("How many kilograms are in 3 miles?").as_deref(), Some(expected));
    }

    #[test]
    fn other_words_are_no_conversion() {
        for text in [
            "Go forward ten meters.",
            "ten meters",
            "how many apples",
            "how many days until Christmas",
            "what is 5 plus 5",
            "five miles in the rain",
            "meet me in 5 minutes",
        ] {
            assert_eq!(answer_to(text), None, "{text}");
        }
    }
}
