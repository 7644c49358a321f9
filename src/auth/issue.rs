//! Credentials made: API keys and client secrets, for whoever may have them, and ended again.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use providers::Secret;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    Auth, Full, Grant, Issuer, Principal, Reserved, Scope, Scopes, Via,
    fingerprint::{self, Fingerprint},
};
use crate::store::{
    KeyId, StoreError, UserId,
    keys::{self, Key, NewKey},
};

/// A credential that was just made: the only time it can be seen.
#[derive(Debug)]
pub struct Issued<T> {
    /// What is kept of it.
    pub kept: T,
    /// The credential itself.
    pub secret: Secret,
}

impl Auth {
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

    /// A key for the page that the relay serves to its owner: live voice, conversations and documents, and half a day. Those
    /// that have ended by themselves are revoked; the others may still be in use by an open tab.
    pub async fn create_page_key(&self) -> Result<Issued<Key>, StoreError> {
        let now = self.now();
        keys::retire(&self.0.db, self.owner().id, PAGE, now).await?;
        let ends = now.checked_add(PAGE_LIFE).unwrap_or(Timestamp::MAX);
        self.create_key(self.owner().id, PAGE, Scopes::from_iter([Scope::Realtime, Scope::Sessions]), Some(ends)).await
    }

    /// Ends an API key and every client secret it issued. Sessions that run go on.
    pub async fn revoke_key(&self, user: UserId, key: KeyId) -> Result<(), StoreError> {
        keys::revoke(&self.0.db, user, key, self.now()).await?;
        self.0.grants.revoke(|grant| grant.issuer == Some(Issuer::Key(key)));
        Ok(())
    }

    /// Forgets the client secrets of a user who was shut out or erased.
    pub fn forget(&self, user: UserId) {
        self.0.grants.revoke(|grant| grant.user == user);
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
            Via::ApiKey(key) => Some(Issuer::Key(*key)),
            Via::AccessToken(login) => Some(Issuer::Login(*login)),
            Via::AdminKey | Via::ClientSecret(_) => None,
        };
        let (user, ticket) = (principal.user, Uuid::now_v7());
        let grant = Grant { user, issuer, ticket, session, reserved, expires_at };
        Ok(Issued { kept: expires_at, secret: self.0.grants.issue(grant, now)? })
    }

    /// Makes a client secret on behalf of the owner, for whom the relay itself sends to its door.
    pub fn invite(&self, session: Arc<str>, life: Duration) -> Result<Issued<Timestamp>, Full> {
        let now = self.now();
        let expires_at = now.saturating_add(life).unwrap_or(now);
        let (user, ticket) = (self.0.owner.id, Uuid::now_v7());
        let grant = Grant { user, issuer: None, ticket, session, reserved: None, expires_at };
        Ok(Issued { kept: expires_at, secret: self.0.grants.issue(grant, now)? })
    }
}

/// What the page's keys are called.
const PAGE: &str = "page";

/// A day's work, not a day and a night: a link may lie about in a terminal.
const PAGE_LIFE: Duration = Duration::from_secs(12 * 3600);

/// Characters of a key that are kept readable: the prefix and four of 43, enough to tell keys apart.
const HINT: usize = 7;
