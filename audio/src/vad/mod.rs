//! Whether somebody speaks: a detector scores short hops of sound, a gate makes steady verdicts of the scores.
//!
//! All state is per stream: two [`Vad`]s share nothing but constants.

mod earshot;
mod energy;
mod gate;
mod threshold;
mod timbre;

use std::{fmt, time::Duration};

pub use threshold::Threshold;

use crate::{Decibels, Frame, framer::at};
use gate::Gate;
use timbre::Timbre;

/// The verdict on 20 ms, hysteresis and minimum lengths included. Positions count the stream's audio.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Voice {
    /// Nobody speaks, since this position.
    Quiet {
        /// End of the last speech in the stream, or where it began or was reset.
        since: Duration,
    },
    /// Somebody speaks, since this position.
    Speech {
        /// The onset in the stream, a few frames back when first told.
        since: Duration,
        /// Where the last voiced hop ended: what follows is a gap that may lie within words, or the end of speech.
        last: Duration,
        /// Whether its sound has changed as in words. A hum, a held vowel or a cough stays even.
        varied: bool,
    },
}

/// What judges the sound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Engine {
    /// A small neural network compiled in; about 7 µs per 16 ms and 8 KB a stream.
    #[default]
    Earshot,
    /// Loudness over a tracked noise floor: the last fallback. Any loud sound is speech to it.
    Energy,
}

/// Voice activity detection of one stream.
pub struct Vad {
    detector: Detector,
    gate: Gate,
    timbre: Timbre,
    frames: u64,
}

impl Vad {
    /// A detector at the beginning of a stream.
    pub fn new(engine: Engine, threshold: Threshold) -> Self {
        let detector = match engine {
            Engine::Earshot => Detector::Earshot(Box::default()),
            Engine::Energy => Detector::Energy(energy::Energy::default()),
        };
        Self { detector, gate: Gate::new(threshold), timbre: Timbre::new(), frames: 0 }
    }

    /// Judges the stream's next 20 ms.
    pub fn hear(&mut self, frame: &Frame) -> Voice {
        self.frames += 1;
        let (end, gate) = (at(self.frames), &mut self.gate);
        match &mut self.detector {
            Detector::Earshot(earshot) => earshot.hear(end, frame, |hop| gate.hear(hop)),
            Detector::Energy(energy) => gate.hear(energy.hear(end, frame)),
        }
        if self.gate.is_quiet() {
            self.timbre.rest(frame);
        } else {
            self.timbre.hear(frame);
        }
        self.gate.voice(self.timbre.is_varied())
    }

    /// Changes how sure the detector must be, from the next frame on.
    pub fn set_threshold(&mut self, threshold: Threshold) {
        self.gate.set_threshold(threshold);
    }

    /// Forgets what it heard: quiet since here. The position in the stream goes on.
    pub fn reset(&mut self) {
        match &mut self.detector {
            Detector::Earshot(earshot) => earshot.reset(),
            Detector::Energy(energy) => *energy = energy::Energy::default(),
        }
        self.gate.reset(at(self.frames));
        self.timbre.reset();
    }

    /// Where the last frame ended in the stream.
    pub fn position(&self) -> Duration {
        at(self.frames)
    }
}

impl fmt::Debug for Vad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vad({:?} at {:?})", self.gate.voice(self.timbre.is_varied()), self.position())
    }
}

enum Detector {
    /// Boxed: it is 8 KB.
    Earshot(Box<earshot::Earshot>),
    Energy(energy::Energy),
}

/// A short stretch of the stream and how surely it is speech.
#[derive(Clone, Copy, Debug)]
struct Hop {
    start: Duration,
    end: Duration,
    /// 0 to 1.
    score: f32,
    level: Decibels,
}

#[cfg(test)]
mod tests;
