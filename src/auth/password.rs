//! Passwords: which are good enough, and Argon2id (RFC 9106) of them.
//!
//! A hash takes 19 MiB and some 25 ms of a core, on purpose. So they are made off the runtime's threads, as many at once as
//! there are cores for it, with a queue that ends: a flood of logins slows down logins, not conversations.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use providers::Secret;
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zxcvbn::{Score, feedback::Feedback, zxcvbn};

use super::fingerprint::random;

/// Where passwords are worked on.
pub struct Passwords {
    /// One permit a hash that is being made.
    working: Arc<Semaphore>,
    /// One permit a request that waits for its turn, or has it.
    queue: Arc<Semaphore>,
}

/// As many wait as may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

/// Why a password will not do, in a sentence or two for the person who chose it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Weak(pub(super) String);

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let working = Semaphore::new(cores.clamp(1, WORKERS));
        Self { working: Arc::new(working), queue: Arc::new(Semaphore::new(QUEUE)) }
    }
}

impl Passwords {
    /// Whether `password` is good enough for somebody who is also known by `about`; its hash if so.
    pub(super) async fn admit(&self, password: &Secret, about: Vec<String>) -> Result<Result<Secret, Weak>, Busy> {
        let password = password.clone();
        self.work(move || judge(password.expose_secret(), &about).map(|()| hash(&password))).await
    }

    /// What is kept of a password that somebody chose for others, good or not.
    ///
    /// # Errors
    /// [`Busy`] if as many wait as may.
    pub async fn keep(&self, password: &Secret) -> Result<Secret, Busy> {
        let password = password.clone();
        self.work(move || hash(&password)).await
    }

    /// Whether this is the password that was hashed. Without a hash it is not, and takes as long to say so.
    pub(super) async fn verify(&self, password: &Secret, hashed: Option<&Secret>) -> Result<bool, Busy> {
        let password = password.clone();
        let hashed = hashed.cloned();
        self.work(move || {
            let text = hashed.as_ref().map_or(NOBODYS, |hashed| hashed.expose_secret());
            let same = Argon2::default().verify_password(password.expose_secret().as_bytes(), text).is_ok();
            same && hashed.is_some()
        })
        .await
    }

    /// Does it when it is its turn. The place is given up when it is done, not when its client leaves.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let waiting = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| Busy)?;
        let working = Arc::clone(&self.working).acquire_owned().await.map_err(|_| Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let _held: [OwnedSemaphorePermit; 2] = [waiting, working];
            work()
        });
        // It panicked, or the process ends: neither is an answer about the password.
        done.await.map_err(|_| Busy)
    }
}

/// Says what is wrong with a password that was just chosen.
fn judge(password: &str, about: &[String]) -> Result<(), Weak> {
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(Weak(format!("A password has {SHORTEST} to {LONGEST} characters.")));
    }
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    let entropy = zxcvbn(password, &about);
    if entropy.score() >= Score::Three {
        return Ok(());
    }
    let advice = entropy.feedback().map(advice).unwrap_or_default();
    Err(Weak(format!("This password is too easy to guess. {advice}").trim_end().to_owned()))
}

fn advice(feedback: &Feedback) -> String {
    let warning = feedback.warning().map(|warning| warning.to_string());
    let suggestions = feedback.suggestions().iter().map(ToString::to_string);
    warning.into_iter().chain(suggestions).collect::<Vec<_>>().join(" ")
}

fn hash(password: &Secret) -> Secret {
    let hashed: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.expose_secret().as_bytes(), &random::<SALT>())
        .expect("the default parameters are good ones");
    hashed.to_string().into()
}

/// NIST SP 800-63B asks for 8 at least and 64 at least at most; the contract for more.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;

/// Bytes of salt: what RFC 9106 recommends.
const SALT: usize = 16;

/// Hashes at once: 76 MiB, and cores left for who is speaking.
const WORKERS: usize = 4;

/// Logins that wait or are worked on; the last waits about a second and a half on one core.
const QUEUE: usize = 64;

/// A hash of the same cost that nobody's password has: its 32 bytes were drawn by lot.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$5kgli8nxQQoIEVEDOigVoA$gEw4dFZrgKv7Eg7LoQxd8ZNLDEV9p0QGwRve/raTxUI";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::default();
        let chosen = Secret::from("correct-horse-battery-staple-9".to_owned());
        let first = passwords.admit(&chosen, Vec::new()).await.unwrap().unwrap();
        let second = passwords.admit(&chosen, Vec::new()).await.unwrap().unwrap();
        assert!(first.expose_secret().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(first.expose_secret(), second.expose_secret(), "each has a salt of its own");
        assert_eq!(passwords.verify(&chosen, Some(&first)).await, Ok(true));
        let other = Secret::from("correct-horse-battery-staple-8".to_owned());
        assert_eq!(passwords.verify(&other, Some(&first)).await, Ok(false));
        assert_eq!(passwords.verify(&chosen, None).await, Ok(false));
    }

    #[test]
    fn nobodys_hash_costs_what_everybodys_does() {
        let nobodys = PasswordHash::new(NOBODYS).unwrap();
        let ours: PasswordHash = hash(&Secret::from("x".to_owned())).expose_secret().parse().unwrap();
        assert_eq!((nobodys.algorithm, nobodys.version), (ours.algorithm, ours.version));
        assert_eq!(nobodys.params, ours.params);
        let lengths = |hash: &PasswordHash| (hash.salt.map(|salt| salt.len()), hash.hash.map(|hash| hash.len()));
        assert_eq!(lengths(&nobodys), lengths(&ours));
    }

    #[test]
    fn what_is_easy_to_guess_is_refused_with_a_reason() {
        let about = ["ann.droid@example.org".to_owned(), "Ann Droid".to_owned()];
        for weak in ["", "short", "passwordpassword", "aaaaaaaaaaaaaaaa", "qwertyuiop12", "ann.droid@example.org"] {
            let Weak(reason) = judge(weak, &about).unwrap_err();
            assert!(reason.ends_with('.'), "{weak}: {reason}");
        }
        assert_eq!(judge("wheel-fjord-candle-52", &about), Ok(()));
        assert_eq!(judge("Öl für neun Grübchen", &about), Ok(()));
        assert!(judge(&"wheel-fjord-candle".repeat(15), &about).is_err(), "longer than 256");
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_and_not_queued_without_end() {
        let passwords = Passwords::default();
        let places = Arc::clone(&passwords.queue).try_acquire_many_owned(QUEUE as u32).unwrap();
        let chosen = Secret::from("x".to_owned());
        assert_eq!(passwords.verify(&chosen, None).await, Err(Busy));
        drop(places);
        assert_eq!(passwords.verify(&chosen, None).await, Ok(false));
    }
}
