//! The engines in use: what each can do, and how it is.
//!
//! How it is comes from real requests, of which the roster is an observer, and from probes on a schedule; whoever asks is told
//! what was found last, so a flood of questions costs nothing. A vendor is asked once for all its engines.

mod abilities;
mod condition;
mod studio;
mod sweep;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use futures_util::future::BoxFuture;
use providers::{
    ErrorKind, ProviderError,
    layers::{Consumed, Observation, Observer, Role},
    probe::Ailment,
};
use serde::{Deserialize, Serialize};

pub use abilities::{Abilities, Library, Named};
use condition::{Condition, Moment, State};
pub use studio::Studio;

use crate::clock::Clock;

/// `[health]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Between two probes of each vendor, about; 0 = only when somebody asks, and once a minute at most.
    pub interval_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { interval_seconds: 60 }
    }
}

impl Config {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        if self.interval_seconds == 0 || (5..=86_400).contains(&self.interval_seconds) {
            return Vec::new();
        }
        vec![("interval_seconds", "must be 0, or between 5 and 86400".into())]
    }
}

/// Asks a vendor how it is. Bounded in time by itself.
pub type Ask = Arc<dyn Fn() -> BoxFuture<'static, Result<(), Ailment>> + Send + Sync>;

/// How to find out how an engine is.
#[derive(Clone)]
pub enum Checkup {
    /// It is part of this process: it was loaded, or the relay would not run.
    Embedded,
    /// Somebody is asked, once for all engines of this account.
    Asked {
        /// Whose account.
        account: String,
        /// How.
        ask: Ask,
    },
}

/// The engines in use. Cheap to clone; clones are the same roster.
#[derive(Clone)]
pub struct Roster(Arc<Shared>);

struct Shared {
    clock: Clock,
    interval: Duration,
    next: Arc<dyn Observer>,
    /// Guarded for the length of a map operation; looked at a few times a request, never for sound.
    engines: Mutex<BTreeMap<(Role, String), Engine>>,
    swept: tokio::sync::Mutex<Option<Instant>>,
}

struct Engine {
    /// Its place in its role's chain.
    place: usize,
    abilities: Abilities,
    library: Option<Library>,
    checkup: Checkup,
    condition: Condition,
}

/// What is told of one engine.
#[derive(Clone, Debug)]
pub struct Report {
    /// As configured.
    pub name: String,
    /// What for.
    pub role: Role,
    /// Whether its role's chain begins with it.
    pub preferred: bool,
    /// What it can do.
    pub abilities: Abilities,
    /// `unknown`, `healthy`, `resting`, `failing`.
    pub state: &'static str,
    /// Whether it may be counted on.
    pub works: bool,
    /// What ails it.
    pub reason: Option<Ailment>,
    /// When that was seen.
    pub checked: Option<SystemTime>,
    /// How long the last answer took.
    pub latency: Option<Duration>,
}

impl Roster {
    /// A roster of nobody. What it observes it passes on to `next`.
    pub fn new(config: &Config, clock: Clock, next: Arc<dyn Observer>) -> Self {
        let interval = Duration::from_secs(config.interval_seconds);
        let (engines, swept) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Shared { clock, interval, next, engines, swept }))
    }

    /// An engine is in use; of a role, the preferred one first.
    pub fn add(&self, name: &str, abilities: Abilities, checkup: Checkup, library: Option<Library>) {
        let role = abilities.role();
        let mut engines = self.0.engines();
        let place = engines.keys().filter(|(known, _)| *known == role).count();
        let condition = Condition::unknown();
        let engine = Engine { place, abilities, library, checkup, condition };
        engines.entry((role, name.to_owned())).or_insert(engine);
    }

    /// An engine is looked after otherwise from here on: its account was exchanged.
    pub fn exchange(&self, role: Role, name: &str, checkup: Checkup, library: Option<Library>) {
        if let Some(engine) = self.0.engines().get_mut(&(role, name.to_owned())) {
            (engine.checkup, engine.library) = (checkup, library);
            engine.condition = Condition::unknown();
        }
    }

    /// All engines as they were found last, by role and in the order of their chains.
    pub fn reports(&self) -> Vec<Report> {
        let engines = self.0.engines();
        let mut reports: Vec<_> =
            engines.iter().map(|((role, name), engine)| (engine.place, report(*role, name, engine))).collect();
        reports.sort_by_key(|(place, report)| (report.role, *place));
        reports.into_iter().map(|(_, report)| report).collect()
    }

    /// Whether an engine may be counted on. Of one that is not in use nothing is known.
    pub fn works(&self, role: Role, name: &str) -> bool {
        self.0.engines().get(&(role, name.to_owned())).is_none_or(|engine| engine.condition.works())
    }

    /// The voices of an engine: those of its account where it has a library, else those it names itself. A library that
    /// does not answer is told in the log.
    pub async fn voices(&self, name: &str) -> Vec<Named> {
        let (own, library) = match self.0.engines().get(&(Role::Tts, name.to_owned())) {
            Some(engine) => (engine.abilities.voices(), engine.library.clone()),
            None => return Vec::new(),
        };
        let Some(library) = library else { return own };
        match library.list(self.0.clock.now()).await {
            Ok(voices) if !voices.is_empty() => voices.to_vec(),
            Ok(_) => own,
            Err(error) => {
                tracing::warn!(%error, "a voice library does not answer");
                own
            }
        }
    }

    /// Where voices can be cloned, and whose account it is; `None` where no engine in use speaks with such voices.
    pub fn studio(&self) -> Option<(String, Arc<dyn Studio>)> {
        let engines = self.0.engines();
        let found = |((_, name), engine): (&(Role, String), &Engine)| {
            let studio = engine.library.as_ref()?.studio()?;
            Some((name.split('/').next().unwrap_or(name).to_owned(), studio))
        };
        engines.iter().find_map(found)
    }

    /// Accounts have other voices now: whoever asks next is told of them.
    pub fn forget_voices(&self) {
        for library in self.0.engines().values().filter_map(|engine| engine.library.as_ref()) {
            library.forget();
        }
    }
}

impl Observer for Roster {
    fn now(&self) -> Duration {
        self.0.next.now()
    }

    fn observe(&self, provider: &str, role: Role, event: Observation) {
        let at = self.0.moment();
        // Most events change nothing, and the key takes an allocation.
        if !matches!(event, Observation::Requested | Observation::Failed { .. } | Observation::Cancelled { .. })
            && let Some(engine) = self.0.engines().get_mut(&(role, provider.to_owned()))
        {
            engine.condition.observe(event, at);
        }
        self.0.next.observe(provider, role, event);
    }

    fn connected(&self, provider: &str, role: Role, after: Duration) {
        self.0.next.connected(provider, role, after);
    }

    fn consumed(&self, provider: &str, role: Role, what: Consumed) {
        self.0.next.consumed(provider, role, what);
    }

    fn took_over(&self, role: Role, from: &str, to: &str, kind: ErrorKind) {
        self.0.next.took_over(role, from, to, kind);
    }
}

impl Shared {
    fn engines(&self) -> MutexGuard<'_, BTreeMap<(Role, String), Engine>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), wall: self.clock.wall() }
    }
}

fn report(role: Role, name: &str, engine: &Engine) -> Report {
    let condition = engine.condition;
    let state = match condition.state {
        State::Unknown => "unknown",
        State::Healthy => "healthy",
        State::Resting { .. } => "resting",
        State::Failing(_) => "failing",
    };
    Report {
        name: name.to_owned(),
        role,
        preferred: engine.place == 0,
        abilities: engine.abilities.clone(),
        state,
        works: condition.works(),
        reason: condition.reason(),
        checked: condition.checked,
        latency: condition.latency,
    }
}

impl Default for Roster {
    /// Nobody, observed by nobody: for tests, and for relays without engines.
    fn default() -> Self {
        Self::new(&Config::default(), Clock::system(), Arc::new(Nobody))
    }
}

/// Observes nothing.
struct Nobody;

impl Observer for Nobody {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn observe(&self, _: &str, _: Role, _: Observation) {}
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.engines().keys()).finish()
    }
}

/// A library's answer.
type Listed = Result<Vec<Named>, ProviderError>;
