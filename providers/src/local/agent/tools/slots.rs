//! What single values the words hold: numbers, places, days, names, yes or no, and the rest of the sentence.
//!
//! A word once used as a number is not used again, so that "add 2 and 3" fills two members.

use jiff::Zoned;

use super::schema::{Schema, spoken};
use crate::local::agent::{
    heard::{Heard, Word, lead},
    quantity::{day_of, numeral},
};

/// The values not yet taken.
pub(super) struct Slots<'a> {
    heard: &'a Heard,
    now: &'a Zoned,
    /// Value, first word, word after.
    numbers: Vec<(f64, usize, usize)>,
    /// First word and word after of what other members are about.
    taken: Vec<(usize, usize)>,
}

impl<'a> Slots<'a> {
    pub(super) fn new(heard: &'a Heard, now: &'a Zoned) -> Self {
        let words = heard.words();
        let (mut numbers, mut at) = (Vec::new(), 0);
        while at < words.len() {
            let Some((number, count)) = numeral::read(&words[at..]) else {
                at += 1;
                continue;
            };
            let negative = at > 0 && ["minus", "negative"].contains(&words[at - 1].text.as_str());
            numbers.push((if negative { -number.value() } else { number.value() }, at, at + count));
            at += count;
        }
        Self { heard, now, numbers, taken: Vec::new() }
    }

    /// Keeps a phrase, if it was said, out of places and names.
    pub(super) fn take(&mut self, phrase: &str) {
        if let Some(at) = self.heard.find(phrase) {
            self.taken.push((at, at + phrase.split(' ').count()));
        }
    }

    /// Whether the words contain this phrase.
    pub(super) fn names(&self, phrase: &str) -> bool {
        self.heard.has(&[phrase])
    }

    /// A number beside a word of the member's name; any number, if one is required.
    pub(super) fn number(&mut self, name: &str, required: bool) -> Option<f64> {
        let words = self.heard.words();
        let named = |at: &usize| {
            let word = words.get(*at).map(|word| word.text.trim_end_matches('s'));
            word.is_some_and(|word| name.split(' ').any(|part| part.trim_end_matches('s') == word))
        };
        let beside =
            |(_, start, end): &(f64, usize, usize)| named(end) || start.checked_sub(1).is_some_and(|at| named(&at));
        let at = self.numbers.iter().position(beside).or((required && !self.numbers.is_empty()).then_some(0))?;
        Some(self.numbers.remove(at).0)
    }

    /// Yes or no, where the words say either.
    pub(super) fn yes_or_no(&self, name: &str) -> Option<bool> {
        const NO: [&str; 9] = ["off", "no", "not", "never", "disable", "without", "false", "stop", "close"];
        const YES: [&str; 8] = ["on", "yes", "enable", "with", "true", "start", "open", "sure"];
        let says = |list: &[&str]| list.iter().any(|word| self.names(word));
        if says(&NO) { Some(false) } else { (says(&YES) || self.names(name)).then_some(true) }
    }

    /// A text for the member, by what its name, format and description ask for.
    pub(super) fn text(&self, name: &str, schema: Schema<'_>, required: bool) -> Option<String> {
        let (format, name) = (schema.text("format"), spoken(&camel(name)));
        let about = |words: &[&str]| name.split(' ').any(|part| words.contains(&part));
        if format == "email" || about(&["email", "mail"]) {
            return self.token(|token| token.contains('@') && token.contains('.'));
        }
        if format == "uri" || about(&["url", "uri", "link", "website"]) {
            return self.token(|token| token.contains("://") || token.starts_with("www."));
        }
        if matches!(format, "date" | "date-time") || about(&["date", "day", "when"]) {
            return self.date(format);
        }
        if format == "time" || about(&["time", "hour"]) {
            return self.time();
        }
        if about(&PLACES) {
            return self.after(&["in", "at", "near", "to", "for", "of", "from"]);
        }
        if about(&["name", "person", "recipient", "contact", "customer", "caller", "who"]) {
            return self.after(&["name is", "called", "named", "call", "i am", "to", "with", "for"]);
        }
        if about(&["language"]) {
            return self.after(&["into", "in", "to"]);
        }
        if about(&["phone", "number", "code", "id"]) {
            return self.digits();
        }
        if let Some(value) = self.after(&[&name, &format!("{name} is")]) {
            return Some(value);
        }
        required.then(|| self.remainder()).flatten()
    }

    /// "milk, eggs and bread" after the verb.
    pub(super) fn enumeration(&self, name: &str) -> Vec<String> {
        let rest = self.after_phrase(&[&spoken(name)]).or_else(|| self.remainder()).unwrap_or_default();
        let rest = rest.replace(" and ", ",");
        let items = rest.split(',').map(|item| item.trim().trim_end_matches(['.', '!', '?']).to_owned());
        items.filter(|item| !item.is_empty()).take(16).collect()
    }

    /// Text of the right shape where the words held none.
    pub(super) fn stand_in(&self, format: &str) -> String {
        match format {
            "date" => self.now.date().to_string(),
            "date-time" => self.now.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "time" => self.now.strftime("%H:%M:%S").to_string(),
            _ => self.heard.text().to_owned(),
        }
    }

    fn date(&self, format: &str) -> Option<String> {
        let (at, day) = day_of(self.heard, self.now.date())?;
        let words = &self.heard.words()[at..at + day.words];
        Some(match format {
            "date" => day.date.to_string(),
            "date-time" => format!("{}T00:00:00Z", day.date),
            _ => self.heard.quote(words).to_owned(),
        })
    }

    /// "5 pm", "5:30", "noon".
    fn time(&self) -> Option<String> {
        let words = self.heard.words();
        let half = |word: Option<&Word>| word.is_some_and(|word| ["am", "pm", "o'clock"].contains(&word.text.as_str()));
        (0..words.len()).find_map(|at| {
            let word = &words[at].text;
            let digits = word.starts_with(|c: char| c.is_ascii_digit());
            let spoken = digits && (word.contains(':') || half(words.get(at + 1)))
                || ["noon", "midnight"].contains(&word.as_str());
            let end = at + 1 + usize::from(half(words.get(at + 1)));
            spoken.then(|| self.heard.quote(&words[at..end]).to_owned())
        })
    }

    fn token(&self, fits: impl Fn(&str) -> bool) -> Option<String> {
        let trimmed = |token: &'a str| token.trim_matches(|c: char| ",;:!?()<>".contains(c)).trim_end_matches('.');
        self.heard.text().split_whitespace().map(trimmed).find(|token| fits(token)).map(str::to_owned)
    }

    fn digits(&self) -> Option<String> {
        self.token(|token| token.chars().any(|c| c.is_ascii_digit()))
    }

    /// What follows one of these words, up to a comma or the next small word.
    fn after(&self, leads: &[&str]) -> Option<String> {
        leads.iter().find_map(|phrase| {
            let words = self.heard.words();
            let from = (0..words.len()).rev().filter(|at| lead(&words[*at..], phrase).is_some());
            from.map(|at| self.stretch(at + phrase.split(' ').count())).find(|text| !text.is_empty())
        })
    }

    fn after_phrase(&self, leads: &[&str]) -> Option<String> {
        let words = self.heard.after(leads)?;
        (!words.is_empty()).then(|| self.heard.rest(words).to_owned())
    }

    fn stretch(&self, start: usize) -> String {
        let words = self.heard.words();
        let start = start + usize::from(words.get(start).is_some_and(|word| word.text == "the"));
        let small = |word: &Word| BOUNDS.contains(&word.text.as_str());
        let number = |at: usize| self.numbers.iter().any(|(_, start, end)| (*start..*end).contains(&at));
        let taken = |at: usize| self.taken.iter().any(|(start, end)| (*start..*end).contains(&at));
        let mut end = start;
        while end < words.len() && end - start < 6 && !small(&words[end]) && !number(end) && !taken(end) {
            let comma =
                end > start && self.heard.text()[words[end - 1].end..words[end].start].contains([',', '.', ';']);
            if comma {
                break;
            }
            end += 1;
        }
        self.heard.quote(words.get(start..end).unwrap_or(&[])).to_owned()
    }

    /// The sentence without the verb that asks.
    fn remainder(&self) -> Option<String> {
        let verbs = [
            "search the web for",
            "search for",
            "look up",
            "look for",
            "search",
            "find",
            "ask about",
            "ask",
            "tell them",
            "send",
            "write",
            "note down",
            "note",
            "buy",
            "order",
            "play",
            "translate",
            "remind me to",
            "add",
            "show me",
            "show",
            "get me",
            "get",
            "calculate",
            "compute",
            "what is",
            "who is",
        ];
        let words = self.heard.after_lead(&verbs).unwrap_or(self.heard.core());
        let words = if words.is_empty() { self.heard.words() } else { words };
        let text = if words.len() == self.heard.words().len() { self.heard.text() } else { self.heard.quote(words) };
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// "zipCode" as "zip code".
fn camel(name: &str) -> String {
    let mut spaced = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    spaced
}

const PLACES: [&str; 13] = [
    "location",
    "city",
    "place",
    "country",
    "address",
    "destination",
    "where",
    "town",
    "region",
    "state",
    "area",
    "origin",
    "room",
];

/// Where a place or a name ends.
const BOUNDS: [&str; 37] = [
    "in",
    "at",
    "on",
    "for",
    "to",
    "from",
    "with",
    "and",
    "or",
    "tomorrow",
    "today",
    "tonight",
    "yesterday",
    "now",
    "please",
    "is",
    "are",
    "this",
    "next",
    "of",
    "by",
    "what",
    "when",
    "like",
    "me",
    "a",
    "an",
    "i",
    "my",
    "right",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
