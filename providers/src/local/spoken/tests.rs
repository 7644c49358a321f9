use proptest::prelude::*;

use super::words;

fn said(text: &str) -> String {
    words(text).into_iter().map(|word| word.spoken).collect::<Vec<_>>().join(" ")
}

/// Checks a table of texts and their spoken forms, and tells all that differ.
fn check(table: &[(&str, &str)]) {
    let wrong = table.iter().map(|(text, want)| (text, said(text), want)).filter(|(_, got, want)| got != *want);
    let wrong: Vec<_> = wrong.map(|(text, got, want)| format!("{text:?}\n  said {got:?}\n  want {want:?}")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn plain_text_stays_as_it_is() {
    check(&[
        ("Hello there.", "Hello there."),
        ("Well, I don't know; do you?", "Well, I don't know; do you?"),
        ("It’s a well-known state-of-the-art thing!", "It's a well-known state-of-the-art thing!"),
        ("She said \"hello\" (quietly).", "She said \"hello\" (quietly)."),
        ("Wait... what?!", "Wait… what?"),
        ("one — two – three - four", "one — two — three — four"),
        ("naïve café Zürich", "naïve café Zürich"),
    ]);
}

#[test]
fn times_of_day() {
    check(&[
        ("at 9:30am", "at nine thirty AM"),
        ("at 9:30 a.m. today", "at nine thirty AM today"),
        ("It ends at 5 p.m.", "It ends at five PM."),
        ("at 5 p.m. We left", "at five PM. We left"),
        ("7 AM, sharp", "seven AM, sharp"),
        ("14:05", "fourteen oh five"),
        ("9:00", "nine o'clock"),
        ("9:00 pm.", "nine PM."),
        ("18:00", "eighteen hundred"),
        ("7:00:15", "seven and fifteen seconds"),
    ]);
}

#[test]
fn dates_and_years() {
    check(&[
        ("on 2026-11-22.", "on November twenty second, twenty twenty six."),
        ("2026-11-22T09:05:00Z", "November twenty second, twenty twenty six, nine oh five"),
        ("Nov 22, 2026", "November twenty second, twenty twenty six"),
        ("Nov. 22", "November twenty second"),
        ("May 1st, 1905, was", "May first, nineteen oh five, was"),
        ("22 November 2026", "the twenty second of November, twenty twenty six"),
        ("the 3rd of May", "the third of May"),
        ("11/22/2026", "November twenty second, twenty twenty six"),
        ("22/11/99", "November twenty second, nineteen ninety nine"),
        ("in September 2001", "in September two thousand one"),
        ("in 1999", "in nineteen ninety nine"),
        ("in 2005 or 2010", "in two thousand five or twenty ten"),
        ("in 1900", "in nineteen hundred"),
        ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
        ("May I go?", "May I go?"),
        ("1999-2003", "nineteen ninety nine to two thousand three"),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("0", "zero"),
        ("7", "seven"),
        ("21", "twenty one"),
        ("110", "one hundred ten"),
        ("1,250", "one thousand two hundred fifty"),
        ("1,000,001", "one million one"),
        ("1000000", "one million"),
        ("123456789", "one two three four five six seven eight nine"),
        ("3.14", "three point one four"),
        (".5", "zero point five"),
        ("0.05", "zero point zero five"),
        ("-3", "minus three"),
        ("−2.5", "minus two point five"),
        ("007", "zero zero seven"),
        ("1st 2nd 3rd 12th 20th 101st", "first second third twelfth twentieth one hundred first"),
        ("5-10", "five to ten"),
        ("5–10 people", "five to ten people"),
        ("1/2, 3/4 and 2/3", "one half, three quarters and two thirds"),
        ("1 1/2 cups", "one and a half cups"),
        ("2½", "two and a half"),
        ("24/7", "twenty four seven"),
        ("16:9", "sixteen to nine"),
        ("1920x1080", "nineteen twenty by ten eighty"),
        ("version 2.0.1", "version two point zero point one"),
        ("v1.2", "version one point two"),
        ("192.168.0.1", "one hundred ninety two dot one hundred sixty eight dot zero dot one"),
        ("GPT-4 B12 H2O 4K 5G", "GPT four B twelve H two O four K five G"),
        ("covid-19.", "covid nineteen."),
        ("No. 5 and #6", "number five and number six"),
    ]);
}

#[test]
fn units_and_pressure() {
    check(&[
        ("5 mg", "five milligrams"),
        ("1 mg", "one milligram"),
        ("take 5-10 mg daily", "take five to ten milligrams daily"),
        ("20 km", "twenty kilometers"),
        ("20km.", "twenty kilometers."),
        ("a 5-km run", "a five kilometers run"),
        ("90 km/h", "ninety kilometers per hour"),
        ("24 kg/m2", "twenty four kilograms per square meter"),
        ("24.5 kg/m²", "twenty four point five kilograms per square meter"),
        ("110 mg/dL", "one hundred ten milligrams per deciliter"),
        ("-4°C", "minus four degrees Celsius"),
        ("72 °F", "seventy two degrees Fahrenheit"),
        ("90°", "ninety degrees"),
        ("50%", "fifty percent"),
        ("5-10%", "five to ten percent"),
        ("99.9 %", "ninety nine point nine percent"),
        ("120/80", "one hundred twenty over eighty"),
        ("120/80 mmHg.", "one hundred twenty over eighty millimeters of mercury."),
        ("16 GB", "sixteen gigabytes"),
        ("250 ms", "two hundred fifty milliseconds"),
        ("5 minutes", "five minutes"),
        ("5 in the morning", "five in the morning"),
    ]);
}

#[test]
fn money() {
    check(&[
        ("$5", "five dollars"),
        ("$1", "one dollar"),
        ("$3.50", "three dollars and fifty cents"),
        ("$0.99", "ninety nine cents"),
        ("$3.2 billion", "three point two billion dollars"),
        ("$40k", "forty thousand dollars"),
        ("-$5", "minus five dollars"),
        ("€5", "five euros"),
        ("5€", "five euros"),
        ("£1.50", "one pound and fifty pence"),
        ("$1,250.75", "one thousand two hundred fifty dollars and seventy five cents"),
        ("¥500", "five hundred yen"),
        ("10 USD", "ten dollars"),
        ("It costs $5.", "It costs five dollars."),
    ]);
}

#[test]
fn addresses() {
    check(&[
        ("555-1234", "five five five, one two three four"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("+1 555 123 4567", "plus one, five five five, one two three, four five six seven"),
        ("john.doe@example.com.", "john dot doe at example dot com."),
        ("https://www.example.com/docs", "example dot com slash docs"),
        ("see example.com, please", "see example dot com, please"),
        ("https://example.org/a/very/long/path/that/nobody?can=hear&or=remember", "example dot org"),
        ("@anna #voice", "at anna hashtag voice"),
    ]);
}

#[test]
fn shortenings() {
    check(&[
        ("Dr. Smith and Mrs. Jones", "Doctor Smith and Missus Jones"),
        ("Mr Smith", "Mister Smith"),
        ("St. Paul", "Saint Paul"),
        ("on Main St.", "on Main Street."),
        ("on Main St. near", "on Main Street near"),
        ("fruit, e.g. apples, etc.", "fruit, for example apples, et cetera."),
        ("i.e. now", "that is now"),
        ("cats vs. dogs", "cats versus dogs"),
        ("J. K. Rowling", "J K Rowling"),
        ("So do I. You too?", "So do I. You too?"),
        ("the U.S. army", "the US army"),
        ("the U.S.A.", "the USA."),
        ("NASA and the HTTP API", "NASA and the HTTP API"),
        ("AT&T", "A T and T"),
    ]);
}

#[test]
fn symbols() {
    check(&[
        ("salt & pepper", "salt and pepper"),
        ("2 + 2 = 4", "two plus two equals four"),
        ("2+2=4", "two plus two equals four"),
        ("3 * 4", "three times four"),
        ("3 × 4", "three times four"),
        ("10 - 3", "ten minus three"),
        ("x^2", "x squared"),
        ("a -> b", "a to b"),
        ("~5", "about five"),
        ("C++", "C plus plus"),
        ("and/or", "and or"),
        ("5 < 6", "five less than six"),
        ("snake_case", "snake case"),
    ]);
}

#[test]
fn markup_is_dropped() {
    check(&[
        ("**bold** and *italic* and `code`", "bold and italic and code"),
        ("# Title\nText", "Title. Text"),
        ("Two things:\n- one\n- two", "Two things: one. two"),
        ("1. one\n2. two", "one, one. two, two"),
        ("> quoted", "quoted"),
        ("[the docs](https://example.com/x) say", "the docs say"),
        ("![alt](x.png)", "alt"),
        ("as shown[1].", "as shown."),
        ("a<br>b", "a b"),
        ("```rust\nlet x\n```", "let x."),
        ("| a | b |\n|---|---|\n| c | d |", "a, b, c, d,"),
        ("first\n\nsecond", "first. second"),
        ("soft\nwrap", "soft wrap"),
        ("- [x] done", "done"),
    ]);
}

#[test]
fn what_cannot_be_said_is_left_out() {
    check(&[
        ("", ""),
        ("...", ""),
        ("🎉👍🏽", ""),
        ("Great 🎉 work", "Great work"),
        ("great🎉work", "great work"),
        ("你好 hello", "hello"),
        ("Привет", "Привет"),
        ("!!! ???", ""),
        ("— \"\" ()", ""),
    ]);
}

#[test]
fn words_know_what_they_voice() {
    let text = "At 9:30am, Dr. Wu said: **stop** 🎉 now.";
    let voiced: Vec<_> = words(text).into_iter().map(|word| (word.spoken, &text[word.source])).collect();
    let want = [
        ("At", "At"),
        ("nine thirty AM,", "9:30am,"),
        ("Doctor", "Dr."),
        ("Wu", "Wu"),
        ("said:", "said:"),
        ("stop", "stop"),
        ("now.", "now."),
    ];
    assert_eq!(voiced.iter().map(|(spoken, source)| (spoken.as_str(), *source)).collect::<Vec<_>>(), want);
}

#[test]
fn long_input_of_any_kind_takes_no_longer_than_its_length() {
    for unit in
        ["a", "1", "1,", "-", "(", "]", "<a", "a.", "1/", "a@", "\n", "# ", "🎉", "é", "[", "*", "http://a", "9:", "$"]
    {
        let text = unit.repeat(100_000 / unit.len());
        let words = words(&text);
        assert!(words.iter().all(|word| word.spoken.len() < 4_000), "{unit:?}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_words_in_order_within_it(text in "(?s).{0,200}") {
        check_order(&text);
    }

    #[test]
    fn any_figures_and_marks_give_words_in_order(text in "[0-9a-zA-Z.,:;/$%#@&°€ \n*_()<>\\[\\]+=-]{0,200}") {
        check_order(&text);
    }
}

#[test]
fn digits_of_other_scripts_are_no_figures() {
    for text in ["£๐", "٣:٤٥", "５ km", "฿๑๒๓"] {
        check_order(text);
    }
}

fn check_order(text: &str) {
    let mut at = 0;
    for word in words(text) {
        assert!(word.source.start >= at && word.source.end > word.source.start, "{word:?} in {text:?}");
        assert!(text.get(word.source.clone()).is_some());
        assert!(!word.spoken.is_empty());
        assert!(!word.spoken.contains(|c: char| c.is_ascii_digit()), "{word:?} in {text:?}");
        at = word.source.end;
    }
}
