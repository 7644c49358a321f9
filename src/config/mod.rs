//! The configuration: the components' own `Config`s, assembled from file, environment and flags.
//!
//! Later layers win: defaults, then the file, then `VOICE_RELAY__SECTION__KEY`, then flags. Every mistake is reported at
//! once, each with its origin and what is allowed. `config.example.toml` shows every key with its default.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

mod credentials;
mod layers;
mod open;
mod problem;
mod source;

pub use problem::{Problem, Problems};
pub use source::{Environment, Source};

use crate::{
    auth, cost, documents::export, engines, knowledge, realtime, rest, roster, server, storage, store, telemetry, tools,
};
use layers::Given;

/// All settings of the relay.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens and keeps its data.
    pub server: server::Config,
    /// Where the database is.
    pub database: store::Config,
    /// Who may make accounts, and how long people stay logged in.
    pub accounts: auth::Config,
    /// Where files are kept.
    pub storage: storage::Config,
    /// How much of a knowledge base there may be.
    pub knowledge: knowledge::Config,
    /// How live sessions behave.
    pub realtime: realtime::Config,
    /// Where WebRTC calls arrive.
    pub webrtc: realtime::webrtc::Config,
    /// Calls of phone networks and devices.
    pub telephony: rest::telephony::Config,
    /// How conversations look that are taken away as files.
    pub export: export::pdf::Config,
    /// What it writes to the log.
    pub log: telemetry::Config,
    /// Which engines listen, think and speak.
    pub providers: engines::Config,
    /// The embedded engines' model files.
    pub models: engines::ModelsConfig,
    /// The embedded engines' threads.
    pub inference: engines::InferenceConfig,
    /// Other chains for what is spoken in a language, by its BCP 47 primary tag.
    pub routes: BTreeMap<String, engines::Route>,
    /// What clients may ask for although no chain has it.
    pub offered: engines::Offered,
    /// What other names of models stand for: `stt`, `llm`, `tts`, `realtime` for the chain, or an engine.
    pub names: BTreeMap<String, String>,
    /// What models may have done here.
    pub tools: tools::Config,
    /// Who may be told clinical data.
    pub clinical: engines::Clearance,
    /// Equivalents of voices.
    pub voices: engines::Voices,
    /// How much of a vendor is used at most.
    pub limits: BTreeMap<String, engines::Limits>,
    /// Servers that speak OpenAI's wire, by name.
    pub compatible: BTreeMap<String, engines::Account>,
    /// OpenAI.
    pub openai: engines::Account,
    /// OpenAI's models at Azure.
    pub azure_openai: engines::Account,
    /// Azure's ears and voices.
    pub azure_speech: engines::Account,
    /// Claude.
    pub anthropic: engines::Account,
    /// Nova, Flux and Aura.
    pub deepgram: engines::Account,
    /// DeepSeek's own models.
    pub deepseek: engines::Account,
    /// Scribe and its voices.
    pub elevenlabs: engines::Account,
    /// Google's models by an AI Studio key.
    pub gemini: engines::Account,
    /// Google Cloud's ears and voices.
    pub google: engines::Account,
    /// How providers are looked after.
    pub health: roster::Config,
    /// What they charge.
    pub prices: cost::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: server::Config::default(),
            database: store::Config::default(),
            accounts: auth::Config::default(),
            storage: storage::Config::default(),
            knowledge: knowledge::Config::default(),
            realtime: realtime::Config::default(),
            webrtc: realtime::webrtc::Config::default(),
            telephony: rest::telephony::Config::default(),
            export: export::pdf::Config::default(),
            log: telemetry::Config::default(),
            providers: engines::Config::default(),
            models: engines::ModelsConfig::default(),
            inference: engines::InferenceConfig::default(),
            routes: BTreeMap::new(),
            offered: engines::Offered::default(),
            names: realtime::well_known(),
            tools: tools::Config::default(),
            clinical: engines::Clearance::default(),
            voices: engines::usual_voices(),
            limits: BTreeMap::new(),
            compatible: [("ollama".to_owned(), engines::Account::at("http://127.0.0.1:11434/v1"))].into(),
            openai: engines::Account::default(),
            azure_openai: engines::Account::default(),
            azure_speech: engines::Account::default(),
            anthropic: engines::Account::default(),
            deepgram: engines::Account::default(),
            deepseek: engines::Account::default(),
            elevenlabs: engines::Account::default(),
            gemini: engines::Account::default(),
            google: engines::Account::default(),
            health: roster::Config::default(),
            prices: cost::Config::default(),
        }
    }
}

/// Flags that override a key, by name: what the command line gave.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`: the file; `None` looks at `voice-relay/config.toml` in the XDG config dir.
    pub config: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
}

impl Config {
    /// Reads and checks everything.
    pub fn load(flags: &Flags, source: &dyn Source) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let own = [ADMIN_KEY, DATABASE_URL, STORAGE_SECRET, TURN_SECRET];
        let secrets: Vec<_> = engines::key_variables().chain(rest::telephony::VARIABLES).chain(own).collect();
        let source = &credentials::Filed::of(source, &secrets, layers::PREFIX, &mut problems);
        let given = gather(flags, source, &mut problems);
        let (mut config, mut wrong): (Self, _) = layers::overlay(&given);
        problems.append(&mut wrong);
        let fixed = source.get(ADMIN_KEY).filter(|key| !key.is_empty());
        let told = fixed.is_some();
        if let Some(key) = fixed {
            config.server.admin_key = key.into();
        }
        if let Some(url) = source.get(DATABASE_URL).filter(|url| !url.is_empty()) {
            config.database.url = url.into();
        }
        if let Some(secret) = source.get(STORAGE_SECRET).filter(|secret| !secret.is_empty()) {
            config.storage.secret = secret.into();
        }
        if let Some(secret) = source.get(TURN_SECRET).filter(|secret| !secret.is_empty()) {
            config.webrtc.turn.secret = secret.into();
        }
        config.take_keys(source);
        config.telephony.fill(|name| source.get(name));
        config.tools.fill(|name| source.get(name));
        let mut wrong = config.validate();
        config.server.resolve(|name| source.get(name));
        config.models.resolve(&config.server.data_dir);
        if wrong.is_empty() {
            config.resolve_chains();
            wrong = config.validate_names();
        }
        for (key, message) in wrong {
            let origin = match key.as_str() {
                "server.admin_key" if told => format!("environment {ADMIN_KEY}"),
                _ => layers::origin_of(&given, &key),
            };
            problems.push(Problem { origin, key, message });
        }
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// All accounts.
    pub const fn accounts(&self) -> engines::Accounts<'_> {
        let vendors = [
            &self.openai,
            &self.azure_openai,
            &self.azure_speech,
            &self.anthropic,
            &self.deepgram,
            &self.deepseek,
            &self.elevenlabs,
            &self.gemini,
            &self.google,
        ];
        engines::Accounts { vendors, compatible: &self.compatible }
    }

    fn accounts_mut(&mut self) -> [&mut engines::Account; engines::VENDORS.len()] {
        [
            &mut self.openai,
            &mut self.azure_openai,
            &mut self.azure_speech,
            &mut self.anthropic,
            &mut self.deepgram,
            &mut self.deepseek,
            &mut self.elevenlabs,
            &mut self.gemini,
            &mut self.google,
        ]
    }

    /// What the vendors' own variables give, where the configuration gives nothing.
    fn take_keys(&mut self, source: &dyn Source) {
        for (vendor, account) in engines::VENDORS.iter().zip(self.accounts_mut()) {
            let before = account.clone();
            for (variable, slot) in vendor.environment {
                if let Some(value) = source.get(variable).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty())
                {
                    account.fill(*slot, value);
                }
            }
            // Users of gcloud have that variable for accounts of other kinds too: one that cannot be used is passed over.
            if vendor.section == "google" && !vendor.problems(account).is_empty() && vendor.problems(&before).is_empty()
            {
                *account = before;
            }
        }
    }

    fn resolve_chains(&mut self) {
        let whole = self.clone();
        let surroundings = engines::Surroundings { accounts: whole.accounts(), models: &whole.models.dir };
        self.providers.resolve(&surroundings);
        self.routes.values_mut().for_each(|route| route.resolve(&surroundings));
        self.offered.resolve();
    }

    fn validate(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let mut section = |name: &str, found: Vec<(&'static str, String)>| {
            wrong.extend(found.into_iter().map(|(key, message)| (format!("{name}.{key}"), message)));
        };
        section("server", self.server.validate());
        section("database", self.database.validate());
        section("accounts", self.accounts.validate());
        section("storage", self.storage.validate());
        section("knowledge", self.knowledge.validate());
        section("tools", self.tools.validate());
        section("realtime", self.realtime.validate());
        section("webrtc", self.webrtc.validate());
        section("telephony", self.telephony.validate());
        section("export", self.export.validate());
        section("log", self.log.validate());
        section("models", self.models.validate());
        section("inference", self.inference.validate());
        section("health", self.health.validate());
        section("prices", self.prices.validate());
        wrong.extend(self.validate_engines());
        wrong
    }

    fn validate_engines(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let mut section = |name: &str, found: Vec<(String, String)>| {
            wrong.extend(found.into_iter().map(|(key, message)| (format!("{name}.{key}"), message)));
        };
        let accounts = self.accounts();
        for (vendor, account) in accounts.rows() {
            section(vendor.section, vendor.problems(account));
        }
        for (name, account) in &self.compatible {
            section(&format!("compatible.{name}"), engines::compatible_problems(name, account));
        }
        section("providers", self.providers.validate(&accounts));
        for (language, route) in &self.routes {
            section(&format!("routes.{language}"), route.validate(&accounts));
        }
        section("offered", self.offered.validate(&accounts));
        for (owner, limits) in &self.limits {
            section(&format!("limits.{owner}"), limits.validate());
            if !accounts.knows(owner) {
                section("limits", vec![(owner.clone(), "no such vendor".to_owned())]);
            }
        }
        section("clinical", self.clinical.validate(&accounts));
        section("voices", engines::validate_voices(&self.voices, &accounts));
        wrong
    }

    /// Names that stand for nothing, now that all engines are known.
    fn validate_names(&self) -> Vec<(String, String)> {
        let known = engines::names(self);
        let tasks = realtime::Task::ALL;
        let means = |target: &str| {
            tasks.iter().any(|task| task.name() == target || known.engines(*task).iter().any(|engine| engine == target))
        };
        let wrong = self.names.iter().filter(|(_, target)| !means(target));
        let message = |target: &str| {
            format!(
                "`{target}` is neither stt, llm, tts or realtime nor an engine that a chain, a route or [offered] names"
            )
        };
        wrong.map(|(name, target)| (format!("names.{name}"), message(target))).collect()
    }
}

/// Fixes the admin key, whatever the file says.
const ADMIN_KEY: &str = "VOICE_RELAY_ADMIN_KEY";
/// Where the database is, password included, in the environment.
const DATABASE_URL: &str = "VOICE_RELAY_DATABASE_URL";
/// What opens the bucket that files are kept in, in the environment.
const STORAGE_SECRET: &str = "VOICE_RELAY_STORAGE_SECRET";
/// The secret shared with the TURN server, in the environment.
const TURN_SECRET: &str = "VOICE_RELAY_TURN_SECRET";

fn gather(flags: &Flags, source: &dyn Source, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut given = Vec::new();
    if let Some(path) = file(flags, source) {
        let read = std::fs::read_to_string(&path).map_err(|error| Problem {
            origin: path.display().to_string(),
            key: String::new(),
            message: format!("cannot be read: {error}"),
        });
        match read.and_then(|text| layers::from_toml(&path.display().to_string(), &text)) {
            Ok(mut leaves) => given.append(&mut leaves),
            Err(problem) => problems.push(problem),
        }
    }
    given.extend(layers::from_environment(source, &layers::schema::<Config>(), problems));
    let mut flag = |name: &str, key: &str, value: String| {
        let path = vec!["server".to_owned(), key.to_owned()];
        given.push(Given { path, value: toml::Value::String(value), origin: name.to_owned() });
    };
    if let Some(listen) = &flags.listen {
        flag("--listen", "listen", listen.clone());
    }
    if let Some(dir) = &flags.data_dir {
        flag("--data-dir", "data_dir", dir.display().to_string());
    }
    given
}

/// The file to read: the one named, which must exist, else the user's own if there is one.
fn file(flags: &Flags, source: &dyn Source) -> Option<PathBuf> {
    if let Some(path) = flags.config.clone().or_else(|| source.get("VOICE_RELAY_CONFIG").map(PathBuf::from)) {
        return Some(path);
    }
    let dir = match source.get("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => Path::new(&source.get("HOME")?).join(".config"),
    };
    Some(dir.join("voice-relay/config.toml")).filter(|path| path.exists())
}

#[cfg(test)]
mod tests;
