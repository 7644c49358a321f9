//! Engines by name: models read, layers put around, chains linked.

use std::{path::Path, sync::Arc, time::Duration};

use providers::{
    ErrorKind, LanguageModel, ProviderError, SpeechToText, TextToSpeech, TurnDetector,
    layers::{Fallback, Observed, Timed, Timeouts},
    local::{agent::Agent, command::Command, hibari::Hibari, pool::Pool, turn::SmartTurn, whisper::Whisper},
    openai, scripted,
};
use secrecy::ExposeSecret;

use super::OpenAiConfig;
use crate::{clock::Clock, config::Config, metrics::ProviderMeter, realtime::Providers};

/// The engines of a relay, and the threads the embedded ones share.
pub struct Engines {
    /// One for each role: the chain as a whole.
    pub providers: Providers,
    /// Where embedded engines compute.
    pub pool: Arc<Pool>,
}

impl Engines {
    /// Loads every engine the configuration names. Fails on the first model file that is missing, naming it.
    pub async fn load(config: &Config, clock: &Clock) -> Result<Self, ProviderError> {
        let threads = if config.inference.threads == 0 { Pool::cores() } else { config.inference.threads };
        let loader = Loader {
            pool: Pool::new(threads, config.inference.queue),
            config: config.clone(),
            clock: clock.clone(),
            observer: Arc::new(ProviderMeter::new(clock.clone())),
        };
        let loaded = tokio::task::spawn_blocking(move || loader.all()).await;
        loaded.unwrap_or_else(|panic| Err(ProviderError::new("engines", ErrorKind::Unavailable, panic)))
    }
}

struct Loader {
    config: Config,
    clock: Clock,
    pool: Arc<Pool>,
    observer: Arc<ProviderMeter>,
}

impl Loader {
    fn all(self) -> Result<Engines, ProviderError> {
        let chains = &self.config.providers;
        let providers = Providers {
            stt: self.stt(&chains.stt)?,
            llm: self.llm(&chains.llm),
            tts: self.tts(&chains.tts)?,
            turn: self.turn(&chains.turn)?,
        };
        Ok(Engines { providers, pool: self.pool })
    }

    fn stt(&self, chain: &[String]) -> Result<Arc<dyn SpeechToText>, ProviderError> {
        let engine = |name: &String| -> Result<Arc<dyn SpeechToText>, ProviderError> {
            let inner: Arc<dyn SpeechToText> = match name.as_str() {
                "scripted/stt" => Arc::new(scripted::SpeechToText::default()),
                "local/whisper-tiny.en" => Arc::new(Whisper::load(&self.model("whisper-tiny.en.ggml"), self.pool())?),
                _ => Arc::new(Whisper::load(&self.model("whisper-base.ggml"), self.pool())?),
            };
            Ok(Arc::new(Observed::new(name.clone(), self.observer(), inner)))
        };
        let mut engines = chain.iter().map(engine).collect::<Result<Vec<_>, _>>()?;
        Ok(match engines.len() {
            1 => engines.remove(0),
            _ => Arc::new(Fallback::new(engines.remove(0), engines)),
        })
    }

    fn llm(&self, chain: &[String]) -> Arc<dyn LanguageModel> {
        let engine = |name: &String| -> Arc<dyn LanguageModel> {
            let inner: Arc<dyn LanguageModel> = match name.as_str() {
                "scripted/llm" => Arc::new(scripted::LanguageModel::default()),
                "openai/chat" => chat(name, &self.config.openai),
                _ => {
                    let clock = self.clock.clone();
                    Arc::new(Agent::new(move || zoned(&clock)))
                }
            };
            Arc::new(Observed::new(name.clone(), self.observer(), inner))
        };
        let mut engines: Vec<_> = chain.iter().map(engine).collect();
        match engines.len() {
            1 => engines.remove(0),
            _ => Arc::new(Fallback::new(engines.remove(0), engines)),
        }
    }

    fn tts(&self, chain: &[String]) -> Result<Arc<dyn TextToSpeech>, ProviderError> {
        let engine = |name: &String| -> Result<Arc<dyn TextToSpeech>, ProviderError> {
            let inner: Arc<dyn TextToSpeech> = match name.as_str() {
                "scripted/tts" => Arc::new(scripted::TextToSpeech::new(three_seconds())),
                "local/flite" => Arc::new(Command::flite()),
                "local/espeak" => Arc::new(Command::espeak()),
                _ => Arc::new(Hibari::load(&self.model("hibari"), self.pool())?),
            };
            Ok(Arc::new(Observed::new(name.clone(), self.observer(), inner)))
        };
        let mut engines = chain.iter().map(engine).collect::<Result<Vec<_>, _>>()?;
        Ok(match engines.len() {
            1 => engines.remove(0),
            _ => Arc::new(Fallback::new(engines.remove(0), engines)),
        })
    }

    fn turn(&self, name: &str) -> Result<Option<Arc<dyn TurnDetector>>, ProviderError> {
        if name.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(SmartTurn::load(&self.model("smart-turn.onnx"), self.pool())?)))
    }

    fn model(&self, name: &str) -> std::path::PathBuf {
        Path::new(&self.config.models.dir).join(name)
    }

    fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool)
    }

    fn observer(&self) -> Arc<ProviderMeter> {
        Arc::clone(&self.observer)
    }
}

fn chat(name: &str, config: &OpenAiConfig) -> Arc<dyn LanguageModel> {
    let patience = Duration::from_secs(config.timeout_seconds);
    let timeouts = Timeouts { open: patience, first: patience, idle: Duration::from_secs(10) };
    let settings = openai::Config {
        base_url: config.base_url.clone(),
        key: Some(config.api_key.clone()).filter(|key| !key.expose_secret().is_empty()),
        // Servers of one's own know the older name of the limit.
        max_completion_tokens: false,
        ..openai::Config::default()
    };
    let chat = openai::LanguageModel::new(name.to_owned(), config.model.clone(), Arc::new(settings));
    let chat: Arc<dyn LanguageModel> = Arc::new(chat);
    Arc::new(Timed::new(name.to_owned(), timeouts, chat))
}

/// The reply every benchmark measures with: two clauses of 1.5 s, synthesised a little faster than they are heard, so that
/// an interruption finds it under way.
fn three_seconds() -> scripted::TtsScript {
    scripted::TtsScript {
        length: scripted::Length::Fixed(Duration::from_millis(1_500)),
        pace: Duration::from_millis(90),
        ..scripted::TtsScript::default()
    }
}

fn zoned(clock: &Clock) -> jiff::Zoned {
    let now = jiff::Timestamp::try_from(clock.wall()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    now.to_zoned(jiff::tz::TimeZone::system())
}
