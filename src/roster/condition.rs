//! How one engine is, from what is seen of it: real requests, its breaker, and probes. Pure.

use std::time::{Duration, Instant, SystemTime};

use providers::{layers::Observation, probe::Ailment};

/// What is known of an engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Condition {
    pub(super) state: State,
    /// When that was seen last, for people; `None` before anything was seen.
    pub(super) checked: Option<SystemTime>,
    /// How long the last answer took.
    pub(super) latency: Option<Duration>,
    /// When it last answered somebody in earnest.
    served: Option<Instant>,
}

/// How an engine is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Nothing was seen of it yet.
    Unknown,
    /// It answers.
    Healthy,
    /// Its breaker leaves it alone.
    Resting {
        /// Since when.
        since: Instant,
        /// As what it failed.
        reason: Ailment,
    },
    /// Its probe fails.
    Failing(Ailment),
}

/// The time, in both its forms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) wall: SystemTime,
}

impl Condition {
    pub(super) const fn unknown() -> Self {
        Self { state: State::Unknown, checked: None, latency: None, served: None }
    }

    /// Whether it may be counted on. What was never asked is given the benefit of the doubt.
    pub(super) const fn works(&self) -> bool {
        matches!(self.state, State::Unknown | State::Healthy)
    }

    /// What ails it.
    pub(super) const fn reason(&self) -> Option<Ailment> {
        match self.state {
            State::Unknown | State::Healthy => None,
            State::Resting { reason, .. } | State::Failing(reason) => Some(reason),
        }
    }

    /// Whether somebody was served so lately that a probe would tell nothing new.
    pub(super) fn served_within(&self, now: Instant, span: Duration) -> bool {
        let lately = self.served.is_some_and(|at| now.saturating_duration_since(at) < span);
        self.state == State::Healthy && lately
    }

    /// A real request did something. That one fails tells little; its breaker decides when it is too much.
    pub(super) fn observe(&mut self, event: Observation, at: Moment) {
        match event {
            Observation::First { after } => self.serves(at, Some(after)),
            Observation::Finished { .. } | Observation::Closed => self.serves(at, None),
            Observation::Opened { kind } => {
                self.state = State::Resting { since: at.now, reason: kind.into() };
                self.checked = Some(at.wall);
            }
            Observation::Requested | Observation::Failed { .. } | Observation::Cancelled { .. } => {}
        }
    }

    /// A probe was answered after so long, or not.
    pub(super) fn probed(&mut self, found: Result<Duration, Ailment>, at: Moment) {
        self.checked = Some(at.wall);
        self.state = match (self.state, found) {
            // That the key is good does not mean that the engine works; its breaker knows better, while it may be closed.
            (State::Resting { since, .. }, Ok(_)) if at.now.saturating_duration_since(since) < RESTED => return,
            (State::Resting { since, .. }, Err(reason)) => State::Resting { since, reason },
            (State::Unknown | State::Healthy | State::Failing(_), Err(reason)) => State::Failing(reason),
            (_, Ok(latency)) => {
                self.latency = Some(latency);
                State::Healthy
            }
        };
    }

    fn serves(&mut self, at: Moment, latency: Option<Duration>) {
        self.state = State::Healthy;
        self.checked = Some(at.wall);
        self.served = Some(at.now);
        self.latency = latency.or(self.latency);
    }
}

/// Longer than any breaker's rest: who is left alone for longer simply was not asked since.
const RESTED: Duration = Duration::from_secs(121);

#[cfg(test)]
mod tests {
    use providers::ErrorKind;

    use super::*;
    use crate::clock::Clock;

    fn at(seconds: u64) -> Moment {
        let now = Clock::manual(SystemTime::UNIX_EPOCH).now();
        Moment { now: now + Duration::from_secs(seconds), wall: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    #[test]
    fn a_probe_tells_what_ails_it_and_an_answer_heals() {
        let mut condition = Condition::unknown();
        assert!(condition.works() && condition.checked.is_none());
        condition.probed(Err(Ailment::KeyRefused), at(1));
        assert_eq!((condition.works(), condition.reason()), (false, Some(Ailment::KeyRefused)));
        condition.observe(Observation::First { after: Duration::from_millis(80) }, at(2));
        assert_eq!((condition.works(), condition.reason()), (true, None));
        assert_eq!(condition.latency, Some(Duration::from_millis(80)));
    }

    #[test]
    fn one_failed_request_is_no_illness_but_a_breaker_that_opens_is() {
        let start = at(0);
        let mut condition = Condition::unknown();
        condition.probed(Ok(Duration::ZERO), start);
        condition.observe(Observation::Failed { after: Duration::ZERO, kind: ErrorKind::Timeout }, start);
        assert!(condition.works());
        condition.observe(Observation::Opened { kind: ErrorKind::RateLimited }, start);
        assert_eq!((condition.works(), condition.reason()), (false, Some(Ailment::RateLimited)));
        condition.observe(Observation::Closed, start);
        assert!(condition.works());
    }

    #[test]
    fn a_good_probe_does_not_overrule_the_breaker_until_its_longest_rest_is_over() {
        let start = at(0);
        let later = |seconds| Moment { now: start.now + Duration::from_secs(seconds), ..start };
        let mut condition = Condition::unknown();
        condition.observe(Observation::Opened { kind: ErrorKind::Unavailable }, start);
        condition.probed(Ok(Duration::ZERO), later(60));
        assert!(!condition.works());
        condition.probed(Err(Ailment::Timeout), later(90));
        assert_eq!(condition.reason(), Some(Ailment::Timeout));
        condition.probed(Ok(Duration::ZERO), later(121));
        assert!(condition.works());
    }

    #[test]
    fn who_serves_is_not_asked_how_they_are() {
        let start = at(0);
        let mut condition = Condition::unknown();
        condition.probed(Ok(Duration::ZERO), start);
        assert!(!condition.served_within(start.now, Duration::from_secs(60)), "a probe is nobody served");
        condition.observe(Observation::Finished { after: Duration::ZERO }, start);
        assert!(condition.served_within(start.now + Duration::from_secs(59), Duration::from_secs(60)));
        assert!(!condition.served_within(start.now + Duration::from_secs(60), Duration::from_secs(60)));
    }
}
