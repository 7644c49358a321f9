//! The last fallback: loudness over a noise floor that follows the room.

use std::time::Duration;

use super::Hop;
use crate::{Frame, Level};

/// One stream's noise floor.
#[derive(Clone, Debug)]
pub(super) struct Energy {
    /// In dBFS.
    floor: f32,
}

impl Energy {
    /// Scores the frame that ends at `end`.
    pub(super) fn hear(&mut self, end: Duration, frame: &Frame) -> Hop {
        let level = Level::of(frame.samples()).rms;
        // Falls at once and rises slowly, so that pauses between words set it and words do not.
        self.floor = level.dbfs().min(self.floor + RISE).max(QUIETEST);
        let score = ((level.dbfs() - self.floor) / CERTAIN).clamp(0.0, 1.0);
        Hop { start: end.saturating_sub(Frame::DURATION), end, score, level }
    }
}

impl Default for Energy {
    fn default() -> Self {
        Self { floor: LOUDEST_START }
    }
}

/// dB the floor rises per frame: 3 dB a second, slower than a sentence, faster than a fan is noticed.
const RISE: f32 = 0.06;
/// Rooms are not quieter; what is 10 dB above it may be a whisper, what is below is never speech.
const QUIETEST: f32 = -60.0;
/// Where the floor starts, so that speech from the first frame on is heard.
const LOUDEST_START: f32 = -50.0;
/// dB over the floor that leave no doubt; the default threshold asks for 11.
const CERTAIN: f32 = 40.0;
