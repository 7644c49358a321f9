//! Who tells that one provider took over from another.

use std::sync::Arc;

use super::super::{Observer, Role};
use crate::ErrorKind;

/// The names of a chain, and who wants to know.
pub(super) struct Witness {
    pub(super) role: Role,
    pub(super) names: Vec<String>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Witness {
    /// The provider at `from` failed so, and the one at `to` takes over.
    pub(super) fn saw(&self, from: usize, to: usize, kind: ErrorKind) {
        if let (Some(from), Some(to)) = (self.names.get(from), self.names.get(to)) {
            self.observer.took_over(self.role, from, to, kind);
        }
    }
}
