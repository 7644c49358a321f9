//! `[providers]`, `[routes.LANGUAGE]`, `[offered]` and `[limits.VENDOR]`: who serves, and whom else clients may ask for.

use std::collections::BTreeMap;

use providers::layers::LimitSettings;
use serde::{Deserialize, Serialize};

use super::{
    accounts::Accounts,
    auto::{AUTO_NAME, SMART_TURN, Surroundings, whole},
};
use crate::realtime::Task;

/// `[providers]`: for each role a chain; the first is used, the next when it fails.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Speech-to-text.
    pub stt: Vec<String>,
    /// Language model.
    pub llm: Vec<String>,
    /// Text-to-speech.
    pub tts: Vec<String>,
    /// Speech-to-speech, before the three above; empty for none.
    pub realtime: Vec<String>,
    /// Turn detector for `semantic_vad`; empty for none.
    pub turn: String,
    /// Embedding model for the search in documents; empty for none: words alone are searched.
    pub embed: String,
    /// Embedded engines that `auto` would mean, were their models installed.
    #[serde(skip)]
    pub missing: Vec<String>,
}

/// `[routes.es]`: other chains for what is spoken in this language; empty for the usual one. `[offered]`: engines that
/// clients may ask for by name although no chain has them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Route {
    /// Speech-to-text.
    pub stt: Vec<String>,
    /// Language model.
    pub llm: Vec<String>,
    /// Text-to-speech.
    pub tts: Vec<String>,
}

/// `[offered]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Offered {
    /// Speech-to-text.
    pub stt: Vec<String>,
    /// Language models.
    pub llm: Vec<String>,
    /// Text-to-speech.
    pub tts: Vec<String>,
    /// Speech-to-speech.
    pub realtime: Vec<String>,
}

/// `[limits.deepgram]`: how much of a vendor is used at most, for each of its tasks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests at the same time; 0 = as many as come.
    pub concurrent: usize,
    /// Requests begun in any minute; 0 = as many as come.
    pub per_minute: usize,
}

impl Default for Config {
    fn default() -> Self {
        let auto = || vec![AUTO_NAME.to_owned()];
        Self {
            stt: auto(),
            llm: auto(),
            tts: auto(),
            realtime: Vec::new(),
            turn: AUTO_NAME.into(),
            embed: AUTO_NAME.into(),
            missing: Vec::new(),
        }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self, accounts: &Accounts<'_>) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        for (task, chain) in [("stt", &self.stt), ("llm", &self.llm), ("tts", &self.tts)] {
            if chain.is_empty() {
                let allowed = accounts.allowed(task).join(", ");
                wrong.push((task.to_owned(), format!("must name at least one of {allowed}")));
            }
            wrong.extend(refused(accounts, task, chain, true));
        }
        wrong.extend(refused(accounts, "realtime", &self.realtime, false));
        if !["", AUTO_NAME, SMART_TURN].contains(&self.turn.as_str()) {
            let message = format!("`{}` is not known; allowed: auto, {SMART_TURN} or empty", self.turn);
            wrong.push(("turn".to_owned(), message));
        }
        let embed = Some(self.embed.clone()).filter(|name| !name.is_empty());
        wrong.extend(refused(accounts, "embed", embed.as_slice(), true));
        wrong
    }

    /// Puts in the place of `auto` what it means here.
    pub(crate) fn resolve(&mut self, surroundings: &Surroundings<'_>) {
        let mut missing = Vec::new();
        self.stt = surroundings.chain("stt", &self.stt, &mut missing);
        self.llm = surroundings.chain("llm", &self.llm, &mut missing);
        self.tts = surroundings.chain("tts", &self.tts, &mut missing);
        self.realtime = surroundings.chain("realtime", &self.realtime, &mut missing);
        if self.turn == AUTO_NAME {
            self.turn = surroundings.turn(self, &mut missing);
        }
        self.embed = match self.embed.as_str() {
            AUTO_NAME => surroundings.embed(&mut missing),
            name => whole(name),
        };
        self.missing = missing;
    }

    /// The chain of a task.
    pub fn chain(&self, task: Task) -> &[String] {
        match task {
            Task::Realtime => &self.realtime,
            Task::Transcription => &self.stt,
            Task::Speech => &self.tts,
            Task::Language => &self.llm,
        }
    }
}

impl Route {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self, accounts: &Accounts<'_>) -> Vec<(String, String)> {
        let chains = [("stt", &self.stt), ("llm", &self.llm), ("tts", &self.tts)];
        chains.into_iter().flat_map(|(task, chain)| refused(accounts, task, chain, true)).collect()
    }

    pub(crate) fn resolve(&mut self, surroundings: &Surroundings<'_>) {
        for (task, chain) in [("stt", &mut self.stt), ("llm", &mut self.llm), ("tts", &mut self.tts)] {
            *chain = surroundings.chain(task, chain, &mut Vec::new());
        }
    }

    /// The chain of a task.
    pub fn chain(&self, task: Task) -> &[String] {
        match task {
            Task::Realtime => &[],
            Task::Transcription => &self.stt,
            Task::Speech => &self.tts,
            Task::Language => &self.llm,
        }
    }
}

impl Offered {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self, accounts: &Accounts<'_>) -> Vec<(String, String)> {
        let lists = [("stt", &self.stt), ("llm", &self.llm), ("tts", &self.tts), ("realtime", &self.realtime)];
        lists.into_iter().flat_map(|(task, list)| refused(accounts, task, list, false)).collect()
    }

    pub(crate) fn resolve(&mut self) {
        for list in [&mut self.stt, &mut self.llm, &mut self.tts, &mut self.realtime] {
            list.iter_mut().for_each(|name| *name = whole(name));
        }
    }

    /// What is offered for a task.
    pub fn list(&self, task: Task) -> &[String] {
        match task {
            Task::Realtime => &self.realtime,
            Task::Transcription => &self.stt,
            Task::Speech => &self.tts,
            Task::Language => &self.llm,
        }
    }
}

impl Limits {
    /// As the layer counts; `None` where nothing is bounded.
    pub(super) fn settings(self) -> Option<LimitSettings> {
        let bound = |value: usize, most: usize| if value == 0 { most } else { value };
        let settings = LimitSettings {
            concurrent: bound(self.concurrent, MOST),
            per_minute: bound(self.per_minute, usize::MAX),
            ..LimitSettings::default()
        };
        (self != Self::default()).then_some(settings)
    }

    /// Every value that cannot be, with what is allowed.
    pub fn validate(self) -> Vec<(String, String)> {
        let bounds = [("concurrent", self.concurrent), ("per_minute", self.per_minute)];
        let wrong = bounds.into_iter().filter(|(_, value)| *value > MOST);
        wrong.map(|(key, _)| (key.to_owned(), format!("must be between 0 and {MOST}"))).collect()
    }
}

/// As good as no bound at all, and few enough for a semaphore.
const MOST: usize = 1 << 20;

/// All engines of a task that anybody may reach: of its chain, of its routes, offered besides.
pub(super) fn named(task: Task, chains: &Config, routes: &BTreeMap<String, Route>, offered: &Offered) -> Vec<String> {
    let routed = routes.values().flat_map(|route| route.chain(task));
    let mut names = Vec::new();
    for name in chains.chain(task).iter().chain(routed).chain(offered.list(task)) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn refused(accounts: &Accounts<'_>, task: &str, chain: &[String], auto: bool) -> Vec<(String, String)> {
    let named = chain.iter().filter(|name| !(auto && *name == AUTO_NAME));
    named.filter_map(|name| Some((task.to_owned(), accounts.refuses(&whole(name), task)?))).collect()
}
