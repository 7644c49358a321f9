//! Vendors in the cloud: whose account, and what each can do.
//!
//! An engine of theirs is named `vendor/model`. Nothing is sent to a vendor that no chain names.

use std::{sync::Arc, time::Duration};

use providers::{
    LanguageModel, Secret, SpeechToText, TextToSpeech, anthropic, deepgram, deepseek, elevenlabs, gemini,
    layers::Timeouts,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

/// `[anthropic]`, `[deepgram]`, …: an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// The vendor's address; empty = its own. Regions, proxies and tests have others.
    pub base_url: String,
    /// The key; empty = the vendor's variable in the environment.
    #[serde(serialize_with = "providers::secret::hide")]
    pub api_key: Secret,
}

impl Default for Account {
    fn default() -> Self {
        Self { base_url: String::new(), api_key: String::new().into() }
    }
}

impl Account {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let schemes = ["https://", "http://"];
        if !self.base_url.is_empty() && !schemes.iter().any(|scheme| self.base_url.starts_with(scheme)) {
            wrong.push(("base_url", "must be an http or https URL, or empty for the vendor's own".into()));
        }
        if !self.api_key.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            wrong.push(("api_key", "must consist of printable ASCII characters without spaces".into()));
        }
        wrong
    }

    fn has_key(&self) -> bool {
        !self.api_key.expose_secret().is_empty()
    }

    /// Puts what is set here in the place of the adapter's defaults.
    pub(super) fn fill(&self, base_url: &mut String, key: &mut Option<Secret>) {
        if !self.base_url.is_empty() {
            base_url.clone_from(&self.base_url);
        }
        if self.has_key() {
            *key = Some(self.api_key.clone());
        }
    }
}

/// All accounts, by vendor.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    /// Language models: Claude.
    pub anthropic: &'a Account,
    /// Speech-to-text and text-to-speech.
    pub deepgram: &'a Account,
    /// Language models.
    pub deepseek: &'a Account,
    /// Speech-to-text and text-to-speech.
    pub elevenlabs: &'a Account,
    /// Language models.
    pub gemini: &'a Account,
}

/// A vendor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vendor {
    /// <https://docs.claude.com/en/api>
    Anthropic,
    /// <https://developers.deepgram.com>
    Deepgram,
    /// <https://api-docs.deepseek.com>
    DeepSeek,
    /// <https://elevenlabs.io/docs>
    ElevenLabs,
    /// <https://ai.google.dev/gemini-api/docs>
    Gemini,
}

/// What an engine does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    Listen,
    Think,
    Speak,
}

impl Vendor {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Anthropic, Self::Deepgram, Self::DeepSeek, Self::ElevenLabs, Self::Gemini];

    /// Its name in chains and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Deepgram => "deepgram",
            Self::DeepSeek => "deepseek",
            Self::ElevenLabs => "elevenlabs",
            Self::Gemini => "gemini",
        }
    }

    /// Where its own tools look for the key.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Anthropic => "ANTHROPIC_API_KEY",
            Self::Deepgram => "DEEPGRAM_API_KEY",
            Self::DeepSeek => "DEEPSEEK_API_KEY",
            Self::ElevenLabs => "ELEVENLABS_API_KEY",
            Self::Gemini => "GEMINI_API_KEY",
        }
    }

    pub(super) const fn can(self, task: Task) -> bool {
        match self {
            Self::Anthropic | Self::DeepSeek | Self::Gemini => matches!(task, Task::Think),
            Self::Deepgram | Self::ElevenLabs => matches!(task, Task::Listen | Task::Speak),
        }
    }

    /// The vendor and the model that an engine's name stands for.
    pub(crate) fn of(engine: &str) -> Option<(Self, &str)> {
        let (vendor, model) = engine.split_once('/')?;
        let found = Self::ALL.into_iter().find(|known| known.name() == vendor)?;
        (!model.is_empty()).then_some((found, model))
    }
}

impl Accounts<'_> {
    pub(super) const fn of(&self, vendor: Vendor) -> &Account {
        match vendor {
            Vendor::Anthropic => self.anthropic,
            Vendor::Deepgram => self.deepgram,
            Vendor::DeepSeek => self.deepseek,
            Vendor::ElevenLabs => self.elevenlabs,
            Vendor::Gemini => self.gemini,
        }
    }

    /// What this engine lacks to be used.
    pub(crate) fn lacks(&self, engine: &str) -> Option<String> {
        let (vendor, _) = Vendor::of(engine)?;
        let (name, variable) = (vendor.name(), vendor.variable());
        let missing = !self.of(vendor).has_key();
        missing.then(|| format!("`{engine}` needs a key: set {name}.api_key, or {variable} in the environment"))
    }

    pub(super) fn ear(&self, engine: &str) -> Option<Arc<dyn SpeechToText>> {
        let (vendor, model) = Vendor::of(engine)?;
        match vendor {
            Vendor::Deepgram => Some(Arc::new(deepgram::SpeechToText::new(engine.to_owned(), model, self.deepgram()))),
            Vendor::ElevenLabs => {
                Some(Arc::new(elevenlabs::SpeechToText::new(engine.to_owned(), model, self.elevenlabs())))
            }
            Vendor::Anthropic | Vendor::DeepSeek | Vendor::Gemini => None,
        }
    }

    pub(super) fn mouth(&self, engine: &str) -> Option<Arc<dyn TextToSpeech>> {
        let (vendor, model) = Vendor::of(engine)?;
        match vendor {
            Vendor::Deepgram => Some(Arc::new(deepgram::TextToSpeech::new(engine.to_owned(), model, self.deepgram()))),
            Vendor::ElevenLabs => {
                Some(Arc::new(elevenlabs::TextToSpeech::new(engine.to_owned(), model, self.elevenlabs())))
            }
            Vendor::Anthropic | Vendor::DeepSeek | Vendor::Gemini => None,
        }
    }

    pub(super) fn mind(&self, engine: &str) -> Option<Arc<dyn LanguageModel>> {
        let (vendor, model) = Vendor::of(engine)?;
        let (account, name) = (self.of(vendor), engine.to_owned());
        match vendor {
            Vendor::Anthropic => {
                let mut config = anthropic::Config::default();
                account.fill(&mut config.base_url, &mut config.key);
                Some(Arc::new(anthropic::LanguageModel::new(name, model, Arc::new(config))))
            }
            Vendor::DeepSeek => {
                let mut config = deepseek::Config::default();
                account.fill(&mut config.base_url, &mut config.key);
                Some(Arc::new(deepseek::LanguageModel::new(name, model, Arc::new(config))))
            }
            Vendor::Gemini => {
                let mut config = gemini::Config::default();
                account.fill(&mut config.base_url, &mut config.key);
                Some(Arc::new(gemini::LanguageModel::new(name, model, Arc::new(config))))
            }
            Vendor::Deepgram | Vendor::ElevenLabs => None,
        }
    }

    fn deepgram(&self) -> Arc<deepgram::Config> {
        let mut config = deepgram::Config::default();
        self.deepgram.fill(&mut config.base_url, &mut config.key);
        Arc::new(config)
    }

    fn elevenlabs(&self) -> Arc<elevenlabs::Config> {
        let mut config = elevenlabs::Config::default();
        self.elevenlabs.fill(&mut config.base_url, &mut config.key);
        Arc::new(config)
    }
}

/// How long a vendor may take: long enough for any that works, short enough to go elsewhere while somebody waits.
pub(super) const PATIENCE: Timeouts =
    Timeouts { open: Duration::from_secs(6), first: Duration::from_secs(10), idle: Duration::from_secs(10) };
