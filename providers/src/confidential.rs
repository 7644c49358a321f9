//! What only engines that are cleared for it may be told.

use std::{fmt, sync::Arc};

/// A part of a prompt that engines see only behind [`Cleared`](crate::layers::Cleared); adapters do not read it. `Debug`
/// prints nothing of it; reading it takes a visible [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq)]
pub struct Confidential(Arc<str>);

impl Confidential {
    /// Text as a model is to read it.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[CONFIDENTIAL]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_printed() {
        assert_eq!(format!("{:?}", Some(Confidential::new("asthma"))), "Some([CONFIDENTIAL])");
    }
}
