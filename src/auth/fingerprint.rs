//! What is kept of a secret: its SHA-256. And how secrets are made.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use providers::Secret;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.expose_secret().as_bytes()).into())
    }

    /// Reads one back from the store; `None` if that is no SHA-256.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in a time that does not tell where they differ.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Bytes of randomness in a key: 256 bits cannot be guessed.
const RANDOM: usize = 32;

/// A fresh secret: `prefix` and 43 characters that are allowed in headers, URLs and WebSocket subprotocols.
pub(super) fn mint(prefix: &str) -> Secret {
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(random::<RANDOM>())).into()
}

/// Bytes that nobody can foretell.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

/// Whether a credential has the shape of those made by [`mint`], which nobody can guess at.
pub(super) fn unguessable(credential: &Secret) -> bool {
    let text = credential.expose_secret();
    let minted = [KEY, SECRET].into_iter().find_map(|prefix| text.strip_prefix(prefix));
    minted.is_some_and(|rest| rest.len() >= RANDOM * 4 / 3)
}

/// API keys, the made admin key among them.
pub(super) const KEY: &str = "vr_";
/// Client secrets; SDKs in browsers refuse keys that start otherwise.
pub(super) const SECRET: &str = "ek_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_secrets_differ_and_fit_into_a_subprotocol() {
        let (a, b) = (mint(KEY), mint(KEY));
        assert_ne!(a.expose_secret(), b.expose_secret());
        assert_eq!(a.expose_secret().len(), 3 + 43);
        assert!(a.expose_secret().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        assert!(unguessable(&a));
        assert!(!unguessable(&"vr_short".into()));
        assert!(!unguessable(&"correct horse battery staple correct horse battery".into()));
    }

    #[test]
    fn a_fingerprint_matches_its_secret_alone() {
        let (a, b) = (Fingerprint::of(&"a".into()), Fingerprint::of(&"b".into()));
        assert!(a.matches(&Fingerprint::of(&"a".into())));
        assert!(!a.matches(&b));
        assert!(Fingerprint::from_bytes(a.as_bytes()).is_some_and(|read| read.matches(&a)));
        assert!(Fingerprint::from_bytes(&[1, 2]).is_none());
    }
}
