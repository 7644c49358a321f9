//! The configuration: the components' own `Config`s, assembled from file, environment and flags.
//!
//! Later layers win: defaults, then the file, then `VOICE_RELAY__SECTION__KEY`, then flags. Every mistake is reported at
//! once, each with its origin and what is allowed. `config.example.toml` shows every key with its default.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

mod layers;
mod problem;
mod source;

pub use problem::{Problem, Problems};
pub use source::{Environment, Source};

use crate::{cost, engines, realtime, roster, server, telemetry};
use layers::Given;

/// All settings of the relay.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where it listens and keeps its data.
    pub server: server::Config,
    /// How live sessions behave.
    pub realtime: realtime::Config,
    /// What it writes to the log.
    pub log: telemetry::Config,
    /// Which engines listen, think and speak.
    pub providers: engines::Config,
    /// The embedded engines' model files.
    pub models: engines::ModelsConfig,
    /// The embedded engines' threads.
    pub inference: engines::InferenceConfig,
    /// A server that speaks OpenAI's chat completions.
    pub openai: engines::OpenAiConfig,
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
    /// How providers are looked after.
    pub health: roster::Config,
    /// What they charge.
    pub prices: cost::Config,
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
        let given = gather(flags, source, &mut problems);
        let (mut config, mut wrong): (Self, _) = layers::overlay(&given);
        problems.append(&mut wrong);
        let fixed = source.get(ADMIN_KEY).filter(|key| !key.is_empty());
        let told = fixed.is_some();
        if let Some(key) = fixed {
            config.server.admin_key = key.into();
        }
        config.take_keys(source);
        for (key, message) in config.validate() {
            let origin = match key.as_str() {
                "server.admin_key" if told => format!("environment {ADMIN_KEY}"),
                _ => layers::origin_of(&given, &key),
            };
            problems.push(Problem { origin, key, message });
        }
        config.server.resolve(|name| source.get(name));
        config.models.resolve(&config.server.data_dir);
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    /// The vendors' accounts.
    pub const fn accounts(&self) -> engines::Accounts<'_> {
        engines::Accounts {
            anthropic: &self.anthropic,
            deepgram: &self.deepgram,
            deepseek: &self.deepseek,
            elevenlabs: &self.elevenlabs,
            gemini: &self.gemini,
        }
    }

    /// Keys that the vendors' own variables give, where the configuration gives none.
    fn take_keys(&mut self, source: &dyn Source) {
        for vendor in engines::Vendor::ALL {
            let account = match vendor {
                engines::Vendor::Anthropic => &mut self.anthropic,
                engines::Vendor::Deepgram => &mut self.deepgram,
                engines::Vendor::DeepSeek => &mut self.deepseek,
                engines::Vendor::ElevenLabs => &mut self.elevenlabs,
                engines::Vendor::Gemini => &mut self.gemini,
            };
            if let Some(key) = source.get(vendor.variable()).filter(|_| account.api_key.expose_secret().is_empty()) {
                account.api_key = key.trim().to_owned().into();
            }
        }
    }

    fn validate(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        let mut section = |name: &str, found: Vec<(&'static str, String)>| {
            wrong.extend(found.into_iter().map(|(key, message)| (format!("{name}.{key}"), message)));
        };
        section("server", self.server.validate());
        section("realtime", self.realtime.validate());
        section("log", self.log.validate());
        section("providers", self.providers.validate());
        section("models", self.models.validate());
        section("inference", self.inference.validate());
        section("openai", self.openai.validate());
        section("anthropic", self.anthropic.validate());
        section("deepgram", self.deepgram.validate());
        section("deepseek", self.deepseek.validate());
        section("elevenlabs", self.elevenlabs.validate());
        section("gemini", self.gemini.validate());
        section("health", self.health.validate());
        section("prices", self.prices.validate());
        let (chains, accounts) = (&self.providers, self.accounts());
        for (key, chain) in [("stt", &chains.stt), ("llm", &chains.llm), ("tts", &chains.tts)] {
            let lacking = chain.iter().filter_map(|engine| accounts.lacks(engine));
            wrong.extend(lacking.map(|message| (format!("providers.{key}"), message)));
        }
        wrong
    }
}

/// Fixes the admin key, whatever the file says.
const ADMIN_KEY: &str = "VOICE_RELAY_ADMIN_KEY";

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
