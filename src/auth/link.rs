//! The token of a link by which others read: whoever has it is let in, so it cannot be guessed and is not kept.

use providers::Secret;

use super::fingerprint::{self, Fingerprint};

/// A fresh token: 32 random bytes in base64url, 43 characters.
pub fn mint() -> Secret {
    fingerprint::mint("")
}

/// What is kept of a token: its SHA-256.
pub fn kept(token: &Secret) -> [u8; 32] {
    *Fingerprint::of(token).as_bytes()
}
