//! Keys in a type that can neither be printed nor serialised.

/// A key or token. `Debug` prints `[REDACTED]`; reading it takes a visible `expose_secret()`.
pub type Secret = secrecy::SecretString;
