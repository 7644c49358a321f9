//! Client secrets: short-lived credentials for one session configuration, held in memory and gone with the process.
//!
//! Bounded in number and in bytes; the expired are swept whenever one is issued. When full, the issuer is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use providers::Secret;
use uuid::Uuid;

use super::fingerprint::{self, Fingerprint};
use crate::store::{KeyId, LoginId, SessionId, UserId};

/// What a client secret grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// On whose behalf.
    pub user: UserId,
    /// What issued it, and it ends with that; `None` is the admin key or the relay itself.
    pub issuer: Option<Issuer>,
    /// What its live session is known by: it is good for one at a time.
    pub ticket: Uuid,
    /// The session configuration to start from, as checked JSON text.
    pub session: Arc<str>,
    /// The voice session it is for, if that was told beforehand.
    pub reserved: Option<Reserved>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A voice session that was promised before its client connects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reserved {
    /// What the session of its first connection is called.
    pub voice: Uuid,
    /// The conversation with which every connection goes on.
    pub conversation: SessionId,
}

/// What issued a client secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Issuer {
    /// An API key.
    Key(KeyId),
    /// A person's login.
    Login(LoginId),
}

impl Issuer {
    /// The key, if it is one.
    pub(super) const fn key(self) -> Option<KeyId> {
        match self {
            Self::Key(key) => Some(key),
            Self::Login(_) => None,
        }
    }

    /// The login, if it is one.
    pub(super) const fn login(self) -> Option<LoginId> {
        match self {
            Self::Key(_) => None,
            Self::Login(login) => Some(login),
        }
    }
}

/// There are as many client secrets as there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too many client secrets are live; let some expire first")]
pub struct Full;

/// The client secrets that are live.
#[derive(Default)]
pub(super) struct Grants(Mutex<Live>);

#[derive(Default)]
struct Live {
    grants: BTreeMap<Fingerprint, Arc<Grant>>,
    expiries: BTreeSet<(Timestamp, Fingerprint)>,
    bytes: usize,
}

impl Grants {
    pub(super) fn issue(&self, grant: Grant, now: Timestamp) -> Result<Secret, Full> {
        let mut live = self.lock();
        live.sweep(now);
        if live.grants.len() >= MOST || live.bytes + grant.session.len() > MOST_BYTES {
            return Err(Full);
        }
        let secret = fingerprint::mint(fingerprint::SECRET);
        let print = Fingerprint::of(&secret);
        live.bytes += grant.session.len();
        live.expiries.insert((grant.expires_at, print));
        live.grants.insert(print, Arc::new(grant));
        Ok(secret)
    }

    pub(super) fn find(&self, print: &Fingerprint, now: Timestamp) -> Option<Arc<Grant>> {
        self.lock().grants.get(print).filter(|grant| grant.expires_at > now).cloned()
    }

    /// Ends every secret that `ended` says of.
    pub(super) fn revoke(&self, ended: impl Fn(&Grant) -> bool) {
        let mut live = self.lock();
        let ended: Vec<_> = live
            .grants
            .iter()
            .filter(|(_, grant)| ended(grant))
            .map(|(print, grant)| (grant.expires_at, *print))
            .collect();
        for (at, print) in ended {
            live.expiries.remove(&(at, print));
            live.forget(&print);
        }
    }

    /// An operation that panicked cannot have left more than a wrong byte count.
    fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn sweep(&mut self, now: Timestamp) {
        while let Some((at, print)) = self.expiries.first().copied().filter(|(at, _)| *at <= now) {
            self.expiries.remove(&(at, print));
            self.forget(&print);
        }
    }

    fn forget(&mut self, print: &Fingerprint) {
        if let Some(grant) = self.grants.remove(print) {
            self.bytes -= grant.session.len();
        }
    }
}

/// One a page view for two hours at more than one a second.
const MOST: usize = 10_000;

/// Session configurations may be long (tools); together they may not be.
const MOST_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(session: &str, seconds: i64) -> Grant {
        Grant {
            user: UserId::new(Timestamp::UNIX_EPOCH),
            issuer: None,
            ticket: Uuid::nil(),
            session: session.into(),
            reserved: None,
            expires_at: at(seconds),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_secret_is_good_until_it_expires_and_then_swept() {
        let grants = Grants::default();
        let secret = grants.issue(grant("{}", 10), at(0)).unwrap();
        let print = Fingerprint::of(&secret);
        assert_eq!(grants.find(&print, at(9)).unwrap().expires_at, at(10));
        assert_eq!(grants.find(&print, at(10)), None);
        grants.issue(grant("{}", 20), at(11)).unwrap();
        let live = grants.lock();
        assert_eq!((live.grants.len(), live.expiries.len(), live.bytes), (1, 1, 2));
    }

    #[test]
    fn their_number_and_their_bytes_are_bounded() {
        let grants = Grants::default();
        for _ in 0..MOST {
            grants.issue(grant("", 10), at(0)).unwrap();
        }
        assert_eq!(grants.issue(grant("", 10), at(0)).unwrap_err(), Full);
        assert!(grants.issue(grant("", 20), at(10)).is_ok(), "room again once they expired");
        let grants = Grants::default();
        let long = "x".repeat(MOST_BYTES);
        grants.issue(grant(&long, 10), at(0)).unwrap();
        assert_eq!(grants.issue(grant("y", 10), at(0)).unwrap_err(), Full);
    }

    #[test]
    fn a_revoked_key_takes_its_secrets_with_it() {
        let grants = Grants::default();
        let key = KeyId::new(at(0));
        let own = grants.issue(Grant { issuer: Some(Issuer::Key(key)), ..grant("{}", 10) }, at(0)).unwrap();
        let other = grants.issue(grant("{}", 10), at(0)).unwrap();
        grants.revoke(|grant| grant.issuer == Some(Issuer::Key(key)));
        assert_eq!(grants.find(&Fingerprint::of(&own), at(1)), None);
        assert!(grants.find(&Fingerprint::of(&other), at(1)).is_some());
    }
}
