//! When the driver has to act although nothing happens, and why.

use std::time::{Duration, Instant};

use futures_util::{FutureExt, future::BoxFuture};

use crate::{clock::Clock, realtime::engine::Config};

/// How long speech-to-text may take no audio at all before its turn is failed. Meanwhile the microphone waits.
const DEAF: Duration = Duration::from_secs(10);

/// The session's deadlines beside those it names itself.
#[derive(Debug)]
pub(super) struct Deadlines {
    expiry: Instant,
    /// How long the client may give no sign of life.
    patience: Duration,
    /// When the client last gave a sign of life.
    alive: Instant,
    /// Since when an ear is full, if one is.
    full: Option<Instant>,
    grace: Duration,
    /// When the drain cuts replies that still run, once it has begun.
    cut: Option<Instant>,
}

/// What a deadline was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    /// The session's own; also nothing, which is harmless.
    Tick,
    /// The session lasted as long as it may.
    Expiry,
    /// The client gave no sign of life, not even to pings.
    Vanished,
    /// Shutdown waits no longer.
    Drained,
    /// Speech-to-text took no audio.
    Deaf,
}

impl Deadlines {
    pub(super) fn new(now: Instant, config: &Config) -> Self {
        Self {
            expiry: now + config.longest_session(),
            patience: config.vanished(),
            alive: now,
            full: None,
            grace: config.drain_grace(),
            cut: None,
        }
    }

    /// The earliest of all deadlines, the session's own among them.
    pub(super) fn next<W>(&mut self, session: Option<(Instant, W)>, now: Instant, full: bool) -> Instant {
        self.full = if full { self.full.or(Some(now)) } else { None };
        let own = [Some(self.expiry), Some(self.vanished()), self.deaf(), self.cut];
        own.into_iter().flatten().chain(session.map(|(at, _)| at)).min().unwrap_or(self.expiry)
    }

    /// Which deadline has come.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        if now >= self.expiry {
            Due::Expiry
        } else if self.cut.is_some_and(|at| now >= at) {
            Due::Drained
        } else if self.deaf().is_some_and(|at| now >= at) {
            self.full = None;
            Due::Deaf
        } else if now >= self.vanished() {
            Due::Vanished
        } else {
            Due::Tick
        }
    }

    /// The client gave a sign of life.
    pub(super) const fn alive(&mut self, now: Instant) {
        self.alive = now;
    }

    /// Shutdown has begun: replies that run may still end.
    pub(super) fn drain(&mut self, now: Instant) {
        self.cut = Some(now + self.grace);
    }

    pub(super) const fn is_draining(&self) -> bool {
        self.cut.is_some()
    }

    fn vanished(&self) -> Instant {
        self.alive + self.patience
    }

    fn deaf(&self) -> Option<Instant> {
        Some(self.full? + DEAF)
    }
}

/// One timer for all deadlines. They move later with every message, which is no reason to touch it: it rings early at
/// worst, which is harmless.
pub(super) struct Alarm {
    clock: Clock,
    ring: BoxFuture<'static, ()>,
    at: Instant,
}

impl Alarm {
    pub(super) fn new(clock: Clock, at: Instant) -> Self {
        Self { ring: clock.clone().until(at).boxed(), clock, at }
    }

    /// Rings at `at` or earlier.
    pub(super) fn set(&mut self, at: Instant, now: Instant) {
        if at < self.at || self.at <= now {
            *self = Self::new(self.clock.clone(), at);
        }
    }

    pub(super) fn ring(&mut self) -> impl Future<Output = ()> {
        &mut self.ring
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlines() -> (Deadlines, Instant) {
        let now = Clock::system().now();
        (Deadlines::new(now, &Config::default()), now)
    }

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_client_without_a_sign_of_life_has_vanished_and_one_with_has_not() {
        let (mut deadlines, now) = deadlines();
        assert_eq!(deadlines.next::<()>(None, now, false), now + secs(45));
        assert_eq!(deadlines.due(now + secs(45)), Due::Vanished);
        deadlines.alive(now + secs(44));
        assert_eq!(deadlines.due(now + secs(45)), Due::Tick);
    }

    #[test]
    fn the_sessions_own_deadline_comes_first_if_it_is_first() {
        let (mut deadlines, now) = deadlines();
        assert_eq!(deadlines.next(Some((now + secs(1), ())), now, false), now + secs(1));
        assert_eq!(deadlines.due(now + secs(1)), Due::Tick);
    }

    #[test]
    fn an_ear_that_gets_room_now_and_then_is_not_deaf() {
        let (mut deadlines, now) = deadlines();
        deadlines.next::<()>(None, now, true);
        deadlines.next::<()>(None, now + secs(9), false);
        assert_eq!(deadlines.next::<()>(None, now + secs(9), true), now + secs(19));
        assert_eq!(deadlines.due(now + secs(19)), Due::Deaf);
    }

    #[tokio::test(start_paused = true)]
    async fn the_alarm_rings_in_time_whichever_way_its_deadline_moves() {
        let clock = Clock::system();
        let start = clock.now();
        let mut alarm = Alarm::new(clock.clone(), start + secs(10));
        alarm.set(start + secs(20), start);
        alarm.set(start + secs(5), start);
        alarm.ring().await;
        assert_eq!(clock.now() - start, secs(5));
        alarm.set(start + secs(20), clock.now());
        alarm.ring().await;
        assert_eq!(clock.now() - start, secs(20));
    }

    #[test]
    fn a_session_ends_when_it_is_as_old_as_it_may_be() {
        let (mut deadlines, now) = deadlines();
        deadlines.alive(now + secs(3_590));
        assert_eq!(deadlines.due(now + secs(3_600)), Due::Expiry);
    }
}
