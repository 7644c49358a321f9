//! Probes: who is asked, when, and what comes of it.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use providers::{layers::Role, probe::Ailment};
use uuid::Uuid;

use super::{Ask, Checkup, Roster};

impl Roster {
    /// Asks everybody now and then, for as long as it is polled. Returns at once where there is no schedule.
    pub async fn watch(self) {
        let interval = self.0.interval;
        while !interval.is_zero() {
            self.sweep(interval / 2).await;
            let next = self.0.clock.now() + jittered(interval);
            self.0.clock.clone().until(next).await;
        }
    }

    /// Sees to it that what is told is not too old: where there is no schedule, or it has come to a halt.
    pub async fn refresh(&self) {
        let interval = self.0.interval;
        self.sweep(if interval.is_zero() { UNSCHEDULED } else { interval * 2 }).await;
    }

    /// Asks everybody once, unless that was done `lately`. Who comes while somebody asks waits for the same answers.
    async fn sweep(&self, lately: Duration) {
        let mut swept = self.0.swept.lock().await;
        let began = self.0.clock.now();
        if swept.is_some_and(|at| began.saturating_duration_since(at) < lately) {
            return;
        }
        let asked = self.due(lately).into_values().map(|(ask, engines)| async move {
            let since = self.0.clock.now();
            let found = ask().await.map(|()| self.0.clock.now().saturating_duration_since(since));
            self.note(&engines, found);
        });
        join_all(asked).await;
        *swept = Some(began);
    }

    /// Whom to ask, by account, and whose state that tells. Embedded engines need not be asked.
    fn due(&self, lately: Duration) -> BTreeMap<String, (Ask, Vec<(Role, String)>)> {
        let at = self.0.moment();
        let mut due: BTreeMap<String, (Ask, Vec<_>)> = BTreeMap::new();
        for (key, engine) in self.0.engines().iter_mut() {
            match &engine.checkup {
                Checkup::Embedded => engine.condition.probed(Ok(Duration::ZERO), at),
                Checkup::Asked { .. } if engine.condition.served_within(at.now, lately) => {}
                Checkup::Asked { account, ask } => {
                    due.entry(account.clone()).or_insert_with(|| (ask.clone(), Vec::new())).1.push(key.clone());
                }
            }
        }
        due
    }

    fn note(&self, engines: &[(Role, String)], found: Result<Duration, Ailment>) {
        let at = self.0.moment();
        let mut known = self.0.engines();
        for key in engines {
            let Some(engine) = known.get_mut(key) else { continue };
            let before = engine.condition.works();
            engine.condition.probed(found, at);
            if let (true, Err(reason)) = (before, found) {
                tracing::warn!(provider = key.1, %reason, "a provider's probe fails");
            }
        }
    }
}

/// A tenth more or less, so that many relays do not ask in step.
fn jittered(interval: Duration) -> Duration {
    // The end of a version 7 UUID is random.
    let random = Uuid::now_v7().into_bytes()[15];
    interval.mul_f64(0.9 + 0.2 * f64::from(random) / 255.0)
}

/// How old a finding may be where there is no schedule.
const UNSCHEDULED: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::SystemTime,
    };

    use futures_util::FutureExt;
    use providers::{
        ErrorKind,
        layers::{Observation, Observer},
        stt::SttCapabilities,
        tts::TtsCapabilities,
    };

    use super::{
        super::{Abilities, Config, Nobody},
        *,
    };
    use crate::clock::Clock;

    /// An account that is as ill as told, and counts how often it is asked.
    fn account(found: Result<(), Ailment>) -> (Checkup, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let ask: Ask = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::ready(found).boxed()
        });
        (Checkup::Asked { account: "deepgram".into(), ask }, asked)
    }

    fn roster(interval_seconds: u64, clock: &Clock) -> Roster {
        Roster::new(&Config { interval_seconds }, clock.clone(), Arc::new(Nobody))
    }

    fn ear() -> Abilities {
        Abilities::Stt(SttCapabilities::default())
    }

    fn states(roster: &Roster) -> Vec<(String, &'static str, Option<Ailment>)> {
        roster.reports().into_iter().map(|report| (report.name, report.state, report.reason)).collect()
    }

    #[tokio::test]
    async fn a_vendor_is_asked_once_for_all_its_engines_and_embedded_ones_are_well() {
        let (clock, (checkup, asked)) = (Clock::manual(SystemTime::UNIX_EPOCH), account(Err(Ailment::KeyRefused)));
        let roster = roster(60, &clock);
        roster.add("deepgram/nova-3", ear(), checkup.clone(), None);
        roster.add("local/whisper-base", ear(), Checkup::Embedded, None);
        roster.add("deepgram/aura-2-thalia-en", Abilities::Tts(TtsCapabilities::default()), checkup, None);
        assert!(states(&roster).iter().all(|(_, state, _)| *state == "unknown"));
        join_all((0..20).map(|_| roster.refresh())).await;
        assert_eq!(asked.load(Ordering::Relaxed), 1, "a flood of questions is one probe");
        let refused = Some(Ailment::KeyRefused);
        let expected = [
            ("deepgram/nova-3".to_owned(), "failing", refused),
            ("local/whisper-base".to_owned(), "healthy", None),
            ("deepgram/aura-2-thalia-en".to_owned(), "failing", refused),
        ];
        assert_eq!(states(&roster), expected);
        assert!(!roster.works(Role::Stt, "deepgram/nova-3") && roster.works(Role::Stt, "local/whisper-base"));
    }

    #[tokio::test]
    async fn probes_keep_to_their_schedule_and_leave_alone_who_serves() {
        let (clock, (checkup, asked)) = (Clock::manual(SystemTime::UNIX_EPOCH), account(Ok(())));
        let roster = roster(60, &clock);
        roster.add("deepgram/nova-3", ear(), checkup, None);
        let watching = tokio::spawn(roster.clone().watch());
        let step = async |seconds| {
            clock.advance(Duration::from_secs(seconds));
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            asked.load(Ordering::Relaxed)
        };
        assert_eq!(step(0).await, 1);
        assert_eq!(step(50).await, 1);
        assert_eq!(step(20).await, 2);
        roster.observe("deepgram/nova-3", Role::Stt, Observation::First { after: Duration::from_millis(90) });
        roster.observe("deepgram/nova-3", Role::Stt, Observation::Finished { after: Duration::from_millis(90) });
        clock.advance(Duration::from_secs(40));
        roster.observe("deepgram/nova-3", Role::Stt, Observation::Finished { after: Duration::from_millis(90) });
        assert_eq!(step(27).await, 2, "it has just answered somebody");
        assert_eq!(step(70).await, 3);
        watching.abort();
    }

    #[tokio::test]
    async fn without_a_schedule_nobody_is_asked_but_by_a_question() {
        let (clock, (checkup, asked)) = (Clock::manual(SystemTime::UNIX_EPOCH), account(Ok(())));
        let roster = roster(0, &clock);
        roster.add("deepgram/nova-3", ear(), checkup, None);
        roster.clone().watch().await;
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        roster.refresh().await;
        clock.advance(Duration::from_secs(59));
        roster.refresh().await;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        clock.advance(Duration::from_secs(1));
        roster.refresh().await;
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_breaker_that_opens_is_told_at_once() {
        let (clock, (checkup, _)) = (Clock::manual(SystemTime::UNIX_EPOCH), account(Ok(())));
        let roster = roster(60, &clock);
        roster.add("deepgram/nova-3", ear(), checkup, None);
        roster.observe("deepgram/nova-3", Role::Stt, Observation::Opened { kind: ErrorKind::RateLimited });
        assert_eq!(states(&roster), [("deepgram/nova-3".to_owned(), "resting", Some(Ailment::RateLimited))]);
        roster.observe("somebody/else", Role::Stt, Observation::Closed);
        roster.observe("deepgram/nova-3", Role::Stt, Observation::Closed);
        assert_eq!(states(&roster), [("deepgram/nova-3".to_owned(), "healthy", None)]);
    }
}
