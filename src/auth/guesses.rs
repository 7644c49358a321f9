//! How often the password of a link may be wrong, whoever guesses.
//!
//! One guess is looked at at a time, so that none slips by while others are looked at, and the limit is exact. Each wrong one
//! fills the link's bucket.

use std::time::Duration;

use providers::Secret;
use tokio::{sync::Mutex, time::timeout};

use super::{
    limits::LINK,
    password::{Busy, Passwords},
};
use crate::{buckets::Buckets, clock::Clock, store::ShareId};

/// The wrong guesses at all links.
pub struct Guesses(Mutex<Buckets<ShareId>>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Mutex::new(Buckets::new(LINK)))
    }
}

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
        let links = timeout(QUEUE, self.0.lock()).await.map_err(|_| Busy)?;
        let now = clock.now();
        if let Some(retry_after) = links.wait(link, now) {
            return Ok(Guess::TooMany { retry_after });
        }
        if passwords.verify(password, Some(kept)).await? {
            return Ok(Guess::Right);
        }
        links.add(link, now);
        Ok(Guess::Wrong)
    }
}

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
        assert_eq!(many[24], Ok(Guess::TooMany { retry_after: LINK.drain }));
        assert!(matches!(guess(link, "right").await, Ok(Guess::TooMany { .. })), "not even looked at");
        assert_eq!(guess(ShareId::new(Timestamp::UNIX_EPOCH), "right").await, Ok(Guess::Right), "another link");
        clock.advance(LINK.drain);
        assert_eq!(guess(link, "right").await, Ok(Guess::Right));
        assert_eq!(guess(link, "wrong").await, Ok(Guess::Wrong));
        assert!(matches!(guess(link, "wrong").await, Ok(Guess::TooMany { .. })));
    }
}
