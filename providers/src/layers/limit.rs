//! No more requests to a provider than it, or its bill, can bear.
//!
//! So many at the same time and so many a minute; beyond that requests wait in turn, a bounded number of them, and no
//! longer than people do. Overflow rule: one more than may wait is refused at once with [`ErrorKind::RateLimited`].

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::{
    guarded::{Guard, Pass},
    observed::Observer,
};
use crate::{ErrorKind, ProviderError};

/// The bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitSettings {
    /// Requests at the same time.
    pub concurrent: usize,
    /// Requests begun in any minute.
    pub per_minute: usize,
    /// Requests that may wait.
    pub waiting: usize,
    /// How long one may wait.
    pub patience: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { concurrent: 64, per_minute: 6_000, waiting: 64, patience: Duration::from_secs(2) }
    }
}

/// The door of one provider.
pub struct Limit {
    name: Cow<'static, str>,
    settings: LimitSettings,
    observer: Arc<dyn Observer>,
    /// First come, first served.
    places: Arc<Semaphore>,
    queue: Semaphore,
    /// When the newest requests began, oldest first.
    begun: Mutex<VecDeque<Duration>>,
}

impl Limit {
    /// Bounds the provider configured under this name; time is the observer's.
    pub fn new(name: impl Into<Cow<'static, str>>, settings: LimitSettings, observer: Arc<dyn Observer>) -> Self {
        Self {
            name: name.into(),
            settings,
            observer,
            places: Arc::new(Semaphore::new(settings.concurrent)),
            queue: Semaphore::new(settings.waiting),
            begun: Mutex::default(),
        }
    }

    /// Waits for a place, then for the minute to have room.
    async fn wait(&self) -> Result<OwnedSemaphorePermit, ProviderError> {
        let closed = |_| self.refused("the provider is shut down");
        let place = self.places.clone().acquire_owned().await.map_err(closed)?;
        while let Err(room) = self.begin() {
            sleep(room).await;
        }
        Ok(place)
    }

    /// Counts a request in, or tells how long until there is room.
    fn begin(&self) -> Result<(), Duration> {
        let now = self.observer.now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while begun.front().is_some_and(|first| now.saturating_sub(*first) >= MINUTE) {
            begun.pop_front();
        }
        if let Some(first) = begun.front().filter(|_| begun.len() >= self.settings.per_minute) {
            return Err((*first + MINUTE).saturating_sub(now).max(Duration::from_millis(1)));
        }
        begun.push_back(now);
        Ok(())
    }

    fn refused(&self, why: &str) -> ProviderError {
        ProviderError::new(self.name.clone(), ErrorKind::RateLimited, why)
    }
}

impl Guard for Limit {
    fn enter(&self) -> BoxFuture<'_, Result<Box<dyn Pass>, ProviderError>> {
        async move {
            let at_once = self.places.clone().try_acquire_owned().ok().filter(|_| self.begin().is_ok());
            if let Some(place) = at_once {
                return Ok(Box::new(Place(place)) as Box<dyn Pass>);
            }
            let Ok(_waiting) = self.queue.try_acquire() else {
                return Err(self.refused("too many requests wait for it"));
            };
            let waited = timeout(self.settings.patience, self.wait()).await;
            let place = waited.map_err(|_| self.refused("no request of ours ended in time"))??;
            Ok(Box::new(Place(place)) as Box<dyn Pass>)
        }
        .boxed()
    }
}

/// A place taken, given back when dropped.
struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Pass for Place {}

const MINUTE: Duration = Duration::from_secs(60);
