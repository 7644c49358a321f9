//! What a key may be used for.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::store::users::Role;

/// One thing a key may be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Live voice, client secrets for it, and its model over the hosted service's wire.
    Realtime,
    /// Transcribing files and speaking text.
    Speech,
    /// Reading and deleting conversations.
    Sessions,
    /// Keys, metrics, everybody's live sessions.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Realtime, Self::Speech, Self::Sessions, Self::Admin];

    /// As stored and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Realtime => "realtime",
            Self::Speech => "speech",
            Self::Sessions => "sessions",
            Self::Admin => "admin",
        }
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Self::ALL.map(Self::as_str)})
    }
}

/// Text that is no scope.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no scope is called {0:?}; there are realtime, speech, sessions and admin")]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// Any number of scopes. `admin` implies the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope at all.
    pub const NONE: Self = Self(0);
    /// Every scope.
    pub const ALL: Self = Self(0b1111);

    /// What a key gets when nothing is said: all but `admin`.
    pub fn usual() -> Self {
        [Scope::Realtime, Scope::Speech, Scope::Sessions].into_iter().collect()
    }

    /// What a person of this role may do at most, by whatever credential.
    pub fn of(role: Role) -> Self {
        match role {
            Role::Admin => Self::ALL,
            Role::User | Role::Viewer => Self::usual(),
        }
    }

    /// Those of them that `limit` has too.
    #[must_use]
    pub fn within(self, limit: Self) -> Self {
        Scope::ALL.into_iter().filter(|scope| self.allow(*scope) && limit.allow(*scope)).collect()
    }

    /// Whether `scope` is among them.
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & (bit(scope) | bit(Scope::Admin)) != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that were named, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & bit(*scope) != 0)
    }
}

const fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split([' ', ',']).filter(|name| !name.is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { " " }, scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_as_they_were_written() {
        let scopes: Scopes = [Scope::Sessions, Scope::Realtime].into_iter().collect();
        assert_eq!(scopes.to_string(), "realtime sessions");
        assert_eq!(scopes.to_string().parse(), Ok(scopes));
        assert_eq!("sessions,realtime".parse(), Ok(scopes));
        assert!("realtime root".parse::<Scopes>().is_err());
        assert_eq!("".parse(), Ok(Scopes::NONE));
    }

    #[test]
    fn admin_implies_the_rest_and_nothing_implies_admin() {
        let admin: Scopes = "admin".parse().unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
        assert!(!Scopes::usual().allow(Scope::Admin));
        assert!(!Scopes::NONE.allow(Scope::Realtime));
    }

    #[test]
    fn a_key_does_no_more_than_its_owners_role() {
        let admin: Scopes = "admin".parse().unwrap();
        assert_eq!(admin.within(Scopes::of(Role::Admin)), Scopes::ALL);
        assert_eq!(admin.within(Scopes::of(Role::User)), Scopes::usual());
        let speech: Scopes = "speech".parse().unwrap();
        assert_eq!(speech.within(Scopes::of(Role::Viewer)), speech);
        assert_eq!(speech.within(Scopes::of(Role::Admin)), speech);
    }
}
