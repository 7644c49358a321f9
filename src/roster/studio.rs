//! Who clones voices, and deletes what was cloned.

use futures_util::future::BoxFuture;
use providers::{
    ProviderError,
    elevenlabs::{Cloned, NewVoice},
};

/// An account in which voices can be cloned. Every answer is bounded in time by itself.
pub trait Studio: Send + Sync {
    /// Clones a voice from recordings of it.
    fn make(&self, voice: NewVoice) -> BoxFuture<'static, Result<Cloned, ProviderError>>;

    /// Deletes a voice for good; false, and nothing is deleted, where this account has cloned none of this id.
    fn delete(&self, id: String) -> BoxFuture<'static, Result<bool, ProviderError>>;
}
