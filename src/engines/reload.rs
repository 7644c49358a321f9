//! Accounts exchanged while their engines are in use: rotated keys drop nobody.

use std::{fmt, sync::Arc};

use providers::ProviderError;

use crate::config::Config;

/// Makes one engine, or what watches it, anew with its account as it is now. What is under way goes on with the old one.
pub(super) type Reload = Box<dyn Fn(&Config) -> Result<(), ProviderError> + Send + Sync>;

/// Every engine that somebody else runs. Cheap to clone.
#[derive(Clone)]
pub struct Reloads(Arc<[Reload]>);

impl Reloads {
    pub(super) fn of(reloads: Vec<Reload>) -> Self {
        Self(reloads.into())
    }

    /// Takes the accounts of this configuration: keys, addresses, settings. Chains, names and all else stay as they were
    /// at the start. An engine whose account cannot be keeps the one it has, told in the log.
    pub fn apply(&self, config: &Config) {
        for reload in self.0.iter() {
            if let Err(error) = reload(config) {
                tracing::error!(%error, "an account cannot be used; the engine keeps the one it has");
            }
        }
    }
}

impl fmt::Debug for Reloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reloads({})", self.0.len())
    }
}
