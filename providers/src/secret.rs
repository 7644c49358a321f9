//! Keys in a type that can neither be printed nor serialised.

/// A key or token. `Debug` prints `[REDACTED]`; reading it takes a visible `expose_secret()`.
pub type Secret = secrecy::SecretString;

/// Serialises a secret as the empty string: for showing configuration, never for keeping a key.
pub fn hide<S: serde::Serializer>(_: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("")
}
