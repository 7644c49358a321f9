//! A provider that keeps failing is left alone for a while, so that nobody waits for it.
//!
//! Closed, it counts failures in a row; open, it refuses at once; after a rest one request is let through as a probe,
//! whose result closes it, or opens it for twice as long. The pattern is M. Nygard's, "Release It!", chapter 5.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};

use super::{
    guarded::{Guard, Pass},
    observed::{Observation, Observer, Role},
};
use crate::{ErrorKind, ProviderError};

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BreakerSettings {
    /// Failures in a row that open it, 1 at least.
    pub failures: u32,
    /// The first rest; each failed probe doubles it.
    pub rest: Duration,
    /// The longest rest, and that of a provider which refuses the key.
    pub longest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 3, rest: Duration::from_secs(5), longest: Duration::from_secs(120) }
    }
}

/// One provider's breaker. Cheap to clone.
#[derive(Clone)]
pub struct Breaker(Arc<Shared>);

struct Shared {
    name: Cow<'static, str>,
    role: Role,
    settings: BreakerSettings,
    observer: Arc<dyn Observer>,
    state: Mutex<State>,
}

/// What a breaker is in; instants count as the observer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Requests pass; so many have failed in a row.
    Closed { failures: u32 },
    /// Requests are refused until then.
    Open { until: Duration, rest: Duration, kind: ErrorKind },
    /// One request probes; the others are refused.
    Probing { rest: Duration, kind: ErrorKind },
}

impl Breaker {
    /// A closed breaker of the provider configured under this name; it tells `observer` when it opens and closes.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        role: Role,
        settings: BreakerSettings,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let state = Mutex::new(State::Closed { failures: 0 });
        Self(Arc::new(Shared { name: name.into(), role, settings, observer, state }))
    }

    /// Whether requests are refused at this moment, and as what the provider last failed.
    pub fn resting(&self) -> Option<ErrorKind> {
        match self.0.state() {
            State::Closed { .. } => None,
            State::Open { kind, .. } | State::Probing { kind, .. } => Some(kind),
        }
    }

    /// What failed before no longer counts: the account was exchanged.
    pub fn forgive(&self) {
        self.0.worked();
    }
}

impl Guard for Breaker {
    fn enter(&self) -> BoxFuture<'_, Result<Box<dyn Pass>, ProviderError>> {
        async move { Ok(Box::new(self.0.admit()?.into_pass(self.0.clone())) as Box<dyn Pass>) }.boxed()
    }
}

/// As what a request was let in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admitted {
    Ordinary,
    Probe,
}

impl Admitted {
    fn into_pass(self, breaker: Arc<Shared>) -> Admission {
        Admission { breaker, probe: self == Self::Probe }
    }
}

impl Shared {
    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self) -> Result<Admitted, ProviderError> {
        let now = self.observer.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (wait, kind) = match *state {
            State::Closed { .. } => return Ok(Admitted::Ordinary),
            State::Open { until, rest, kind } if until <= now => {
                *state = State::Probing { rest, kind };
                return Ok(Admitted::Probe);
            }
            State::Open { until, kind, .. } => (until - now, kind),
            State::Probing { rest, kind } => (rest, kind),
        };
        let detail = format!("left alone for {} ms after failures", wait.as_millis());
        Err(ProviderError { provider: self.name.clone(), kind, retry_after: Some(wait), detail })
    }

    /// The provider answered, if only to refuse the request itself.
    fn worked(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was = std::mem::replace(&mut *state, State::Closed { failures: 0 });
        drop(state);
        if !matches!(was, State::Closed { .. }) {
            self.observer.observe(&self.name, self.role, Observation::Closed);
        }
    }

    fn failed(&self, error: &ProviderError) {
        if error.kind == ErrorKind::Rejected {
            return self.worked();
        }
        let now = self.observer.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = match *state {
            State::Closed { failures } => {
                let decisive = matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::RateLimited);
                if failures + 1 < self.settings.failures && !decisive {
                    *state = State::Closed { failures: failures + 1 };
                    return;
                }
                self.settings.rest
            }
            State::Probing { rest, .. } => (rest * 2).min(self.settings.longest),
            // A straggler from before it opened.
            State::Open { .. } => return,
        };
        let asked = if error.kind == ErrorKind::Unauthorized { Some(self.settings.longest) } else { error.retry_after };
        let until = now + asked.unwrap_or(rest).min(self.settings.longest);
        *state = State::Open { until, rest, kind: error.kind };
        drop(state);
        self.observer.observe(&self.name, self.role, Observation::Opened { kind: error.kind });
    }

    /// A probe ended without a verdict: the next request probes.
    fn undecided(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Probing { rest, kind } = *state {
            *state = State::Open { until: self.observer.now(), rest, kind };
        }
    }
}

/// A request that is under way.
struct Admission {
    breaker: Arc<Shared>,
    /// It still owes its verdict as a probe.
    probe: bool,
}

impl Pass for Admission {
    fn worked(&mut self) {
        self.probe = false;
        self.breaker.worked();
    }

    fn failed(&mut self, error: &ProviderError) {
        self.probe = false;
        self.breaker.failed(error);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.undecided();
        }
    }
}
