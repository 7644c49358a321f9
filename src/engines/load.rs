//! Engines by name: models read, layers put around, chains linked.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use providers::{
    ErrorKind, LanguageModel, ProviderError, SpeechToText, TextToSpeech, TurnDetector,
    layers::{Breaker, BreakerSettings, Fallback, Guarded, Observed, Observer, Role, Timed, Timeouts},
    local::{agent::Agent, command::Command, hibari::Hibari, models, pool::Pool, turn::SmartTurn, whisper::Whisper},
    openai, scripted,
};
use secrecy::ExposeSecret;

use super::probes::{checkup, library};
use super::{OpenAiConfig, vendor::PATIENCE};
use crate::{
    clock::Clock,
    config::Config,
    cost::Prices,
    metrics::ProviderMeter,
    realtime::Providers,
    roster::{Abilities, Roster},
};

/// The engines of a relay, and the threads the embedded ones share.
pub struct Engines {
    /// One for each role: the chain as a whole.
    pub providers: Providers,
    /// Where embedded engines compute.
    pub pool: Arc<Pool>,
    /// Each engine by itself: what it can do, and how it is.
    pub roster: Roster,
}

impl Engines {
    /// Loads every engine the configuration names. Fails on the first model file that is missing, naming it.
    pub async fn load(config: &Config, clock: &Clock) -> Result<Self, ProviderError> {
        let threads = if config.inference.threads == 0 { Pool::cores() } else { config.inference.threads };
        let meter = ProviderMeter::new(clock.clone()).with_prices(Arc::new(Prices::new(&config.prices)));
        let meter: Arc<dyn Observer> = Arc::new(meter);
        let loader = Loader {
            pool: Pool::new(threads, config.inference.queue),
            config: config.clone(),
            clock: clock.clone(),
            roster: Roster::new(&config.health, clock.clone(), meter),
        };
        let loaded = tokio::task::spawn_blocking(move || loader.all()).await;
        loaded.unwrap_or_else(|panic| Err(ProviderError::new("engines", ErrorKind::Unavailable, panic)))
    }
}

struct Loader {
    config: Config,
    clock: Clock,
    pool: Arc<Pool>,
    roster: Roster,
}

impl Loader {
    fn all(self) -> Result<Engines, ProviderError> {
        let chains = &self.config.providers;
        let providers = Providers {
            stt: self.stt(&chains.stt)?,
            llm: self.llm(&chains.llm),
            tts: self.tts(&chains.tts)?,
            realtime: None,
            turn: self.turn(&chains.turn)?,
        };
        Ok(Engines { providers, pool: self.pool, roster: self.roster })
    }

    fn stt(&self, chain: &[String]) -> Result<Arc<dyn SpeechToText>, ProviderError> {
        let engine = |name: &String| -> Result<Arc<dyn SpeechToText>, ProviderError> {
            let inner: Arc<dyn SpeechToText> = match self.config.accounts().ear(name) {
                Some(ear) => self.fenced(name, Role::Stt, ear, |timed| Arc::new(timed), |guarded| Arc::new(guarded)),
                None => match name.as_str() {
                    "scripted/stt" => Arc::new(scripted::SpeechToText::default()),
                    "local/whisper-tiny.en" => {
                        Arc::new(Whisper::load(&self.model(name, "whisper-tiny.en.ggml")?, self.pool())?)
                    }
                    _ => Arc::new(Whisper::load(&self.model(name, "whisper-base.ggml")?, self.pool())?),
                },
            };
            self.enrol(name, Abilities::Stt(inner.capabilities()));
            Ok(Arc::new(Observed::new(name.clone(), self.observer(), inner)))
        };
        let engines = chain.iter().map(engine).collect::<Result<_, _>>()?;
        Ok(linked(engines, |linked| Arc::new(linked.witnessed(Role::Stt, chain.to_vec(), self.observer()))))
    }

    fn llm(&self, chain: &[String]) -> Arc<dyn LanguageModel> {
        let engine = |name: &String| -> Arc<dyn LanguageModel> {
            let inner: Arc<dyn LanguageModel> = match self.config.accounts().mind(name) {
                Some(mind) => self.fenced(name, Role::Llm, mind, |timed| Arc::new(timed), |guarded| Arc::new(guarded)),
                None => match name.as_str() {
                    "scripted/llm" => Arc::new(scripted::LanguageModel::default()),
                    "openai/chat" => chat(name, &self.config.openai),
                    _ => {
                        let clock = self.clock.clone();
                        Arc::new(Agent::new(move || zoned(&clock)))
                    }
                },
            };
            self.enrol(name, Abilities::Llm(inner.capabilities()));
            Arc::new(Observed::new(name.clone(), self.observer(), inner))
        };
        let engines = chain.iter().map(engine).collect();
        linked(engines, |linked| Arc::new(linked.witnessed(Role::Llm, chain.to_vec(), self.observer())))
    }

    fn tts(&self, chain: &[String]) -> Result<Arc<dyn TextToSpeech>, ProviderError> {
        let engine = |name: &String| -> Result<Arc<dyn TextToSpeech>, ProviderError> {
            let inner: Arc<dyn TextToSpeech> = match self.config.accounts().mouth(name) {
                Some(mouth) => {
                    self.fenced(name, Role::Tts, mouth, |timed| Arc::new(timed), |guarded| Arc::new(guarded))
                }
                None => match name.as_str() {
                    "scripted/tts" => Arc::new(scripted::TextToSpeech::new(three_seconds())),
                    "local/flite" => Arc::new(Command::flite()),
                    "local/espeak" => Arc::new(Command::espeak()),
                    _ => Arc::new(Hibari::load(&self.model(name, "hibari")?, self.pool())?),
                },
            };
            self.enrol(name, Abilities::Tts(inner.capabilities()));
            Ok(Arc::new(Observed::new(name.clone(), self.observer(), inner)))
        };
        let engines = chain.iter().map(engine).collect::<Result<_, _>>()?;
        Ok(linked(engines, |linked| Arc::new(linked.witnessed(Role::Tts, chain.to_vec(), self.observer()))))
    }

    fn turn(&self, name: &str) -> Result<Option<Arc<dyn TurnDetector>>, ProviderError> {
        if name.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(SmartTurn::load(&self.model(name, "smart-turn.onnx")?, self.pool())?)))
    }

    /// Where a model is. A file that was cut short is refused here: some engines read it without complaint and then
    /// understand nothing. What is missing altogether they tell themselves.
    fn model(&self, engine: &str, name: &str) -> Result<PathBuf, ProviderError> {
        let dir = &self.config.models.dir;
        let own = |file: &&models::File| Path::new(file.path).starts_with(name);
        for file in models::MODELS.iter().flat_map(|model| model.files).filter(own) {
            let (path, expected) = (dir.join(file.path), file.size);
            if let Ok(found) = std::fs::metadata(&path).map(|found| found.len())
                && found != expected
            {
                let shown = path.display();
                let detail = format!(
                    "{shown} is damaged: {found} bytes, not {expected}; `voice-relay models install` fetches it anew"
                );
                return Err(ProviderError::new(engine.to_owned(), ErrorKind::Unavailable, detail));
            }
        }
        Ok(dir.join(name))
    }

    fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool)
    }

    /// A vendor's engine that may neither keep anybody waiting nor fail again and again.
    fn fenced<T: ?Sized>(
        &self,
        name: &str,
        role: Role,
        engine: Arc<T>,
        timed: impl FnOnce(Timed<T>) -> Arc<T>,
        guarded: impl FnOnce(Guarded<T>) -> Arc<T>,
    ) -> Arc<T> {
        let breaker = Breaker::new(name.to_owned(), role, BreakerSettings::default(), self.observer());
        guarded(Guarded::new(Arc::new(breaker), timed(Timed::new(name.to_owned(), PATIENCE, engine))))
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(self.roster.clone())
    }

    /// Puts an engine on the roster.
    fn enrol(&self, name: &str, abilities: Abilities) {
        self.roster.add(name, abilities, checkup(name, &self.config), library(name, &self.config));
    }
}

/// Engines as one, the first preferred; the configuration names at least one.
fn linked<T: ?Sized>(mut engines: Vec<Arc<T>>, link: impl FnOnce(Fallback<T>) -> Arc<T>) -> Arc<T> {
    let first = engines.remove(0);
    if engines.is_empty() { first } else { link(Fallback::new(first, engines)) }
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
