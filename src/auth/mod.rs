//! Who is calling, and what they may do.
//!
//! A [`Credential`] is read from a request, [`Auth`] turns it into a [`Principal`] or refuses it. Keys have at least 256
//! random bits, so a plain SHA-256 keeps them safely: a slow hash only helps secrets that can be guessed. The admin key
//! may be chosen by a person; guessing at it is slowed down per address.

mod attempts;
mod credential;
mod door;
mod fingerprint;
mod grants;
mod guesses;
pub mod link;
pub mod password;
mod principal;
mod scope;

pub use credential::Credential;
pub use door::{Auth, Denied, Issued};
pub use grants::{Full, Grant};
pub use guesses::{Guess, Guesses};
pub use principal::{Principal, Via};
pub use scope::{Scope, Scopes, UnknownScope};
