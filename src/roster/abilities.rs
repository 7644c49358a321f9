//! What an engine can do, as its adapter says, and the voices of accounts that have a library of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use providers::{
    ProviderError, layers::Role, llm::LlmCapabilities, realtime::RealtimeCapabilities, stt::SttCapabilities,
    tts::TtsCapabilities,
};
use tokio::sync::Mutex;

use super::{Listed, Studio};

/// What an engine can do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Abilities {
    /// It understands speech.
    Stt(SttCapabilities),
    /// It thinks.
    Llm(LlmCapabilities),
    /// It speaks.
    Tts(TtsCapabilities),
    /// It does all three.
    Realtime(RealtimeCapabilities),
}

impl Abilities {
    /// What it is used for.
    pub const fn role(&self) -> Role {
        match self {
            Self::Stt(_) => Role::Stt,
            Self::Llm(_) => Role::Llm,
            Self::Tts(_) => Role::Tts,
            Self::Realtime(_) => Role::Realtime,
        }
    }

    /// The voices it names itself, its default first.
    pub fn voices(&self) -> Vec<Named> {
        let voices = match self {
            Self::Tts(tts) => &tts.voices,
            Self::Realtime(realtime) => &realtime.voices,
            Self::Stt(_) | Self::Llm(_) => return Vec::new(),
        };
        voices.iter().map(|voice| Named { id: voice.clone(), name: None, cloned: false }).collect()
    }

    /// BCP 47 primary tags; empty means any, or that nobody knows.
    pub fn languages(&self) -> &[String] {
        match self {
            Self::Stt(stt) => &stt.languages,
            Self::Llm(_) => &[],
            Self::Tts(tts) => &tts.languages,
            Self::Realtime(realtime) => &realtime.languages,
        }
    }
}

/// A voice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// What to ask for.
    pub id: String,
    /// As people call it, where that differs.
    pub name: Option<String>,
    /// Whether it was cloned by this account, which may delete it.
    pub cloned: bool,
}

/// The voices of an account, fetched when somebody wants to know them. Cheap to clone; clones share what they fetched.
#[derive(Clone)]
pub struct Library {
    fetch: Arc<dyn Fn() -> BoxFuture<'static, Listed> + Send + Sync>,
    fetched: Arc<Mutex<Option<Fetched>>>,
    /// Rises with every change of the voices.
    edition: Arc<AtomicU64>,
    studio: Option<Arc<dyn Studio>>,
}

struct Fetched {
    at: Instant,
    /// Which edition was there when it was asked for; a later one may be in it.
    edition: u64,
    found: Result<Arc<[Named]>, ProviderError>,
}

impl Library {
    /// Fetches by this, which is bounded in time by itself.
    pub fn new(fetch: impl Fn() -> BoxFuture<'static, Listed> + Send + Sync + 'static) -> Self {
        Self { fetch: Arc::new(fetch), fetched: Arc::default(), edition: Arc::default(), studio: None }
    }

    /// Voices are cloned for it, and deleted from it, by this.
    #[must_use]
    pub fn with_studio(self, studio: Arc<dyn Studio>) -> Self {
        Self { studio: Some(studio), ..self }
    }

    pub(super) fn studio(&self) -> Option<Arc<dyn Studio>> {
        self.studio.clone()
    }

    /// The voices are others now: what was fetched before, or is being fetched, is not told any more.
    pub(super) fn forget(&self) {
        self.edition.fetch_add(1, Ordering::AcqRel);
    }

    /// The voices as they were [`FRESH`] ago at most. Who asks while they are fetched waits for the same answer.
    pub(super) async fn list(&self, now: Instant) -> Result<Arc<[Named]>, ProviderError> {
        let mut fetched = self.fetched.lock().await;
        let edition = self.edition.load(Ordering::Acquire);
        let fresh = |last: &&Fetched| {
            let age = now.saturating_duration_since(last.at);
            last.edition == edition && age < if last.found.is_ok() { FRESH } else { AGAIN }
        };
        if let Some(last) = fetched.as_ref().filter(fresh) {
            return last.found.clone();
        }
        let found = (self.fetch)().await.map(Arc::from);
        *fetched = Some(Fetched { at: now, edition, found: found.clone() });
        found
    }
}

/// A new voice may be missing for so long.
const FRESH: Duration = Duration::from_secs(600);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(30);
