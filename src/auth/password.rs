//! Passwords that people choose, kept as argon2id makes of them: slowly, in memory that guessing machines lack.
//!
//! One hash takes 20 ms of a core and 19 MiB, so few are made at once, on threads of their own: live voice goes on beside.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD as BASE64};
use providers::Secret;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::fingerprint;

/// Too many passwords are being looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many passwords are being looked at")]
pub struct Busy;

/// What is kept of a password: a PHC string, which names algorithm, cost and salt.
///
/// # Errors
///
/// [`Busy`] if no thread was to be had for a while.
pub async fn hash(password: Secret) -> Result<String, Busy> {
    at_desk(move || {
        let (cost, salt) = (Cost::USUAL, fingerprint::random::<SALT>());
        let print = cost.print(&password, &salt, HASH).expect("the usual cost is one");
        cost.written(&salt, &print)
    })
    .await
}

/// Whether a password is the one of which `kept` is kept. Text that [`hash`] did not make is no password's.
///
/// # Errors
///
/// [`Busy`] if no thread was to be had for a while.
pub async fn verify(password: Secret, kept: String) -> Result<bool, Busy> {
    at_desk(move || {
        let Some((cost, salt, print)) = read(&kept) else {
            tracing::error!("what is kept of a password cannot be read");
            return false;
        };
        cost.print(&password, &salt, print.len()).is_some_and(|made| made.ct_eq(&print).into())
    })
    .await
}

/// Does slow work on a thread of its own, when there is a place.
async fn at_desk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
    let Ok(Ok(desk)) = timeout(QUEUE, DESKS.acquire()).await else { return Err(Busy) };
    let done = spawn_blocking(move || {
        let _desk = desk;
        work()
    });
    done.await.map_err(|_| Busy)
}

/// What argon2id takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cost {
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// The least that OWASP's Password Storage Cheat Sheet has for argon2id.
    const USUAL: Self = Self { memory: 19 << 10, passes: 2, lanes: 1 };

    /// `None` of a cost that cannot be.
    fn print(self, password: &Secret, salt: &[u8], length: usize) -> Option<Vec<u8>> {
        let params = Params::new(self.memory, self.passes, self.lanes, Some(length)).ok()?;
        let mut print = vec![0; length];
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon.hash_password_into(password.expose_secret().as_bytes(), salt, &mut print).ok()?;
        Some(print)
    }

    /// The PHC string (https://github.com/P-H-C/phc-string-format).
    fn written(self, salt: &[u8], print: &[u8]) -> String {
        let Self { memory, passes, lanes } = self;
        let (salt, print) = (BASE64.encode(salt), BASE64.encode(print));
        format!("{HEAD}m={memory},t={passes},p={lanes}${salt}${print}")
    }
}

fn read(kept: &str) -> Option<(Cost, Vec<u8>, Vec<u8>)> {
    let mut parts = kept.strip_prefix(HEAD)?.split('$');
    let (cost, salt, print) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers = cost.split(',').zip(["m=", "t=", "p="]).map(|(text, name)| text.strip_prefix(name)?.parse().ok());
    let cost = Cost { memory: numbers.next()??, passes: numbers.next()??, lanes: numbers.next()?? };
    Some((cost, BASE64.decode(salt).ok()?, BASE64.decode(print).ok()?))
}

const HEAD: &str = "$argon2id$v=19$";

/// Bytes of salt and of hash, as RFC 9106 (section 4) recommends them.
const SALT: usize = 16;
const HASH: usize = 32;

/// Hashes at once: live voice needs the other cores.
static DESKS: Semaphore = Semaphore::const_new(2);
/// How long a password waits for its turn.
const QUEUE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let kept = hash("correct horse".into()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !kept.contains("horse"), "{kept}");
        assert_eq!(verify("correct horse".into(), kept.clone()).await, Ok(true));
        assert_eq!(verify("correct horsE".into(), kept.clone()).await, Ok(false));
        assert_ne!(hash("correct horse".into()).await.unwrap(), kept, "each has a salt of its own");
    }

    #[tokio::test]
    async fn hashes_of_other_implementations_are_read() {
        // The reference implementation's command: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 24 -e
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert_eq!(verify("password".into(), kept.into()).await, Ok(true));
    }

    #[tokio::test]
    async fn text_that_is_no_hash_is_no_passwords() {
        for kept in ["", "password", "$argon2id$v=19$m=0,t=0,p=0$AAAA$AAAA", "$argon2id$v=19$m=19456,t=2,p=1$?$?"] {
            assert_eq!(verify("password".into(), kept.into()).await, Ok(false), "{kept}");
        }
    }
}
