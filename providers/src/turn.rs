//! Turn detection: has the speaker finished, or only paused?

use audio::Frame;
use futures_util::future::BoxFuture;

use crate::ProviderError;

/// Judges a pause from the sound before it.
pub trait TurnDetector: Send + Sync {
    /// The probability, 0 to 1, that the turn is complete. `audio` is the turn up to the pause (its last 8 s are enough).
    /// Dropping the future cancels.
    fn complete(&self, audio: Vec<Frame>) -> BoxFuture<'_, Result<f32, ProviderError>>;
}
