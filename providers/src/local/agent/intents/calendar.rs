//! The clock and the calendar: the time here and elsewhere, the date, weekdays, days until and since.

use jiff::{
    ToSpan, Zoned,
    civil::{Date, Weekday},
};

use super::{
    super::{
        heard::{Heard, capital, lead},
        quantity::{Day, day_of, numeral, read_day},
        scene::Scene,
    },
    zones,
};

pub(super) fn answer(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    let today = scene.now.date();
    time(heard, scene.now)
        .or_else(|| distance(heard, today))
        .or_else(|| shifted(heard, today))
        .or_else(|| date_of(heard, today))
        .or_else(|| is_it(heard, today))
        .or_else(|| parts(heard, scene.now))
}

fn time(heard: &Heard, now: &Zoned) -> Option<String> {
    let asked = [
        "what time is it",
        "what time it is",
        "what is the time",
        "the current time",
        "what time do you have",
        "what time do we have",
        "what is the current time",
        "the time now",
        "the time is",
        "the time in",
        "what time is",
    ];
    let alone = ["time", "the time", "current time", "time please"];
    if !heard.has(&asked) && !heard.is(&alone) {
        return None;
    }
    if let Some(place) = heard.after(&["time is it in", "time it is in", "time in", "time is in", "now in"]) {
        return Some(match zones::read(place, now) {
            Some((name, Some(there))) => format!("In {name} it is {}.", clock(&there)),
            Some((name, None)) => format!("This machine has no time zone data for {name}. Here it is {}.", clock(now)),
            None => {
                let place = heard.quote(place);
                format!("I do not know the time zone of {place}. Here it is {}.", clock(now))
            }
        });
    }
    // "what time is the meeting" is another question.
    let about_now = heard.after(&["what time is"]).is_none_or(|rest| lead(rest, "it").is_some() || rest.is_empty());
    about_now.then(|| format!("It is {}.", clock(now)))
}

/// "how many days until Christmas", "how long since the 4th of July".
fn distance(heard: &Heard, today: Date) -> Option<String> {
    let until = ["until", "till", "til", "to", "before"];
    let since = ["since", "after", "has it been since"];
    if !heard.has(&["how many days", "how many weeks", "how long", "days until", "days till", "days since"]) {
        return None;
    }
    let (at, day) = day_of(heard, today)?;
    let before = &heard.words()[..at];
    let says = |words: &[&str]| before.iter().rev().take(3).any(|word| words.contains(&word.text.as_str()));
    let weeks = heard.has(&["how many weeks"]);
    if says(&until) {
        Some(counted(&day, i64::from(today.until(day.date).ok()?.get_days()), weeks))
    } else if says(&since) {
        let past = if day.date > today { day.date.checked_sub(1.year()).ok()? } else { day.date };
        let days = i64::from(past.until(today).ok()?.get_days());
        Some(format!("It has been {} since {}.", amount(days, weeks), named(&Day { date: past, ..day })))
    } else {
        None
    }
}

fn counted(day: &Day, days: i64, weeks: bool) -> String {
    match days {
        0 => format!("{} is today.", capital(&named(day))),
        1 => format!("{} is tomorrow.", capital(&named(day))),
        2.. => format!("{} until {}.", capital(&amount(days, weeks)), named(day)),
        _ => format!("{} was {} ago.", capital(&named(day)), amount(-days, weeks)),
    }
}

fn amount(days: i64, weeks: bool) -> String {
    let plural = |count: i64, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    if !weeks || days < 7 {
        return plural(days, "day");
    }
    let whole = plural(days / 7, "week");
    if days % 7 == 0 { whole } else { format!("{whole} and {}", plural(days % 7, "day")) }
}

/// "what is the date in ten days", "what day was it two weeks ago".
fn shifted(heard: &Heard, today: Date) -> Option<String> {
    if !heard.has(&["date", "what day", "day of the week"]) {
        return None;
    }
    let words = heard.words();
    let (at, (number, count)) = (0..words.len()).find_map(|at| Some((at, numeral::read(&words[at..])?)))?;
    let size = i64::try_from(number.integer()?).ok().filter(|size| *size <= 100_000)?;
    let span = match words.get(at + count)?.text.as_str() {
        "day" | "days" => size.days(),
        "week" | "weeks" => size.weeks(),
        "month" | "months" => size.months(),
        "year" | "years" => i16::try_from(size).ok()?.years(),
        _ => return None,
    };
    let rest = &words[at + count + 1..];
    if lead(rest, "ago").is_some() {
        return Some(format!("That was {}.", full(today.checked_sub(span).ok()?)));
    }
    let ahead = lead(rest, "from now").is_some() || lead(rest, "from today").is_some();
    let ahead = ahead || at > 0 && words[at - 1].text == "in";
    ahead.then(|| today.checked_add(span).ok()).flatten().map(|date| format!("That will be {}.", full(date)))
}

/// "what day of the week is July 4th", "when is Easter", "what is the date tomorrow".
fn date_of(heard: &Heard, today: Date) -> Option<String> {
    let weekday =
        heard.has(&["what day", "which day", "day of the week", "what weekday", "weekday", "what is the day"]);
    let date = heard.has(&["what date", "what is the date", "date", "when is", "when was", "what day", "which day"]);
    if !weekday && !date {
        return None;
    }
    let (_, day) = day_of(heard, today)?;
    let verb = if day.date < today { "was" } else { "is" };
    let date = full(day.date);
    let name = if day.name.is_empty() || date.starts_with(day.name) { "That".to_owned() } else { capital(day.name) };
    Some(format!("{name} {verb} {date}."))
}

/// "is it Monday", "is today Christmas".
fn is_it(heard: &Heard, today: Date) -> Option<String> {
    let words = heard.after_lead(&["is it", "is today"])?;
    let day = read_day(words, today)?;
    let rest = &words[day.words..];
    if day.name == "today" || !rest.is_empty() && lead(rest, "today") != Some(rest.len()) {
        return None;
    }
    let yes = if day.date == today { "Yes" } else { "No" };
    Some(format!("{yes}, today is {}.", full(today)))
}

/// Today's date, weekday, month, year.
fn parts(heard: &Heard, now: &Zoned) -> Option<String> {
    let today = now.date();
    if heard.has(&["what year"]) || heard.is(&["what is the year"]) {
        return Some(format!("It is {}.", today.year()));
    }
    if heard.has(&["what month"]) {
        return Some(format!("It is {}.", now.strftime("%B %Y")));
    }
    let asked = [
        "what is the date",
        "what date is it",
        "what day is it",
        "what day it is",
        "today's date",
        "the current date",
        "what day of the week is it",
        "which day is it",
        "what weekday is it",
        "what day of the month is it",
        "what the date is",
        "what is today",
        "what is todays date",
    ];
    let alone = ["date", "the date", "day", "what day", "what is the day"];
    (heard.has(&asked) || heard.is(&alone)).then(|| format!("Today is {}.", full(today)))
}

fn clock(time: &Zoned) -> String {
    time.strftime("%-I:%M %p").to_string()
}

fn full(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    };
    format!("{weekday}, {}", date.strftime("%B %-d, %Y"))
}

fn named(day: &Day) -> String {
    if day.name.is_empty() { full(day.date) } else { day.name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};

    fn answer_to(text: &str) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), &[]))
    }

    #[test]
    fn the_clock_and_the_calendar_are_read() {
        for (text, expected) in [
            ("What time is it?", "It is 3:05 PM."),
            ("What's the time, please?", "It is 3:05 PM."),
            ("Hey, could you tell me what time it is?", "It is 3:05 PM."),
            ("Do you know what time it is?", "It is 3:05 PM."),
            ("What's the date today?", "Today is Sunday, November 22, 2026."),
            ("What is today's date?", "Today is Sunday, November 22, 2026."),
            ("What day is it?", "Today is Sunday, November 22, 2026."),
            ("What day of the week is it?", "Today is Sunday, November 22, 2026."),
            ("What day is tomorrow?", "Tomorrow is Monday, November 23, 2026."),
            ("What was the date yesterday?", "Yesterday was Saturday, November 21, 2026."),
            ("What's the day after tomorrow?", "The day after tomorrow is Tuesday, November 24, 2026."),
            ("What date is next Friday?", "That is Friday, November 27, 2026."),
            ("Is it Sunday today?", "Yes, today is Sunday, November 22, 2026."),
            ("Is it Monday?", "No, today is Sunday, November 22, 2026."),
            ("What year is it?", "It is 2026."),
            ("What month is it?", "It is November 2026."),
            ("What day of the week is July 4th?", "That is Sunday, July 4, 2027."),
            ("When is Easter?", "Easter is Sunday, March 28, 2027."),
            ("How many days until Christmas?", "33 days until Christmas."),
            ("How many days are there until Friday?", "5 days until Friday."),
            ("How long until New Year's Eve?", "39 days until New Year's Eve."),
            ("How many weeks until Christmas?", "4 weeks and 5 days until Christmas."),
            ("How many days until November 23rd?", "Monday, November 23, 2026 is tomorrow."),
            ("How many days since July 4th?", "It has been 141 days since Saturday, July 4, 2026."),
            ("What is the date in ten days?", "That will be Wednesday, December 2, 2026."),
            ("What was the date two weeks ago?", "That was Sunday, November 8, 2026."),
            ("What day is it 3 days from now?", "That will be Wednesday, November 25, 2026."),
        ] {
            assert_eq!(answer_to(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_place_has_its_own_time_or_an_honest_excuse() {
        let tokyo = answer_to("What time is it in Tokyo?").unwrap();
        assert!(tokyo == "In Tokyo it is 12:05 AM." || tokyo.contains("no time zone data"), "{tokyo}");
        let expected = "I do not know the time zone of Atlantis. Here it is 3:05 PM.";
        assert_eq!(answer_to("What time is it in Atlantis?").as_deref(), Some(expected));
    }

    #[test]
    fn other_words_are_not_about_time() {
        for text in [
            "What time is the meeting?",
            "Take your time.",
            "How many days are in a week?",
            "I had a date.",
            "See you tomorrow.",
            "Go forward ten meters.",
        ] {
            assert_eq!(answer_to(text), None, "{text}");
        }
    }
}
