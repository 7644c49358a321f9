//! Ids of calls that Realtime clients accept: 1 to 32 characters.

use std::{
    fmt::Write,
    hash::{BuildHasher, RandomState},
};

use sha2::{Digest, Sha256};

/// The vendor's own id if it fits; a digest of it if it is too long; a random one if there is none.
pub(crate) fn fitting(id: &str) -> String {
    if id.is_empty() {
        return format!("call_{:016x}", RandomState::new().hash_one(()));
    }
    if id.len() <= LONGEST {
        return id.to_owned();
    }
    Sha256::digest(id).iter().take(12).fold("call_".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

const LONGEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fit_and_stay_apart() {
        let long = "x".repeat(33);
        assert_eq!(fitting("toolu_01"), "toolu_01");
        assert_eq!(fitting(&long), fitting(&long));
        assert_ne!(fitting(""), fitting(""));
        for id in ["", "a", &long] {
            assert!((1..=LONGEST).contains(&fitting(id).len()));
        }
    }
}
