//! Engines by name: models read, layers put around, chains linked.
//!
//! The layers' order, outermost first: routed > fallback > observed > limit > breaker > retry > timed > told > voiced >
//! swapped > adapter. A queue that is full says nothing about the vendor, so limits stand before breakers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use providers::{
    EmbeddingModel, ErrorKind, LanguageModel, ProviderError, RealtimeModel, SpeechToText, TextToSpeech, TurnDetector,
    layers::{
        Breaker, BreakerSettings, Fallback, Guarded, Limit, Observed, Observer, Retry, RetrySettings, Role, Routed,
        Swapped, Timed, Timeouts, Told, Voiced,
    },
    local::{
        agent::Agent, command::Command, hibari::Hibari, minilm::MiniLm, models, pool::Pool, turn::SmartTurn,
        whisper::Whisper,
    },
    scripted,
};

use super::{
    accounts::Foreign,
    auto::{AUTO_NAME, MINILM, SMART_TURN, model_file},
    chains,
    kind::{EARS, Kind, MINDS, MODELS, MOUTHS},
    probes::{checkup, library},
    reload::{Reload, Reloads},
    vendors::{Build, COMPATIBLE, Vendor},
    voices,
};
use crate::{
    clock::Clock,
    config::Config,
    cost::Prices,
    metrics::ProviderMeter,
    realtime::{Choices, Names, Offer, Providers, Task, protocol::settings::Defaults},
    roster::Roster,
};

/// The engines of a relay, and the threads the embedded ones share.
pub struct Engines {
    /// One for each role: the chain as a whole.
    pub providers: Providers,
    /// What knows the meaning of texts, as `providers.embed` names it; `None`: nobody does.
    pub embedder: Option<Arc<dyn EmbeddingModel>>,
    /// What clients may choose among.
    pub offer: Offer,
    /// Where embedded engines compute.
    pub pool: Arc<Pool>,
    /// Each engine by itself: what it can do, and how it is.
    pub roster: Roster,
    /// How the accounts' keys are exchanged while all this is in use.
    pub reloads: Reloads,
}

impl Engines {
    /// Loads every engine the configuration names. Fails on the first model file that is missing, naming it.
    pub async fn load(config: &Config, clock: &Clock) -> Result<Self, ProviderError> {
        let threads = if config.inference.threads == 0 { Pool::cores() } else { config.inference.threads };
        let meter = ProviderMeter::new(clock.clone()).with_prices(Arc::new(Prices::new(&config.prices)));
        let meter: Arc<dyn Observer> = Arc::new(meter);
        let loader = Loader {
            pool: Pool::new(threads, config.inference.queue),
            names: names(config),
            config: config.clone(),
            clock: clock.clone(),
            roster: Roster::new(&config.health, clock.clone(), meter),
            reloads: Mutex::default(),
        };
        let loaded = tokio::task::spawn_blocking(move || loader.all()).await;
        loaded.unwrap_or_else(|panic| Err(ProviderError::new("engines", ErrorKind::Unavailable, panic)))
    }
}

/// Everything that a chain, a route or the offer names, and what other names stand for.
pub(crate) fn names(config: &Config) -> Names {
    let named = |task| chains::named(task, &config.providers, &config.routes, &config.offered);
    Task::ALL.into_iter().fold(Names::new(config.names.clone()), |names, task| names.with(task, named(task)))
}

struct Loader {
    config: Config,
    names: Names,
    clock: Clock,
    pool: Arc<Pool>,
    roster: Roster,
    reloads: Mutex<Vec<Reload>>,
}

/// Engines of one kind, in their layers.
struct Fleet<T: ?Sized> {
    kind: Kind<T>,
    engines: BTreeMap<String, Arc<T>>,
}

impl Loader {
    fn all(self) -> Result<Engines, ProviderError> {
        let ears = self.fleet(EARS, |name| self.ear(name))?;
        let minds = self.fleet(MINDS, |name| self.mind(name))?;
        let mouths = self.fleet(MOUTHS, |name| self.mouth(name))?;
        let models = self.fleet(MODELS, |name| self.model_of(name))?;
        let models = self.each(&models);
        let first = self.config.providers.realtime.first().and_then(|name| models.get(name));
        let (names, speakers) = (self.names.clone(), self.names.clone());
        let meaning = move |task| {
            let names = names.clone();
            move |name: &str| names.engine_of(name, task).map(str::to_owned)
        };
        let providers = Providers {
            stt: self.usual(&ears, meaning(Task::Transcription), |layer| Arc::new(layer)),
            llm: self.usual(&minds, meaning(Task::Language), |layer| Arc::new(layer)),
            // Whose a voice is, its name may say.
            tts: self.usual(&mouths, move |voice| speakers.speaker(voice).map(str::to_owned), |layer| Arc::new(layer)),
            realtime: first.cloned(),
            turn: self.turn(&self.config.providers.turn)?,
        };
        let embedder = self.embedder(&self.config.providers.embed)?;
        let (ears, voices) = (self.each(&ears), self.each(&mouths));
        self.tell();
        let offer = Offer::new(Choices { names: self.names, ears, voices, models });
        let reloads = Reloads::of(self.reloads.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(Engines { providers, embedder, offer, pool: self.pool, roster: self.roster, reloads })
    }

    /// Makes every engine of a kind that anybody may reach, each once.
    fn fleet<T: ?Sized>(
        &self,
        kind: Kind<T>,
        make: impl Fn(&str) -> Result<Arc<T>, ProviderError>,
    ) -> Result<Fleet<T>, ProviderError> {
        let mut limits = BTreeMap::new();
        let engine = |name: &String| {
            let told = self.told(&kind, name, make(name)?);
            let fenced = self.fenced(&kind, name, told, &mut limits);
            let task = kind.task.name();
            let (asks, lists) = (checkup(name, task, &self.config), library(name, task, &self.config));
            self.roster.add(name, (kind.abilities)(&fenced), asks, lists);
            let (roster, role, engine) = (self.roster.clone(), kind.role, name.clone());
            self.on_reload(move |config| {
                roster.exchange(role, &engine, checkup(&engine, task, config), library(&engine, task, config));
                Ok(())
            });
            Ok((name.clone(), (kind.observed)(Observed::new(name.clone(), self.observer(), fenced))))
        };
        let engines = self.names.engines(kind.task).iter().map(engine).collect::<Result<_, ProviderError>>()?;
        Ok(Fleet { kind, engines })
    }

    /// Those of a fleet that serve where nothing is asked for, and the way to the others. `meaning` is the engine that a
    /// client's name stands for.
    fn usual<T: ?Sized>(
        &self,
        fleet: &Fleet<T>,
        meaning: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        routing: fn(Routed<T>) -> Arc<T>,
    ) -> Arc<T> {
        let task = fleet.kind.task;
        let mut routed = Routed::new(self.linked(fleet, self.config.providers.chain(task))).with_alias(meaning);
        for (name, chain) in self.each(fleet) {
            routed = routed.with_name(name, chain);
        }
        for (language, route) in &self.config.routes {
            if !route.chain(task).is_empty() {
                routed = routed.with_language(language.to_lowercase(), self.linked(fleet, route.chain(task)));
            }
        }
        routing(routed)
    }

    /// Each engine of a fleet with what stands behind it: the others of the usual chain. Who asks for an engine of this
    /// machine is sent to no other.
    fn each<T: ?Sized>(&self, fleet: &Fleet<T>) -> BTreeMap<String, Arc<T>> {
        let usual = self.config.providers.chain(fleet.kind.task);
        let chain = |name: &String| {
            let stays = |other: &&String| !name.starts_with(LOCAL) || other.starts_with(LOCAL);
            let behind = usual.iter().filter(|other| *other != name).filter(stays);
            self.linked(fleet, &std::iter::once(name).chain(behind).cloned().collect::<Vec<_>>())
        };
        fleet.engines.keys().map(|name| (name.clone(), chain(name))).collect()
    }

    fn ear(&self, name: &str) -> Result<Arc<dyn SpeechToText>, ProviderError> {
        match name {
            "scripted/stt" => Ok(Arc::new(scripted::SpeechToText::default())),
            "local/whisper-base" | "local/whisper-tiny.en" => {
                Ok(Arc::new(Whisper::load(&self.model(name)?, self.pool())?))
            }
            _ => self.foreign(&EARS, name, |vendor| vendor.stt),
        }
    }

    fn mind(&self, name: &str) -> Result<Arc<dyn LanguageModel>, ProviderError> {
        match name {
            "scripted/llm" => Ok(Arc::new(scripted::LanguageModel::default())),
            "local/agent" => {
                let clock = self.clock.clone();
                Ok(Arc::new(Agent::new(move || zoned(&clock))))
            }
            _ => self.foreign(&MINDS, name, |vendor| vendor.llm),
        }
    }

    fn mouth(&self, name: &str) -> Result<Arc<dyn TextToSpeech>, ProviderError> {
        let mouth: Arc<dyn TextToSpeech> = match name {
            "scripted/tts" => return Ok(Arc::new(scripted::TextToSpeech::new(three_seconds()))),
            "local/flite" => Arc::new(Command::flite()),
            "local/espeak" => Arc::new(Command::espeak()),
            "local/hibari" => Arc::new(Hibari::load(&self.model(name)?, self.pool())?),
            _ => self.foreign(&MOUTHS, name, |vendor| vendor.tts)?,
        };
        let model = name.split_once('/').map(|(_, model)| model);
        // An engine that is itself one of its vendor's voices speaks with that.
        if mouth.capabilities().voices.iter().any(|voice| Some(voice.as_str()) == model) {
            return Ok(mouth);
        }
        let (owner, own) = self.voices(name, Task::Speech);
        Ok(Arc::new(Voiced::<dyn TextToSpeech>::new(owner, own, mouth)))
    }

    /// Whose an engine's voices are, and what they are called there.
    fn voices(&self, name: &str, task: Task) -> (String, BTreeMap<String, String>) {
        let accounts = self.config.accounts();
        let settings = accounts.find(name, task.name()).map(|foreign| &foreign.account.settings);
        let configured = settings.and_then(|settings| settings.get("voice")?.as_str());
        let owner = name.split_once('/').map_or(name, |(owner, _)| owner);
        (owner.to_owned(), voices::own(&self.config.voices, name, configured, &Defaults::default().voice))
    }

    /// A speech-to-speech model.
    fn model_of(&self, name: &str) -> Result<Arc<dyn RealtimeModel>, ProviderError> {
        let model = self.foreign(&MODELS, name, |vendor| vendor.realtime)?;
        let (owner, own) = self.voices(name, Task::Realtime);
        Ok(Arc::new(Voiced::<dyn RealtimeModel>::new(owner, own, model)))
    }

    /// An engine that somebody else runs. Its account may be exchanged while it is in use.
    fn foreign<T: ?Sized + Send + Sync + 'static>(
        &self,
        kind: &Kind<T>,
        name: &str,
        build: fn(&Vendor) -> Option<Build<T>>,
    ) -> Result<Arc<T>, ProviderError> {
        Ok((kind.swapped)(self.swapped(kind.task.name(), name, build)?))
    }

    fn swapped<T: ?Sized + Send + Sync + 'static>(
        &self,
        task: &'static str,
        name: &str,
        build: fn(&Vendor) -> Option<Build<T>>,
    ) -> Result<Arc<Swapped<T>>, ProviderError> {
        let place = Arc::new(Swapped::new(built(&self.config, task, name, build)?));
        let (kept, engine) = (Arc::clone(&place), name.to_owned());
        self.on_reload(move |config| built(config, task, &engine, build).map(|fresh| kept.swap(fresh)));
        Ok(place)
    }

    /// What knows the meaning of texts. It is no chain, and is not retried: a question has no time for that, and whoever makes
    /// passages ready tries again by themselves.
    fn embedder(&self, name: &str) -> Result<Option<Arc<dyn EmbeddingModel>>, ProviderError> {
        let engine: Arc<dyn EmbeddingModel> = match name {
            // `auto` that nobody resolved means nothing here.
            "" | AUTO_NAME => return Ok(None),
            "scripted/embed" => Arc::new(scripted::EmbeddingModel),
            MINILM => Arc::new(MiniLm::load(&self.model(name)?, self.pool())?),
            _ => self.swapped::<dyn EmbeddingModel>("embed", name, |vendor| vendor.embed)?,
        };
        let timeouts = Timeouts { open: QUESTION, first: QUESTION, idle: PASSAGES };
        let timed: Arc<dyn EmbeddingModel> =
            Arc::new(Timed::<dyn EmbeddingModel>::new(name.to_owned(), timeouts, engine));
        let guarded = match self.config.accounts().find(name, "embed") {
            Some(Foreign { owner, .. }) => {
                self.guarded(Role::Embed, |layer| Arc::new(layer), name, owner, timed, &mut BTreeMap::new())
            }
            None => timed,
        };
        Ok(Some(Arc::new(Observed::<dyn EmbeddingModel>::new(name.to_owned(), self.observer(), guarded))))
    }

    fn turn(&self, name: &str) -> Result<Option<Arc<dyn TurnDetector>>, ProviderError> {
        match name {
            "" => Ok(None),
            _ => Ok(Some(Arc::new(SmartTurn::load(&self.model(SMART_TURN)?, self.pool())?))),
        }
    }

    /// Where an engine's model is. A file that was cut short is refused here: some engines read it without complaint and
    /// then understand nothing. What is missing altogether they tell themselves.
    fn model(&self, engine: &str) -> Result<PathBuf, ProviderError> {
        let (dir, name) = (&self.config.models.dir, model_file(engine).unwrap_or_default());
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

    /// An engine that thinks is told what stands beside a conversation; what is confidential of it if it is cleared.
    fn told<T: ?Sized>(&self, kind: &Kind<T>, name: &str, engine: Arc<T>) -> Arc<T> {
        match kind.told {
            Some(told) => told(Told::new(engine, self.config.clinical.covers(name))),
            None => engine,
        }
    }

    /// Somebody else's engine may neither keep anybody waiting, nor be asked too much, nor fail again and again.
    fn fenced<T: ?Sized>(
        &self,
        kind: &Kind<T>,
        name: &str,
        engine: Arc<T>,
        limits: &mut BTreeMap<String, Arc<Limit>>,
    ) -> Arc<T> {
        let accounts = self.config.accounts();
        let Some(Foreign { vendor, owner, account, .. }) = accounts.find(name, kind.task.name()) else { return engine };
        let own = vendor.section == COMPATIBLE.section;
        let asked = Some(account.timeout_seconds).filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let first = asked.unwrap_or(if own { SLOW } else { PATIENCE });
        let open = if own || asked.is_some() { first } else { OPEN };
        let timeouts = Timeouts { open, first, idle: PATIENCE };
        let timed = (kind.timed)(Timed::new(name.to_owned(), timeouts, engine));
        let timed = match kind.retried {
            Some(retried) => retried(Retry::new(RetrySettings::default(), timed)),
            None => timed,
        };
        self.guarded(kind.role, kind.guarded, name, owner, timed, limits)
    }

    /// Lets nobody in where a vendor's engine fails again and again, or is asked too much. The vendor's other engines of the
    /// role share its limit.
    fn guarded<T: ?Sized>(
        &self,
        role: Role,
        layer: fn(Guarded<T>) -> Arc<T>,
        name: &str,
        owner: &str,
        engine: Arc<T>,
        limits: &mut BTreeMap<String, Arc<Limit>>,
    ) -> Arc<T> {
        let breaker = Breaker::new(name.to_owned(), role, BreakerSettings::default(), self.observer());
        let forgiven = breaker.clone();
        self.on_reload(move |_| {
            forgiven.forgive();
            Ok(())
        });
        let broken = layer(Guarded::new(Arc::new(breaker), engine));
        let Some(settings) = self.config.limits.get(owner).and_then(|limits| limits.settings()) else { return broken };
        let new = || Arc::new(Limit::new(owner.to_owned(), settings, self.observer()));
        let limit = limits.entry(owner.to_owned()).or_insert_with(new);
        layer(Guarded::new(Arc::clone(limit) as _, broken))
    }

    /// What is to be done when the accounts are read again.
    fn on_reload(&self, reload: impl Fn(&Config) -> Result<(), ProviderError> + Send + Sync + 'static) {
        self.reloads.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(reload));
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(self.roster.clone())
    }

    /// Engines as one, the first preferred; every chain names at least one.
    fn linked<T: ?Sized>(&self, fleet: &Fleet<T>, chain: &[String]) -> Arc<T> {
        let mut engines: Vec<_> = chain.iter().map(|name| Arc::clone(&fleet.engines[name])).collect();
        let first = engines.remove(0);
        if engines.is_empty() {
            return first;
        }
        let fallback = Fallback::new(first, engines).witnessed(fleet.kind.role, chain.to_vec(), self.observer());
        (fleet.kind.fallback)(fallback)
    }

    /// What became of the configuration: a line a role.
    fn tell(&self) {
        let providers = &self.config.providers;
        for task in Task::ALL {
            let chain = providers.chain(task);
            if !chain.is_empty() {
                tracing::info!(chain = chain.join(" > "), "{} is served", task.name());
            }
        }
        let thinkers = [Task::Language, Task::Realtime].into_iter().flat_map(|task| self.names.engines(task));
        let uncleared: Vec<_> =
            thinkers.filter(|name| !self.config.clinical.covers(name)).map(String::as_str).collect();
        if !uncleared.is_empty() {
            tracing::info!(engines = uncleared.join(", "), "what is clinical is kept from these");
        }
        match providers.embed.as_str() {
            "" => tracing::info!("documents are searched by their words alone"),
            model => tracing::info!(model, "documents are searched by their words and their meaning"),
        }
        for (language, route) in &self.config.routes {
            for task in Task::ALL.into_iter().filter(|task| !route.chain(*task).is_empty()) {
                tracing::info!(language, chain = route.chain(task).join(" > "), "{} has a route", task.name());
            }
        }
        if !providers.missing.is_empty() {
            let missing = providers.missing.join(", ");
            tracing::warn!(missing, "embedded engines are not installed: `voice-relay models install` does that");
        }
    }
}

/// An engine that somebody else runs, as the configuration has its account.
fn built<T: ?Sized>(
    config: &Config,
    task: &str,
    name: &str,
    build: fn(&Vendor) -> Option<Build<T>>,
) -> Result<Arc<T>, ProviderError> {
    let unknown = || ProviderError::new(name.to_owned(), ErrorKind::Unavailable, "no such engine is known");
    let accounts = config.accounts();
    let Foreign { vendor, account, model, .. } = accounts.find(name, task).ok_or_else(unknown)?;
    build(vendor).ok_or_else(unknown)?(account, name.to_owned(), model)
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

/// Begins the names of engines that run here.
const LOCAL: &str = "local/";
/// How long a vendor may take: long enough for any that works, short enough to go elsewhere while somebody waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// ... to answer at all.
const OPEN: Duration = Duration::from_secs(6);
/// How long a server of one's own may take to its first token: it may have to load its model.
const SLOW: Duration = Duration::from_secs(30);
/// How long a question may take to be embedded: somebody waits for an answer, and words alone find something too.
const QUESTION: Duration = Duration::from_secs(2);
/// ... and passages, for which nobody waits.
const PASSAGES: Duration = Duration::from_secs(120);
