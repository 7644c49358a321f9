//! Prices by engine: the operator's, before the known ones of the vendors' public pages.
//!
//! An engine without a price is told as unknown, never as free. Embedded engines cost nothing.

use std::{collections::BTreeMap, time::Duration};

use providers::layers::Consumed;
use serde::{Deserialize, Serialize};

use super::known::KNOWN;

/// `[prices]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the prices are in, as an ISO 4217 code; the known ones are in US dollars.
    pub currency: String,
    /// Whether the vendors' public prices are known. They change, and contracts have others.
    pub known: bool,
    /// The operator's own, each as `"ENGINE KIND=PRICE …"`; they go before the known ones.
    pub list: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { currency: "USD".into(), known: true, list: Vec::new() }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            wrong.push(("currency", "must be three capital letters such as USD".into()));
        } else if self.known && self.currency != "USD" {
            wrong.push(("currency", "must be USD while prices.known is true: the known prices are in it".into()));
        }
        let mistakes = self.list.iter().filter_map(|line| parse(line).err());
        wrong.extend(mistakes.map(|mistake| ("list", mistake)));
        wrong
    }
}

/// What one engine charges, in the table's currency.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Price {
    /// For a minute of sound heard.
    pub minute: f64,
    /// For a minute of sound made.
    pub minute_out: f64,
    /// For 1000 characters to speak.
    pub characters: f64,
    /// For a million tokens read.
    pub input: f64,
    /// For a million tokens read that came from a cache; `None` as for any.
    pub cached: Option<f64>,
    /// For a million tokens written.
    pub output: f64,
}

impl Price {
    /// What this costs, in the table's currency.
    pub fn of(&self, what: &Consumed) -> f64 {
        let minutes = |span: Duration| span.as_secs_f64() / 60.0;
        let millions = |count: u64| count as f64 / 1e6;
        let fresh = what.input_tokens.saturating_sub(what.cached_tokens);
        minutes(what.heard) * self.minute
            + minutes(what.spoken) * self.minute_out
            + what.characters as f64 / 1e3 * self.characters
            + millions(fresh) * self.input
            + millions(what.cached_tokens) * self.cached.unwrap_or(self.input)
            + millions(what.output_tokens) * self.output
    }
}

/// All prices.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Prices {
    currency: String,
    own: Table,
    known: Table,
}

/// Prices by engine, or by how the names of several engines begin.
#[derive(Clone, PartialEq, Debug, Default)]
struct Table {
    exact: BTreeMap<String, Price>,
    families: BTreeMap<String, Price>,
}

impl Prices {
    /// The table that the configuration asks for. Lines that are none are left out: validation tells them.
    pub fn new(config: &Config) -> Self {
        Self {
            currency: config.currency.clone(),
            own: Table::read(config.list.iter().map(String::as_str)),
            known: Table::read(KNOWN.iter().filter(|_| config.known).copied()),
        }
    }

    /// What its prices are in.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// What this engine charges: by its own name, else by the longest beginning of it.
    pub fn of(&self, engine: &str) -> Option<Price> {
        let embedded = || engine.starts_with("local/").then(Price::default);
        self.own.of(engine).or_else(|| self.known.of(engine)).or_else(embedded)
    }

    /// What it costs in millionths of the currency, rounded; `None` where the price is unknown.
    pub fn micros(&self, engine: &str, what: &Consumed) -> Option<u64> {
        let cost = self.of(engine)?.of(what) * 1e6;
        Some(cost.round() as u64)
    }
}

impl Table {
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut table = Self::default();
        for (name, price) in lines.filter_map(|line| parse(line).ok()) {
            match name.strip_suffix('*') {
                Some(family) => table.families.insert(family.to_owned(), price),
                None => table.exact.insert(name, price),
            };
        }
        table
    }

    fn of(&self, engine: &str) -> Option<Price> {
        let family = || self.families.iter().filter(|(family, _)| engine.starts_with(*family));
        self.exact.get(engine).or_else(|| Some(family().max_by_key(|(family, _)| family.len())?.1)).copied()
    }
}

/// An engine, or the beginning of its name before `*`, and its price.
fn parse(line: &str) -> Result<(String, Price), String> {
    let mut words = line.split_whitespace();
    let name = words.next().ok_or("must not hold an empty line")?;
    if !name.contains('/') {
        return Err(format!("`{name}` names no engine: it must be VENDOR/MODEL, or VENDOR/BEGINNING*"));
    }
    let mut price = Price::default();
    let mut given = false;
    for word in words {
        let amount = word.split_once('=').and_then(|(kind, amount)| Some((kind, amount.parse::<f64>().ok()?)));
        let Some((kind, amount)) = amount.filter(|(_, amount)| amount.is_finite() && *amount >= 0.0) else {
            return Err(format!("`{word}` of {name} must be KIND=PRICE with a price of 0 or more"));
        };
        match kind {
            "minute" => price.minute = amount,
            "minute_out" => price.minute_out = amount,
            "characters" => price.characters = amount,
            "input" => price.input = amount,
            "cached" => price.cached = Some(amount),
            "output" => price.output = amount,
            _ => {
                let allowed = "minute, minute_out, characters, input, cached, output";
                return Err(format!("`{kind}` of {name} is no kind of price; allowed: {allowed}"));
            }
        }
        given = true;
    }
    if given { Ok((name.to_owned(), price)) } else { Err(format!("{name} must have at least one KIND=PRICE")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(list: &[&str]) -> Config {
        Config { list: list.iter().map(|line| (*line).to_owned()).collect(), ..Config::default() }
    }

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn each_kind_of_consumption_has_its_price() {
        let line = "x/y minute=0.6 minute_out=1.2 characters=0.03 input=2 cached=0.5 output=8";
        let price = Prices::new(&own(&[line])).of("x/y").unwrap();
        let what = |change: fn(&mut Consumed)| {
            let mut what = Consumed::default();
            change(&mut what);
            price.of(&what)
        };
        assert!(near(what(|what| what.heard = Duration::from_secs(30)), 0.3));
        assert!(near(what(|what| what.spoken = Duration::from_secs(90)), 1.8));
        assert!(near(what(|what| what.characters = 500), 0.015));
        assert!(near(what(|what| (what.input_tokens, what.cached_tokens) = (1_000_000, 400_000)), 1.4));
        assert!(near(what(|what| what.output_tokens = 250_000), 2.0));
    }

    #[test]
    fn the_operators_prices_go_before_the_known_ones_and_names_before_families() {
        let prices =
            Prices::new(&own(&["deepgram/* minute=1", "acme/* input=1", "acme/big* input=2", "acme/big-1 input=3"]));
        assert!(near(prices.of("deepgram/nova-3").unwrap().minute, 1.0));
        assert!(near(prices.of("acme/big-1").unwrap().input, 3.0));
        assert!(near(prices.of("acme/small").unwrap().input, 1.0));
        assert!(near(prices.of("acme/big-2").unwrap().input, 2.0));
        let dated = Prices::new(&own(&[])).of("anthropic/claude-sonnet-4-5-20250929").unwrap();
        assert!(near(dated.input, 3.0) && near(dated.cached.unwrap(), 0.3) && near(dated.output, 15.0));
    }

    #[test]
    fn what_is_unknown_is_not_free_and_what_is_embedded_is() {
        let prices = Prices::new(&own(&[]));
        assert_eq!(prices.of("openai/some-new-model"), None);
        assert_eq!(prices.micros("openai/some-new-model", &Consumed::default()), None);
        assert_eq!(prices.of("local/hibari"), Some(Price::default()));
        let none = Prices::new(&Config { known: false, ..Config::default() });
        assert_eq!(none.of("deepgram/nova-3"), None);
    }

    #[test]
    fn every_known_price_can_be_read() {
        for line in KNOWN {
            parse(line).unwrap();
        }
        assert_eq!(Config::default().validate(), []);
    }

    #[test]
    fn mistakes_are_told_with_what_is_allowed() {
        for (line, expected) in [
            ("", "empty line"),
            ("nova-3 minute=1", "names no engine"),
            ("x/y", "at least one"),
            ("x/y minute=cheap", "`minute=cheap` of x/y"),
            ("x/y minute=-1", "0 or more"),
            ("x/y minute=inf", "0 or more"),
            ("x/y hour=1", "`hour` of x/y is no kind of price"),
        ] {
            let told = own(&[line]).validate();
            assert_eq!(told[0].0, "list");
            assert!(told[0].1.contains(expected), "{line}: {}", told[0].1);
        }
        let euros = Config { currency: "EUR".into(), ..Config::default() };
        assert_eq!(euros.validate()[0].0, "currency");
        assert_eq!(Config { known: false, ..euros }.validate(), []);
    }
}
