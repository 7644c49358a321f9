//! Steady verdicts from nervous scores: hysteresis, a minimum length for speech, patience with gaps.

use std::time::Duration;

use super::{Hop, Threshold, Voice};
use crate::Decibels;

/// Decides with positions, scores and levels only.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    state: State,
    open: f32,
    close: f32,
    /// How loud the loud parts of recent speech were, in dBFS.
    loud: f32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Quiet {
        since: Duration,
    },
    /// Maybe an onset: voiced for `voiced` since `onset`, last at `last`.
    Rising {
        quiet: Duration,
        onset: Duration,
        voiced: Duration,
        last: Duration,
    },
    /// Speech, last heard until `last`.
    Speech {
        since: Duration,
        last: Duration,
    },
}

impl Gate {
    pub(super) fn new(threshold: Threshold) -> Self {
        let (open, close) = (threshold.open(), threshold.close());
        Self { state: State::Quiet { since: Duration::ZERO }, open, close, loud: Decibels::SILENCE.dbfs() }
    }

    pub(super) fn set_threshold(&mut self, threshold: Threshold) {
        (self.open, self.close) = (threshold.open(), threshold.close());
    }

    pub(super) fn reset(&mut self, position: Duration) {
        (self.state, self.loud) = (State::Quiet { since: position }, Decibels::SILENCE.dbfs());
    }

    /// Takes the stream's next hop.
    pub(super) fn hear(&mut self, hop: Hop) {
        self.state = match self.state {
            State::Quiet { since } => self.quiet(hop, since),
            State::Rising { quiet, onset, voiced, last } => self.rising(hop, quiet, onset, voiced, last),
            State::Speech { since, last } => self.speech(hop, since, last),
        };
        let level = hop.level.dbfs();
        self.loud = match self.state {
            State::Speech { .. } => level.max(self.loud - FADE),
            State::Quiet { .. } | State::Rising { .. } => self.loud - FADE_IN_QUIET,
        };
    }

    /// Whether not even an onset is suspected.
    pub(super) const fn is_quiet(&self) -> bool {
        matches!(self.state, State::Quiet { .. })
    }

    pub(super) const fn voice(&self, varied: bool) -> Voice {
        match self.state {
            State::Quiet { since } | State::Rising { quiet: since, .. } => Voice::Quiet { since },
            State::Speech { since, last } => Voice::Speech { since, last, varied },
        }
    }

    fn quiet(&self, hop: Hop, since: Duration) -> State {
        if !self.voiced(hop, self.open) {
            return State::Quiet { since };
        }
        // What is not speech until here may still be its quiet beginning; but two stretches never overlap.
        let onset = hop.start.saturating_sub(ATTACK).max(since);
        State::Rising { quiet: since, onset, voiced: hop.end - hop.start, last: hop.end }
    }

    fn rising(&self, hop: Hop, quiet: Duration, onset: Duration, voiced: Duration, last: Duration) -> State {
        if !self.voiced(hop, self.open) {
            let lost = !self.voiced(hop, self.close) && hop.end - last >= CLICK_GAP;
            return if lost { State::Quiet { since: quiet } } else { State::Rising { quiet, onset, voiced, last } };
        }
        let voiced = voiced + (hop.end - hop.start);
        if voiced >= ONSET {
            State::Speech { since: onset, last: hop.end }
        } else {
            State::Rising { quiet, onset, voiced, last: hop.end }
        }
    }

    fn speech(&self, hop: Hop, since: Duration, last: Duration) -> State {
        if self.voiced(hop, self.close) {
            State::Speech { since, last: hop.end }
        } else if hop.end - last >= HANGOVER {
            State::Quiet { since: last }
        } else {
            State::Speech { since, last }
        }
    }

    /// Whether a hop counts as speech. The network goes on believing in speech for a fifth of a second after it
    /// ended, and in digital silence for a second: what is much quieter than the speech was must convince, and
    /// what nobody can hear cannot.
    fn voiced(&self, hop: Hop, bar: f32) -> bool {
        let level = hop.level.dbfs();
        let faint = level < self.loud - FAINT;
        level >= INAUDIBLE && hop.score >= if faint { bar.max((self.open * DOUBT).min(1.0)) } else { bar }
    }
}

/// How much must be voiced to be speech.
const ONSET: Duration = Duration::from_millis(48);
/// How long a beginning may go unvoiced before it was a click.
const CLICK_GAP: Duration = Duration::from_millis(32);
/// How far before the first voiced hop the onset is put.
const ATTACK: Duration = Duration::from_millis(16);
/// How long a gap may be within speech: stops and pauses within words stay below.
const HANGOVER: Duration = Duration::from_millis(112);
/// dB below the loud parts of speech that make a hop faint.
const FAINT: f32 = 22.0;
/// How much surer than at an onset the detector must be of a faint hop.
const DOUBT: f32 = 1.6;
/// dB per 16 ms by which the memory of loud parts fades: 6 dB a second, as a speaker turns away.
const FADE: f32 = 0.1;
/// The same when nobody speaks: 30 dB a second, so that another, quieter speaker is heard soon.
const FADE_IN_QUIET: f32 = 0.5;
/// dBFS below which nothing is speech: a microphone's own noise is louder.
const INAUDIBLE: f32 = -75.0;
