//! How often the password of a link may be wrong, whoever guesses.
//!
//! One guess is looked at at a time, so that none slips by while others are looked at, and the limit is exact. Each wrong one
//! fills the link's bucket, which drains with time. The number of links remembered is bounded; when it is full, the one with
//! the least against it is forgotten.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use providers::Secret;
use tokio::{sync::Mutex, time::timeout};

use super::password::{Busy, Passwords};
use crate::{clock::Clock, store::ShareId};

/// The wrong guesses at all links.
#[derive(Default)]
pub struct Guesses(Mutex<BTreeMap<ShareId, Bucket>>);

/// What a guess came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guess {
    /// It is the password.
    Right,
    /// It is not.
    Wrong,
    /// It was not looked at: there were too many wrong ones.
    TooMany {
        /// When the next one may be made.
        retry_after: Duration,
    },
}

#[derive(Clone, Copy)]
struct Bucket {
    wrong: f64,
    at: Instant,
}

impl Bucket {
    /// How many wrong guesses still count.
    fn level(&self, now: Instant) -> f64 {
        (self.wrong - now.saturating_duration_since(self.at).as_secs_f64() / DRAIN.as_secs_f64()).max(0.0)
    }
}

impl Guesses {
    /// Looks at a password for a link of which `kept` is kept.
    ///
    /// # Errors
    ///
    /// [`Busy`] if others were looked at for too long.
    pub async fn guess(
        &self,
        link: ShareId,
        password: &Secret,
        kept: &Secret,
        passwords: &Passwords,
        clock: &Clock,
    ) -> Result<Guess, Busy> {
        let mut links = timeout(QUEUE, self.0.lock()).await.map_err(|_| Busy)?;
        let now = clock.now();
        let level = links.get(&link).map_or(0.0, |bucket| bucket.level(now));
        // Draining is counted in fractions, which are never quite whole.
        if level > BURST - 1.0 + 1e-6 {
            return Ok(Guess::TooMany { retry_after: DRAIN.mul_f64(level - BURST + 1.0) });
        }
        if passwords.verify(password, Some(kept)).await? {
            return Ok(Guess::Right);
        }
        if links.len() >= LINKS && !links.contains_key(&link) {
            let least = links.iter().min_by(|(_, a), (_, b)| a.level(now).total_cmp(&b.level(now)));
            least.map(|(link, _)| *link).map(|link| links.remove(&link));
        }
        links.insert(link, Bucket { wrong: level + 1.0, at: now });
        Ok(Guess::Wrong)
    }
}

/// Wrong guesses in a row before a link has to wait: more than a person mistypes.
const BURST: f64 = 10.0;

/// How long one wrong guess counts: some three thousand a day.
const DRAIN: Duration = Duration::from_secs(30);

/// Links remembered; some 400 KiB.
const LINKS: usize = 4096;

/// How long a guess waits for its turn.
const QUEUE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use jiff::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_link_waits_after_ten_wrong_guesses_however_many_come_at_once() {
        let (guesses, clock) = (Guesses::default(), Clock::manual(SystemTime::UNIX_EPOCH));
        let link = ShareId::new(Timestamp::UNIX_EPOCH);
        let passwords = Passwords::default();
        let kept = passwords.keep(&"right".into()).await.unwrap();
        let guess = async |link, word: &str| guesses.guess(link, &word.into(), &kept, &passwords, &clock).await;
        let many = futures_util::future::join_all((0..25).map(|_| guess(link, "wrong"))).await;
        assert_eq!(many.iter().filter(|guess| **guess == Ok(Guess::Wrong)).count(), 10);
        assert_eq!(many[24], Ok(Guess::TooMany { retry_after: DRAIN }));
        assert!(matches!(guess(link, "right").await, Ok(Guess::TooMany { .. })), "not even looked at");
        assert_eq!(guess(ShareId::new(Timestamp::UNIX_EPOCH), "right").await, Ok(Guess::Right), "another link");
        clock.advance(DRAIN);
        assert_eq!(guess(link, "right").await, Ok(Guess::Right));
        assert_eq!(guess(link, "wrong").await, Ok(Guess::Wrong));
        assert!(matches!(guess(link, "wrong").await, Ok(Guess::TooMany { .. })));
    }
}
