//! The door: a credential in, a principal or a refusal out.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use providers::Secret;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use super::{
    Credential, Grant, Issuer, Principal, Scope, Scopes, Via,
    fingerprint::{self, Fingerprint},
    grants::Grants,
    keyring::Keyring,
    limits::{ACCOUNT, CREDENTIALS, LOGINS, REGISTRATIONS},
    password::Passwords,
    token::{self, Pair},
};
use crate::{
    buckets::{Address, Buckets},
    clock::Clock,
    store::{
        self, Db, StoreError,
        keys::{self, Key},
        logins, signing,
        users::{self, Role, User},
    },
};

/// Recognises callers and issues credentials. Cheap to clone; clones are the same door.
#[derive(Clone)]
pub struct Auth(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) owner: User,
    admin: Fingerprint,
    pub(super) grants: Grants,
    keyring: Keyring,
    pub(super) passwords: Passwords,
    /// Wrong credentials, by address.
    attempts: Buckets<Address>,
    /// Wrong passwords, by address.
    pub(super) logins: Buckets<Address>,
    /// Wrong passwords, by account.
    pub(super) passwords_of: Buckets<Fingerprint>,
    /// Accounts made, by address.
    pub(super) registrations: Buckets<Address>,
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

impl Auth {
    /// Opens the door. `fixed` is the admin key the operator chose; without, the stored one is used, and if there is none
    /// one is made and given back, to be shown once.
    pub async fn open(db: Db, clock: Clock, fixed: Option<&Secret>) -> Result<(Self, Option<Secret>), StoreError> {
        let now = store::timestamp(clock.wall());
        let owner = users::owner(&db, now).await?;
        signing::first(&db, Pair::make().as_new(), now).await?;
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
        Self(Arc::new(Inner {
            db,
            clock,
            owner,
            admin,
            grants: Grants::default(),
            keyring: Keyring::default(),
            passwords: Passwords::default(),
            attempts: Buckets::new(CREDENTIALS),
            logins: Buckets::new(LOGINS),
            passwords_of: Buckets::new(ACCOUNT),
            registrations: Buckets::new(REGISTRATIONS),
            noting: Semaphore::new(1),
        }))
    }

    /// Where passwords are worked on, those of links too.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// The user the admin key stands for.
    pub fn owner(&self) -> &User {
        &self.0.owner
    }

    /// Who presents this credential. What is none is looked up as every kind of key and client secret, whatever it looks like, so a
    /// refusal takes the same time whatever was wrong. An address that failed too often is refused unheard, except with
    /// credentials that nobody could guess: a neighbour behind the same proxy must not lock them out.
    pub async fn authenticate(&self, credential: &Credential, from: Option<IpAddr>) -> Result<Principal, Denied> {
        let (inner, credential) = (&*self.0, &credential.0);
        let (from, instant) = (from.map(Address::from), inner.clock.now());
        let wait = from.and_then(|from| inner.attempts.wait(from, instant));
        let signed = token::is_one(credential);
        if let Some(retry_after) = wait.filter(|_| !signed && !fingerprint::unguessable(credential)) {
            return Err(Denied::TooMany { retry_after });
        }
        let found = if signed { self.person(credential).await? } else { self.holder(credential).await? };
        found.ok_or_else(|| {
            if let Some(from) = from {
                inner.attempts.add(from, instant);
            }
            Denied::Wrong
        })
    }

    /// Who holds this key or client secret.
    async fn holder(&self, credential: &Secret) -> Result<Option<Principal>, StoreError> {
        let (inner, now) = (&*self.0, self.now());
        let print = Fingerprint::of(credential);
        if inner.admin.matches(&print) {
            let (user, role) = (inner.owner.id, inner.owner.role);
            return Ok(Some(Principal { user, role, via: Via::AdminKey, scopes: Scopes::ALL }));
        }
        if let Some(grant) = inner.grants.find(&print, now) {
            return self.granted(grant).await;
        }
        let Some((key, role)) = keys::find(&inner.db, print.as_bytes(), now).await? else { return Ok(None) };
        self.note_use(&key, now);
        let scopes = scopes_of(&key).within(Scopes::of(role));
        Ok(Some(Principal { user: key.user, role, via: Via::ApiKey(key.id), scopes }))
    }

    /// Who a client secret stands for, while what issued it holds. That may have ended in the database, beside this process.
    async fn granted(&self, grant: Arc<Grant>) -> Result<Option<Principal>, StoreError> {
        let inner = &*self.0;
        let (user, issuer) = (grant.user, grant.issuer);
        let role = if user == inner.owner.id && issuer.is_none() {
            // Nothing can end the owner, and calls come in while the database is away.
            Some(inner.owner.role)
        } else {
            users::standing(&inner.db, user, issuer.and_then(Issuer::key), issuer.and_then(Issuer::login)).await?
        };
        let Some(role) = role else {
            inner.grants.revoke(|other| other.user == user && other.issuer == issuer);
            return Ok(None);
        };
        let scopes = Scopes::from_iter([Scope::Realtime]);
        Ok(Some(Principal { user, role, via: Via::ClientSecret(grant), scopes }))
    }

    /// What role somebody who was recognised has now; `None` once that by which they were recognised has ended. Access tokens and
    /// client secrets end with what issued them: the time that they may be shown for says nothing of who was let in with one.
    pub async fn standing(&self, principal: &Principal) -> Result<Option<Role>, StoreError> {
        let (inner, user) = (&*self.0, principal.user);
        match &principal.via {
            Via::AdminKey => Ok(Some(inner.owner.role)),
            Via::ApiKey(key) => keys::standing(&inner.db, user, *key, self.now()).await,
            Via::AccessToken(login) => users::standing(&inner.db, user, None, Some(*login)).await,
            Via::ClientSecret(grant) => {
                let issuer = grant.issuer;
                users::standing(&inner.db, user, issuer.and_then(Issuer::key), issuer.and_then(Issuer::login)).await
            }
        }
    }

    /// Who an access token was made for, while its login lasts.
    async fn person(&self, token: &Secret) -> Result<Option<Principal>, StoreError> {
        let inner = &*self.0;
        let Some(key) = token::key_of(token) else { return Ok(None) };
        let Some(public) = inner.keyring.public(&inner.db, key).await? else { return Ok(None) };
        let Some(claims) = token::read(token, &public, self.now()) else { return Ok(None) };
        let role = logins::standing(&inner.db, claims.sub, claims.sid, key).await?;
        Ok(role.map(|role| Principal {
            user: claims.sub,
            role,
            via: Via::AccessToken(claims.sid),
            scopes: Scopes::of(role),
        }))
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

    pub(super) fn now(&self) -> Timestamp {
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

/// The grain of a key's last use.
const NOTED: Duration = Duration::from_secs(60);
