//! What an engine can do, as its adapter says, and the voices of accounts that have a library of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use providers::{
    ProviderError, layers::Role, llm::LlmCapabilities, realtime::RealtimeCapabilities, stt::SttCapabilities,
    tts::TtsCapabilities,
};
use tokio::sync::Mutex;

use super::Listed;

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
        voices.iter().map(|voice| Named { id: voice.clone(), name: None }).collect()
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
}

/// The voices of an account, fetched when somebody wants to know them. Cheap to clone; clones share what they fetched.
#[derive(Clone)]
pub struct Library {
    fetch: Arc<dyn Fn() -> BoxFuture<'static, Listed> + Send + Sync>,
    fetched: Arc<Mutex<Option<Fetched>>>,
}

/// When, and what.
type Fetched = (Instant, Result<Arc<[Named]>, ProviderError>);

impl Library {
    /// Fetches by this, which is bounded in time by itself.
    pub fn new(fetch: impl Fn() -> BoxFuture<'static, Listed> + Send + Sync + 'static) -> Self {
        Self { fetch: Arc::new(fetch), fetched: Arc::default() }
    }

    /// The voices as they were [`FRESH`] ago at most. Who asks while they are fetched waits for the same answer.
    pub(super) async fn list(&self, now: Instant) -> Result<Arc<[Named]>, ProviderError> {
        let mut fetched = self.fetched.lock().await;
        let fresh = |(at, found): &Fetched| {
            let age = now.saturating_duration_since(*at);
            age < if found.is_ok() { FRESH } else { AGAIN }
        };
        if let Some((_, found)) = fetched.as_ref().filter(|found| fresh(found)) {
            return found.clone();
        }
        let found = (self.fetch)().await.map(Arc::from);
        *fetched = Some((now, found.clone()));
        found
    }
}

/// A new voice may be missing for so long.
const FRESH: Duration = Duration::from_secs(600);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(30);
