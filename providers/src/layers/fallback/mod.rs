//! Several providers as one: when one fails, the next takes over, and nothing said is lost.
//!
//! How it takes over depends on the kind; see the files. Any failure leads on, also a refusal: what one provider cannot
//! do, another may. The error of the last provider is the caller's. The choice is made anew for each request.

mod llm;
mod realtime;
mod seam;
mod splice;
mod stt;
mod tts;
mod witness;

use std::sync::Arc;

use self::witness::Witness;
use super::{Observer, Role};
use crate::{ErrorKind, ProviderError};

/// Providers in order of preference.
pub struct Fallback<T: ?Sized> {
    providers: Arc<[Arc<T>]>,
    witness: Option<Arc<Witness>>,
}

impl<T: ?Sized> Fallback<T> {
    /// Tries `first`, then the others in order.
    pub fn new(first: Arc<T>, others: Vec<Arc<T>>) -> Self {
        Self { providers: std::iter::once(first).chain(others).collect(), witness: None }
    }

    /// Tells `observer` whenever one takes over from another. `names` are the providers' own, in the same order.
    #[must_use]
    pub fn witnessed(mut self, role: Role, names: Vec<String>, observer: Arc<dyn Observer>) -> Self {
        self.witness = Some(Arc::new(Witness { role, names, observer }));
        self
    }

    /// The providers, best first.
    fn attempts(&self) -> Attempts<T> {
        Attempts { providers: self.providers.clone(), next: 0, witness: self.witness.clone() }
    }

    /// What the best provider can do is what is promised.
    fn first(&self) -> &T {
        &self.providers[0]
    }
}

/// Providers not yet tried.
struct Attempts<T: ?Sized> {
    providers: Arc<[Arc<T>]>,
    next: usize,
    witness: Option<Arc<Witness>>,
}

impl<T: ?Sized> Attempts<T> {
    /// The next provider, or the error that led here if there is none.
    fn after(&mut self, error: ProviderError) -> Result<Arc<T>, ProviderError> {
        self.after_if(error, |_| true)
    }

    /// As [`Self::after`], but only one that is `fit` to take over now.
    fn after_if(&mut self, error: ProviderError, fit: impl Fn(&T) -> bool) -> Result<Arc<T>, ProviderError> {
        let Some(ahead) = self.providers[self.next..].iter().position(|provider| fit(provider)) else {
            return Err(error);
        };
        if self.next > 0 {
            tracing::warn!(provider = %error.provider, kind = %error.kind, detail = %error.detail, "a provider failed, the next takes over");
            if let Some(witness) = &self.witness {
                witness.saw(self.next - 1, self.next + ahead, error.kind);
            }
        }
        self.next += ahead + 1;
        Ok(self.providers[self.next - 1].clone())
    }
}

/// Where a search for a provider begins.
fn untried() -> ProviderError {
    ProviderError::new("fallback", ErrorKind::Unavailable, "no provider was tried")
}

/// A stream ended without its last event.
fn cut_short() -> ProviderError {
    ProviderError::new("fallback", ErrorKind::Protocol, "the stream ended early")
}
