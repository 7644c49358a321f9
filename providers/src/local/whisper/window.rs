//! The sound that has no final text yet: samples, their voice activity, and where it is to be cut.

use std::{ops::Range, time::Duration};

use audio::Frame;

use super::voice::Voice;

/// Whisper hears 30 s at once; past this much the window is cut at a pause.
const FULL: usize = seconds(25);
/// Earliest place of a cut: short windows cost accuracy.
const EARLIEST: usize = seconds(10);
/// Kept before the first voiced window: soft onsets score low.
const LEAD: usize = milliseconds(240);
/// Kept after the last voiced window: soft endings score low.
const TAIL: usize = milliseconds(320);
/// Silence after which the person may have finished: longer than most stops within words, and so short that a sentence
/// is heard by the time that a turn ends, 500 ms after it.
const PAUSE: usize = milliseconds(100);
/// Silence that may become a pause.
const DIP: usize = milliseconds(40);
/// Most sound held while earlier sound is worked off; beyond it the source has to wait.
const MOST: usize = seconds(120);

/// A growing window over the utterance. Positions are samples from the window's begin.
pub(super) struct Window {
    samples: Vec<i16>,
    voice: Voice,
    /// Samples of the utterance before the window.
    start: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { samples: Vec::new(), voice: Voice::new(), start: 0 }
    }

    pub(super) fn push(&mut self, frame: &Frame) {
        self.samples.extend_from_slice(frame.samples());
        self.voice.hear(frame);
        // A microphone left open costs nothing: silence before the first word is dropped.
        if self.samples.len() > seconds(2) && self.voice.span(usize::MAX).is_none() {
            self.forget(self.samples.len() - seconds(1));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn has_room(&self) -> bool {
        self.samples.len() < MOST
    }

    /// How much of the utterance has been given.
    pub(super) fn heard(&self) -> Duration {
        Frame::RATE.duration_of(self.start + self.samples.len())
    }

    /// Where the voice ends, if there is enough of it to be worth hearing.
    pub(super) fn voiced(&self) -> Option<usize> {
        let end = self.voice.span(usize::MAX)?.end;
        self.voice.is_worth_hearing(usize::MAX).then_some(end)
    }

    /// Where the voice before `until` ends.
    pub(super) fn voiced_before(&self, until: usize) -> Option<usize> {
        self.voice.span(until).map(|span| span.end)
    }

    /// Whether nobody has spoken for a while.
    pub(super) fn pauses(&self) -> bool {
        self.voice.span(usize::MAX).is_none_or(|span| self.samples.len() >= span.end + PAUSE)
    }

    /// Whether somebody speaks or spoke just before.
    pub(super) fn is_speaking(&self) -> bool {
        self.voice.span(usize::MAX).is_some_and(|span| self.samples.len() < span.end + DIP)
    }

    /// Where to cut a window that has become too long.
    pub(super) fn cut(&self) -> Option<usize> {
        (self.samples.len() > FULL).then(|| self.voice.pause(EARLIEST..FULL))
    }

    /// What is worth hearing before `until`, and when in the utterance it begins.
    pub(super) fn sound(&self, until: usize) -> Option<Sound> {
        let span = self.voice.span(until)?;
        if !self.voice.is_worth_hearing(until) {
            return None;
        }
        let range: Range<usize> = span.start.saturating_sub(LEAD)..(span.end + TAIL).min(until).min(self.samples.len());
        let samples = self.samples[range.clone()].to_vec();
        Some(Sound { samples, start: Frame::RATE.duration_of(self.start + range.start) })
    }

    /// Drops what lies before `until`.
    pub(super) fn forget(&mut self, until: usize) {
        let dropped = self.voice.forget(until);
        self.samples.drain(..dropped);
        self.start += dropped;
    }
}

/// Sound worth hearing.
pub(super) struct Sound {
    pub(super) samples: Vec<i16>,
    /// From the start of the utterance.
    pub(super) start: Duration,
}

const fn seconds(count: usize) -> usize {
    count * Frame::RATE.hertz() as usize
}

const fn milliseconds(count: usize) -> usize {
    count * Frame::RATE.hertz() as usize / 1_000
}
