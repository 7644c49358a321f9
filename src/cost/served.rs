//! Who of a chain served a request, and what that cost.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use providers::layers::{Account, Consumed, Role};

use super::{Spending, Tally};

/// An account of one request.
pub(crate) struct Served {
    tally: Arc<Tally>,
    /// Guarded for the length of an assignment.
    asked: Mutex<Asked>,
}

/// The engines that were asked, by name.
#[derive(Clone, Default)]
struct Asked {
    first: Option<String>,
    last: Option<String>,
}

impl Served {
    /// Nobody was asked yet.
    pub(crate) fn on(tally: Arc<Tally>) -> Arc<Self> {
        Arc::new(Self { tally, asked: Mutex::default() })
    }

    /// The engine that serves: of those asked in turn, the last. `None` for an engine that is not observed.
    pub(crate) fn engine(&self) -> Option<String> {
        self.asked().last.clone()
    }

    /// Whether another engine serves than the one that was asked first.
    pub(crate) fn fell_back(&self) -> bool {
        let asked = self.asked();
        asked.first != asked.last
    }

    /// What it cost, once its requests have let go; they are not waited for longer than a moment.
    pub(crate) async fn spending(&self) -> Option<Spending> {
        self.tally.settle(LETTING_GO).await;
        self.tally.spending()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account for Served {
    fn opened(&self, provider: &str) {
        self.tally.opened(provider);
        let mut asked = self.asked();
        asked.first.get_or_insert_with(|| provider.to_owned());
        asked.last = Some(provider.to_owned());
    }

    fn consumed(&self, provider: &str, role: Role, what: Consumed) {
        self.tally.consumed(provider, role, what);
    }

    fn closed(&self) {
        self.tally.closed();
    }
}

/// How long requests may take to end once their stream was dropped.
const LETTING_GO: Duration = Duration::from_secs(1);
