//! Who is calling, and what they may do.
//!
//! A [`Credential`] is read from a request, [`Auth`] turns it into a [`Principal`] or refuses it. Keys have at least 256
//! random bits, so a plain SHA-256 keeps them safely: a slow hash only helps secrets that can be guessed. The admin key
//! may be chosen by a person; guessing at it is slowed down per address. People's passwords get the slow hash, and guessing
//! at them is slowed down per address and per account.

mod accounts;
mod config;
mod credential;
mod door;
mod fingerprint;
mod grants;
mod guesses;
mod issue;
mod keyring;
mod limits;
pub mod link;
mod password;
mod principal;
mod scope;
mod token;

pub use accounts::{AccountError, Newcomer, Tokens};
pub use config::{Config, Registration};
pub use credential::Credential;
pub use door::{Auth, Denied};
pub use grants::{Full, Grant, Issuer, Reserved};
pub use guesses::{Guess, Guesses};
pub use issue::Issued;
pub use password::{Busy, Passwords};
pub use principal::{Principal, Via};
pub use scope::{Scope, Scopes, UnknownScope};
