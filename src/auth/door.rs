//! The door: a credential in, a principal or a refusal out.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use providers::Secret;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use super::{
    Credential, Full, Grant, Principal, Reserved, Scope, Scopes, Via,
    attempts::Attempts,
    fingerprint::{self, Fingerprint},
    grants::Grants,
};
use crate::{
    clock::Clock,
    store::{
        self, Db, KeyId, StoreError, UserId,
        keys::{self, Key, NewKey},
        users::{self, User},
    },
};

/// Recognises callers and issues credentials. Cheap to clone; clones are the same door.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    owner: User,
    admin: Fingerprint,
    grants: Grants,
    attempts: Attempts,
    /// Held while a key's last use is written, so that a burst of requests makes one write.
    noting: Semaphore,
}

/// Why a caller was not let in.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// The credential is unknown, expired or revoked; which of them is not told.
    #[error("the credential is not good")]
    Wrong,
    /// This address was wrong too often.
    #[error("too many wrong credentials from this address")]
    TooMany {
        /// When it may try again.
        retry_after: Duration,
    },
    /// It cannot be known now.
    #[error("credentials cannot be checked")]
    Unavailable(#[from] StoreError),
}

/// A credential that was just made: the only time it can be seen.
#[derive(Debug)]
pub struct Issued<T> {
    /// What is kept of it.
    pub kept: T,
    /// The credential itself.
    pub secret: Secret,
}

impl Auth {
    /// Opens the door. `fixed` is the admin key the operator chose; without, the stored one is used, and if there is none
    /// one is made and given back, to be shown once.
    pub async fn open(db: Db, clock: Clock, fixed: Option<&Secret>) -> Result<(Self, Option<Secret>), StoreError> {
        let now = store::timestamp(clock.wall());
        let owner = users::owner(&db, now).await?;
        let mut made = None;
        let admin = match fixed.filter(|key| !key.expose_secret().is_empty()) {
            Some(key) => Fingerprint::of(key),
            None => match users::admin_key(&db, owner.id).await?.as_deref().and_then(Fingerprint::from_bytes) {
                Some(stored) => stored,
                None => {
                    let key = made.insert(fingerprint::mint(ADMIN));
                    let print = Fingerprint::of(key);
                    users::set_admin_key(&db, owner.id, print.as_bytes(), now).await?;
                    print
                }
            },
        };
        Ok((Self::new(db, clock, owner, admin), made))
    }

    /// The door of a command that works beside a relay, or before its first start: it knows no admin key and makes none,
    /// so that the first start still shows one.
    pub async fn beside(db: Db, clock: Clock) -> Result<Self, StoreError> {
        let owner = users::owner(&db, store::timestamp(clock.wall())).await?;
        let nobodys = Fingerprint::of(&fingerprint::mint(ADMIN));
        Ok(Self::new(db, clock, owner, nobodys))
    }

    fn new(db: Db, clock: Clock, owner: User, admin: Fingerprint) -> Self {
        let (grants, attempts) = (Grants::default(), Attempts::default());
        Self(Arc::new(Inner { db, clock, owner, admin, grants, attempts, noting: Semaphore::new(1) }))
    }

    /// The user the admin key stands for.
    pub fn owner(&self) -> &User {
        &self.0.owner
    }

    /// Who presents this credential. Every kind is looked up whatever the credential looks like, so a refusal takes the
    /// same time whatever was wrong. An address that failed too often is refused unheard, except with credentials that
    /// nobody could guess: a neighbour behind the same proxy must not lock them out.
    pub async fn authenticate(&self, credential: &Credential, from: Option<IpAddr>) -> Result<Principal, Denied> {
        let inner = &*self.0;
        let instant = inner.clock.now();
        let wait = from.and_then(|from| inner.attempts.wait(from, instant));
        if let Some(retry_after) = wait.filter(|_| !fingerprint::unguessable(&credential.0)) {
            return Err(Denied::TooMany { retry_after });
        }
        let now = self.now();
        let print = Fingerprint::of(&credential.0);
        let admin = inner.admin.matches(&print);
        let grant = inner.grants.find(&print, now);
        let key = keys::find(&inner.db, print.as_bytes(), now).await;
        if admin {
            let (user, role) = (inner.owner.id, inner.owner.role);
            return Ok(Principal { user, role, via: Via::AdminKey, scopes: Scopes::ALL });
        }
        if let Some(grant) = grant {
            // `voice-relay keys revoke` ends the key in the database, beside this process.
            if let Some(issuer) = grant.issuer
                && keys::is_revoked(&inner.db, issuer).await?
            {
                inner.grants.revoke(issuer);
                return Err(Denied::Wrong);
            }
            let scopes = Scopes::from_iter([Scope::Realtime]);
            return Ok(Principal { user: grant.user, role: grant.role, via: Via::ClientSecret(grant), scopes });
        }
        let Some((key, role)) = key? else {
            if let Some(from) = from {
                inner.attempts.fail(from, instant);
            }
            return Err(Denied::Wrong);
        };
        self.note_use(&key, now);
        Ok(Principal { user: key.user, role, via: Via::ApiKey(key.id), scopes: scopes_of(&key) })
    }

    /// Makes an API key for a user.
    pub async fn create_key(
        &self,
        user: UserId,
        name: &str,
        scopes: Scopes,
        expires_at: Option<Timestamp>,
    ) -> Result<Issued<Key>, StoreError> {
        let secret = fingerprint::mint(fingerprint::KEY);
        let hint = &secret.expose_secret()[..HINT];
        let print = Fingerprint::of(&secret);
        let new = NewKey { name, hash: print.as_bytes(), hint, scopes: &scopes.to_string(), expires_at };
        let kept = keys::create(&self.0.db, user, new, self.now()).await?;
        Ok(Issued { kept, secret })
    }

    /// A key for the page that the relay serves to its owner: live voice alone, and half a day. Those that have ended by
    /// themselves are revoked; the others may still be in use by an open tab.
    pub async fn create_page_key(&self) -> Result<Issued<Key>, StoreError> {
        let now = self.now();
        keys::retire(&self.0.db, self.owner().id, PAGE, now).await?;
        let ends = now.checked_add(PAGE_LIFE).unwrap_or(Timestamp::MAX);
        self.create_key(self.owner().id, PAGE, Scopes::from_iter([Scope::Realtime]), Some(ends)).await
    }

    /// Ends an API key and every client secret it issued. Sessions that run go on.
    pub async fn revoke_key(&self, user: UserId, key: KeyId) -> Result<(), StoreError> {
        keys::revoke(&self.0.db, user, key, self.now()).await?;
        self.0.grants.revoke(key);
        Ok(())
    }

    /// Makes a client secret on behalf of `principal`, good for `life`.
    pub fn create_client_secret(
        &self,
        principal: &Principal,
        session: Arc<str>,
        reserved: Option<Reserved>,
        life: Duration,
    ) -> Result<Issued<Timestamp>, Full> {
        let now = self.now();
        let expires_at = now.saturating_add(life).unwrap_or(now);
        let issuer = match &principal.via {
            Via::ApiKey(key) => Some(*key),
            Via::AdminKey | Via::ClientSecret(_) => None,
        };
        let grant = Grant { user: principal.user, role: principal.role, issuer, session, reserved, expires_at };
        Ok(Issued { kept: expires_at, secret: self.0.grants.issue(grant, now)? })
    }

    /// Makes a client secret on behalf of the owner, for whom the relay itself sends to its door.
    pub fn invite(&self, session: Arc<str>, life: Duration) -> Result<Issued<Timestamp>, Full> {
        let now = self.now();
        let expires_at = now.saturating_add(life).unwrap_or(now);
        let (user, role) = (self.0.owner.id, self.0.owner.role);
        let grant = Grant { user, role, issuer: None, session, reserved: None, expires_at };
        Ok(Issued { kept: expires_at, secret: self.0.grants.issue(grant, now)? })
    }

    /// Writes down that a key is in use, at most once in [`NOTED`] and never in the caller's way.
    fn note_use(&self, key: &Key, now: Timestamp) {
        let fresh = key.last_used_at.is_some_and(|last| now.duration_since(last).unsigned_abs() < NOTED);
        if fresh || self.0.noting.available_permits() == 0 {
            return;
        }
        let (auth, key) = (self.clone(), key.id);
        tokio::spawn(async move {
            let Ok(_permit) = auth.0.noting.try_acquire() else { return };
            if let Err(error) = keys::touch(&auth.0.db, key, now).await {
                tracing::debug!(key.id = %key, %error, "a key's last use was not noted");
            }
        });
    }

    fn now(&self) -> Timestamp {
        store::timestamp(self.0.clock.wall())
    }
}

/// Scopes this version does not know are left out: less is allowed rather than more.
fn scopes_of(key: &Key) -> Scopes {
    key.scopes.split(' ').filter_map(|name| name.parse().ok()).collect()
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

/// How the made admin key begins.
const ADMIN: &str = "vr_admin_";

/// What the page's keys are called.
const PAGE: &str = "page";

/// A day's work, not a day and a night: a link may lie about in a terminal.
const PAGE_LIFE: Duration = Duration::from_secs(12 * 3600);

/// Characters of a key that are kept readable: the prefix and four of 43, enough to tell keys apart.
const HINT: usize = 7;

/// The grain of a key's last use.
const NOTED: Duration = Duration::from_secs(60);
