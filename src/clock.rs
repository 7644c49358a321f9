//! The only file that reads the time.
//!
//! Everything else is handed a [`Clock`], so that a test can decide what time it is. Instants order things within the
//! process; wall time is for people, tokens and the store.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// A source of time. Cheap to clone; clones agree.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    /// The machine's own, through tokio, so that a paused runtime stands still.
    System,
    /// Stands still until told.
    Manual(watch::Sender<Moment>),
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    instant: Instant,
    wall: SystemTime,
}

impl Clock {
    /// The machine's clock. Inside a paused tokio runtime it is that runtime's.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `wall` until [`advance`](Self::advance).
    pub fn manual(wall: SystemTime) -> Self {
        let instant = Self::system().now();
        Self(Source::Manual(watch::Sender::new(Moment { instant, wall })))
    }

    /// Now, for measuring.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => tokio::time::Instant::now().into_std(),
            Source::Manual(moment) => moment.borrow().instant,
        }
    }

    /// Now, for people.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Source::System => SystemTime::now(),
            Source::Manual(moment) => moment.borrow().wall,
        }
    }

    /// Now, in whole seconds since 1970, as wire formats count.
    pub fn unix(&self) -> u64 {
        self.wall().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Moves a manual clock on; the machine's clock moves by itself.
    pub fn advance(&self, span: Duration) {
        if let Source::Manual(moment) = &self.0 {
            moment.send_modify(|moment| {
                moment.instant += span;
                moment.wall += span;
            });
        }
    }

    /// Waits until `deadline`; at once if it has passed.
    pub async fn until(self, deadline: Instant) {
        match &self.0 {
            Source::System => tokio::time::sleep_until(deadline.into()).await,
            Source::Manual(moment) => {
                // The sender lives in `self`, so the wait cannot fail.
                let _ = moment.subscribe().wait_for(|moment| moment.instant >= deadline).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_only_when_advanced_far_enough() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let deadline = clock.now() + Duration::from_secs(2);
        let sleeper = clock.clone().until(deadline);
        tokio::pin!(sleeper);

        clock.advance(Duration::from_secs(1));
        assert!(futures_util::poll!(&mut sleeper).is_pending());
        clock.advance(Duration::from_secs(1));
        sleeper.await;
        assert_eq!(clock.unix(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_is_the_runtimes() {
        let clock = Clock::system();
        let start = clock.now();
        clock.clone().until(start + Duration::from_secs(60)).await;
        assert!(clock.now() - start >= Duration::from_secs(60));
    }
}
