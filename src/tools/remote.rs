//! What tools that somebody else runs have in common.

use futures_util::future::BoxFuture;
use providers::{
    llm::Call,
    tool::{Offered, Ran},
};

/// A tool that somebody else runs.
pub(super) trait Remote: Send + Sync {
    /// As models call it.
    fn name(&self) -> &str;

    /// As models are told of it.
    fn offered(&self) -> Offered;

    /// Whether the person is asked first.
    fn writes(&self) -> bool;

    /// The arguments of a call as they will be sent, and the change in words.
    ///
    /// # Errors
    /// They do not fit: why.
    fn propose(&self, call: &Call) -> Result<(String, String), String>;

    /// Runs a call. `once` is its name among all calls, should whoever is called keep them apart.
    fn run<'a>(&'a self, call: &'a Call, once: Option<&'a str>) -> BoxFuture<'a, Ran>;
}
