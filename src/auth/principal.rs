//! Somebody who was recognised.

use std::sync::Arc;

use super::{Grant, Scope, Scopes};
use crate::store::{KeyId, UserId, users::Role};

/// Who is calling, by which means, and what those means allow.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whose rows they see.
    pub user: UserId,
    /// What that user may do.
    pub role: Role,
    /// How they were recognised.
    pub via: Via,
    pub(super) scopes: Scopes,
}

/// How a caller was recognised.
#[derive(Clone, Debug)]
pub enum Via {
    /// By the admin key.
    AdminKey,
    /// By an API key.
    ApiKey(KeyId),
    /// By a client secret: live voice and nothing else.
    ClientSecret(Arc<Grant>),
}

impl Principal {
    /// Whether they may do what takes this scope.
    pub const fn may(&self, scope: Scope) -> bool {
        self.scopes.allow(scope)
    }

    /// Whether they were recognised by a key rather than by a client secret.
    pub const fn holds_key(&self) -> bool {
        !matches!(self.via, Via::ClientSecret(_))
    }
}
