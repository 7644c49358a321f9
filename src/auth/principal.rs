//! Somebody who was recognised.

use std::sync::Arc;

use super::{Grant, Scope, Scopes};
use crate::store::{KeyId, LoginId, UserId, users::Role};

/// Who is calling, by which means, and what those means allow.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whose rows they see.
    pub user: UserId,
    /// What that user may do.
    pub role: Role,
    /// How they were recognised.
    pub via: Via,
    /// What these means are for, no more than the role has.
    pub scopes: Scopes,
}

/// How a caller was recognised.
#[derive(Clone, Debug)]
pub enum Via {
    /// By the admin key.
    AdminKey,
    /// By an API key.
    ApiKey(KeyId),
    /// By an access token: a person, by this login.
    AccessToken(LoginId),
    /// By a client secret: live voice and nothing else.
    ClientSecret(Arc<Grant>),
}

impl Principal {
    /// Whether they may do what takes this scope.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.allow(scope)
    }

    /// Whether they may hold a live conversation, which writes.
    pub fn may_converse(&self) -> bool {
        self.may(Scope::Realtime) && self.may_write()
    }

    /// Whether they may change anything beside their own account.
    pub fn may_write(&self) -> bool {
        self.role != Role::Viewer
    }

    /// Whether they deal with their account in person: by a login, or with all powers.
    pub const fn in_person(&self) -> bool {
        matches!(self.via, Via::AccessToken(_)) || self.holds_key() && self.may(Scope::Admin)
    }

    /// What they were granted, if they came by a client secret.
    pub fn grant(&self) -> Option<&Grant> {
        match &self.via {
            Via::ClientSecret(grant) => Some(grant),
            Via::AdminKey | Via::ApiKey(_) | Via::AccessToken(_) => None,
        }
    }

    /// Whether they were recognised by a key or in person rather than by a client secret.
    pub const fn holds_key(&self) -> bool {
        !matches!(self.via, Via::ClientSecret(_))
    }
}
