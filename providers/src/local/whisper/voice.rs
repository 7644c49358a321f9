//! Where in an utterance somebody speaks, frame by frame.
//!
//! Whisper invents words for noise and spends time on silence; this says what is worth its time. It judges as the turn
//! logic does, loudness and hysteresis included: were the end of speech found later than there, so would be the text.
//! The detector is its own all the same: files come here that nobody has judged before.

use std::{ops::Range, time::Duration};

use audio::{Decibels, Frame, Level, Threshold, Vad, vad};

/// So many voiced frames make a stretch worth hearing: 100 ms, shorter than a word, longer than a click or the
/// detector's own start on loud noise.
const WORTH: usize = 5;

/// The voice activity of a stretch of sound that grows at its end and is cut at its beginning.
pub(super) struct Voice {
    vad: Vad,
    /// Where in the stream the speech began that goes on.
    onset: Option<Duration>,
    frames: Vec<Heard>,
    /// How many frames came before these.
    forgotten: usize,
}

/// What 20 ms held.
#[derive(Clone, Copy)]
struct Heard {
    voiced: bool,
    level: Decibels,
}

impl Voice {
    pub(super) fn new() -> Self {
        let vad = Vad::new(vad::Engine::default(), Threshold::default());
        Self { vad, onset: None, frames: Vec::new(), forgotten: 0 }
    }

    /// Judges the frame that follows those given before.
    pub(super) fn hear(&mut self, frame: &Frame) {
        let start = self.vad.position();
        self.frames.push(Heard { voiced: false, level: Level::of(frame.samples()).rms });
        let from = match self.vad.hear(frame) {
            vad::Voice::Quiet { .. } => {
                self.onset = None;
                return;
            }
            // Told a few frames late.
            vad::Voice::Speech { since, .. } if self.onset != Some(since) => {
                self.onset = Some(since);
                since
            }
            vad::Voice::Speech { last, .. } if last > start => start,
            vad::Voice::Speech { .. } => return,
        };
        let first = Frame::RATE.samples_in(from) / Frame::SAMPLES;
        let voiced = self.frames.get_mut(first.saturating_sub(self.forgotten)..).unwrap_or_default();
        voiced.iter_mut().for_each(|heard| heard.voiced = true);
    }

    /// Forgets whole frames from the beginning, at most `samples`; says how many samples that were.
    pub(super) fn forget(&mut self, samples: usize) -> usize {
        let frames = (samples / Frame::SAMPLES).min(self.frames.len());
        self.frames.drain(..frames);
        self.forgotten += frames;
        frames * Frame::SAMPLES
    }

    /// Whether the samples before `until` hold enough voice to be worth hearing.
    pub(super) fn is_worth_hearing(&self, until: usize) -> bool {
        self.before(until).iter().filter(|heard| heard.voiced).nth(WORTH - 1).is_some()
    }

    /// From the beginning of the first to the end of the last voiced frame before `until`, in samples.
    pub(super) fn span(&self, until: usize) -> Option<Range<usize>> {
        let frames = self.before(until);
        let first = frames.iter().position(|heard| heard.voiced)?;
        let last = frames.iter().rposition(|heard| heard.voiced)?;
        Some(first * Frame::SAMPLES..(last + 1) * Frame::SAMPLES)
    }

    /// The middle of the longest pause within `range` of samples; without a pause its quietest frame.
    pub(super) fn pause(&self, range: Range<usize>) -> usize {
        let first = range.start / Frame::SAMPLES;
        let frames = self.before(range.end).get(first..).unwrap_or_default();
        let stretches = frames.chunk_by(|a, b| a.voiced == b.voiced);
        let starts = stretches.scan(first, |at, stretch| {
            let start = *at;
            *at += stretch.len();
            Some((start, stretch))
        });
        let pauses = starts.filter(|(_, stretch)| stretch.first().is_some_and(|heard| !heard.voiced));
        let longest = pauses.max_by_key(|(_, stretch)| stretch.len()).map(|(start, stretch)| start + stretch.len() / 2);
        let level = |heard: &Heard| heard.level.dbfs();
        let quietest = || (first..).zip(frames).min_by(|(_, a), (_, b)| level(a).total_cmp(&level(b)));
        longest.unwrap_or_else(|| quietest().map_or(first, |(at, _)| at)) * Frame::SAMPLES
    }

    fn before(&self, until: usize) -> &[Heard] {
        &self.frames[..self.frames.len().min(until.div_ceil(Frame::SAMPLES))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = Frame::SAMPLES;

    fn heard(stretches: &[(usize, bool)]) -> Voice {
        let frame = |voiced| Heard { voiced, level: Decibels::new(if voiced { -20.0 } else { -60.0 }) };
        let frames = stretches.iter().flat_map(|(count, voiced)| vec![frame(*voiced); *count]).collect();
        Voice { frames, ..Voice::new() }
    }

    #[test]
    fn the_span_reaches_from_the_first_to_the_last_voiced_frame() {
        let voice = heard(&[(10, false), (20, true), (10, false), (5, true), (30, false)]);
        assert_eq!(voice.span(usize::MAX), Some(10 * FRAME..45 * FRAME));
        assert_eq!(voice.span(35 * FRAME), Some(10 * FRAME..30 * FRAME));
        assert_eq!(voice.span(10 * FRAME), None);
    }

    #[test]
    fn a_click_is_not_worth_hearing_and_a_word_is() {
        assert!(!heard(&[(10, false), (4, true), (30, false)]).is_worth_hearing(usize::MAX));
        assert!(heard(&[(10, false), (5, true)]).is_worth_hearing(usize::MAX));
    }

    #[test]
    fn a_cut_falls_into_the_middle_of_the_longest_pause() {
        let speech = |count| (count, true);
        let pause = |count| (count, false);
        let voice = heard(&[speech(10), pause(4), speech(10), pause(8), speech(10), pause(2), speech(10)]);
        assert_eq!(voice.pause(0..usize::MAX), 28 * FRAME);
        assert_eq!(voice.pause(0..24 * FRAME), 12 * FRAME);
        let mut voice = heard(&[speech(21)]);
        voice.frames[10].level = Decibels::new(-30.0);
        assert_eq!(voice.pause(0..usize::MAX), 10 * FRAME);
    }

    #[test]
    fn silence_and_clicks_are_not_voiced() {
        let mut voice = Voice::new();
        for n in 0..50 {
            let mut frame = Frame::SILENCE;
            frame.0[..50].fill(if n == 25 { 12_000 } else { 0 });
            voice.hear(&frame);
        }
        assert!(!voice.is_worth_hearing(usize::MAX));
    }
}
