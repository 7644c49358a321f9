//! `[deepgram]`, `[openai]`, …: an account with a vendor, or a server of one's own.

use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use toml::Table;

use super::vendors::Slot;

/// Where a vendor is, its key, and how it is to be treated. The same keys for every vendor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// The vendor's address; empty = its own. Regions, proxies and tests have others.
    pub base_url: String,
    /// The key; empty = the vendor's variable in the environment.
    #[serde(serialize_with = "providers::secret::hide")]
    pub api_key: Secret,
    /// Longest wait for a first result, in seconds; 0 = 10, or 30 of a server of one's own.
    pub timeout_seconds: u64,
    /// What `auto` means of this vendor: a model for `stt`, `llm`, `tts`. Absent = as the table in `docs/providers.md`.
    pub models: Table,
    /// What else its adapter can be told: the fields of its `Config` in `providers`.
    pub settings: Table,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            api_key: String::new().into(),
            timeout_seconds: 0,
            models: Table::new(),
            settings: Table::new(),
        }
    }
}

impl Account {
    /// A server of one's own, where servers of its kind usually listen.
    pub(crate) fn at(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), ..Self::default() }
    }

    /// Takes what the environment gives, where nothing is set.
    pub(crate) fn fill(&mut self, slot: Slot, value: String) {
        match slot {
            Slot::Key if !self.has_key() => self.api_key = value.into(),
            Slot::BaseUrl if self.base_url.is_empty() => self.base_url = value,
            Slot::Setting(name) => drop(self.settings.entry(name).or_insert(value.into())),
            Slot::Key | Slot::BaseUrl => {}
        }
    }

    /// The model that `auto` means for a task.
    pub(super) fn model(&self, task: &str) -> Option<&str> {
        self.models.get(task)?.as_str()
    }

    pub(super) fn has_key(&self) -> bool {
        !self.api_key.expose_secret().is_empty()
    }

    /// The key, where there is one.
    pub(crate) fn key(&self) -> Option<Secret> {
        Some(self.api_key.clone()).filter(|_| self.has_key())
    }

    /// The adapter's configuration: its defaults, and what is set here.
    ///
    /// # Errors
    /// What cannot be of the settings, in words for people.
    pub(super) fn config<C: DeserializeOwned>(&self) -> Result<C, String> {
        let mut table = self.settings.clone();
        table.remove(LIVE);
        if !self.base_url.is_empty() {
            table.insert("base_url".into(), self.base_url.clone().into());
        }
        if self.has_key() {
            table.insert("key".into(), self.api_key.expose_secret().to_owned().into());
        }
        table.try_into().map_err(|error: toml::de::Error| without_value(error.message().trim()))
    }

    /// How its speech-to-speech models are spoken to: their defaults, and `settings.realtime`.
    ///
    /// # Errors
    /// What cannot be of them, in words for people.
    pub(super) fn live<C: DeserializeOwned>(&self) -> Result<C, String> {
        let table = self.settings.get(LIVE).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        table.try_into().map_err(|error: toml::de::Error| without_value(error.message().trim()))
    }

    /// Whether `settings.realtime` has this key.
    pub(super) fn has_live(&self, key: &str) -> bool {
        self.settings.get(LIVE).and_then(toml::Value::as_table).is_some_and(|table| table.contains_key(key))
    }

    /// Every value that cannot be, by its key within the section, with what is allowed. `check` is the adapter's judgement of
    /// an account that can be used.
    pub(super) fn problems(&self, tasks: &[&str], check: Option<fn(&Self) -> Mistakes>) -> Mistakes {
        let mut wrong = Vec::new();
        if !self.base_url.is_empty() && !["https://", "http://"].iter().any(|scheme| self.base_url.starts_with(scheme))
        {
            let allowed = "must be an http or https URL, or empty for the vendor's own";
            wrong.push(("base_url".to_owned(), allowed.to_owned()));
        }
        if !self.api_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            let allowed = "must consist of printable ASCII characters without spaces";
            wrong.push(("api_key".to_owned(), allowed.to_owned()));
        }
        if self.timeout_seconds > 600 {
            wrong.push(("timeout_seconds".to_owned(), "must be between 0 and 600".to_owned()));
        }
        for (task, model) in &self.models {
            if !tasks.contains(&task.as_str()) {
                wrong.push((format!("models.{task}"), format!("no such task here; there is: {}", tasks.join(", "))));
            } else if model.as_str().is_none_or(str::is_empty) {
                wrong.push((format!("models.{task}"), "must be the name of a model".to_owned()));
            }
        }
        for (own, key) in [("base_url", "base_url"), ("key", "api_key")] {
            if self.settings.contains_key(own) {
                wrong.push((format!("settings.{own}"), format!("belongs one level higher, as {key}")));
            }
        }
        match check {
            Some(check) if wrong.is_empty() => check(self),
            Some(_) | None => wrong,
        }
    }
}

/// A parser's words without the value that it got, which may be a key in the wrong place.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((got, expected)) if !got.starts_with("unknown field") => {
            let got = got.split(['"', '`']).next().unwrap_or_default().trim_end();
            format!("{got}, expected {expected}")
        }
        Some(_) | None => message.to_owned(),
    }
}

/// The settings of speech-to-speech models.
const LIVE: &str = "realtime";

/// Keys and what is allowed there.
pub(super) type Mistakes = Vec<(String, String)>;

/// An adapter's own judgement of what is set for it.
pub(super) fn judged<C: DeserializeOwned>(
    account: &Account,
    problems: fn(&C) -> Vec<(&'static str, String)>,
) -> Mistakes {
    let place = |key: &str| match key {
        "base_url" => "base_url".to_owned(),
        "key" => "api_key".to_owned(),
        other => format!("settings.{other}"),
    };
    match account.config::<C>() {
        Ok(config) => problems(&config).into_iter().map(|(key, allowed)| (place(key), allowed)).collect(),
        Err(message) => vec![("settings".to_owned(), message)],
    }
}

#[cfg(test)]
mod tests {
    use providers::deepgram;

    use super::*;

    fn account(settings: &str) -> Account {
        Account { settings: settings.parse().unwrap(), ..Account::default() }
    }

    fn keys(account: &Account) -> Vec<String> {
        let check: fn(&Account) -> Mistakes = |account| judged(account, deepgram::Config::problems);
        account.problems(&["stt"], Some(check)).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn settings_are_the_adapters_own() {
        let mut account = account("smart_format = false\nvoice = 'aura-2-orion-en'");
        (account.base_url, account.api_key) = ("http://127.0.0.1:1".into(), "k".into());
        let config: deepgram::Config = account.config().unwrap();
        assert_eq!((config.base_url.as_str(), config.smart_format), ("http://127.0.0.1:1", false));
        assert_eq!(config.key.unwrap().expose_secret(), "k");
        assert_eq!(keys(&account), [""; 0]);
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_repeated() {
        for settings in ["smart_format = 'sk-1'", "languages = 'sk-1'", "endpointing_ms = 'sk-1, expected 2'"] {
            let check = judged(&account(settings), deepgram::Config::problems);
            let [(key, message)] = &check[..] else { panic!("{check:?}") };
            assert!(key == "settings" && message.contains("expected") && !message.contains("sk-1"), "{message}");
        }
        assert!(without_value("unknown field `colour`, expected one of `a`, `b`").contains("colour"));
        let variant = "unknown variant `sk-1`, expected one of `auto`, `on`";
        assert_eq!(without_value(variant), "unknown variant, expected one of `auto`, `on`");
    }

    #[test]
    fn every_mistake_is_told_by_its_key() {
        assert_eq!(
            keys(&account("voice = 'alloy'\nutterance_end_ms = 1")),
            ["settings.voice", "settings.utterance_end_ms"]
        );
        assert_eq!(keys(&account("colour = 'red'")), ["settings"]);
        assert_eq!(keys(&account("key = 'k'")), ["settings.key"]);
        let wrong = Account {
            base_url: "deepgram".into(),
            api_key: "two words".into(),
            timeout_seconds: 601,
            models: "llm = 'x'\nstt = ''".parse().unwrap(),
            ..Account::default()
        };
        assert_eq!(keys(&wrong), ["base_url", "api_key", "timeout_seconds", "models.llm", "models.stt"]);
    }
}
