//! Where in an utterance somebody speaks: 16 ms windows judged by a small network.
//!
//! Whisper invents words for noise and spends time on silence; this says what is worth its time. The turn logic has its
//! own detector: this one also serves files, which nobody has judged before.

use std::ops::Range;

use earshot::Detector;

/// Samples a window.
const WINDOW: usize = 256;
/// Score, of 255, from which a window counts as voice: F1-optimal on clean and on 10 dB speech (0.23 to 0.28).
const VOICE: u8 = 64;
/// Score from which a window is surely voice.
const SURE: u8 = 128;
/// So many sure windows make a stretch worth hearing: 96 ms, shorter than a word, longer than a click or the
/// detector's own start on loud noise.
const WORTH: usize = 6;

/// The voice activity of a stretch of sound that grows at its end and is cut at its beginning.
pub(super) struct Voice {
    detector: Box<Detector>,
    partial: Vec<i16>,
    scores: Vec<u8>,
}

impl Voice {
    pub(super) fn new() -> Self {
        Self { detector: Detector::default().into(), partial: Vec::with_capacity(WINDOW), scores: Vec::new() }
    }

    /// Judges the samples that follow those given before.
    pub(super) fn hear(&mut self, samples: &[i16]) {
        for sample in samples {
            self.partial.push(*sample);
            if self.partial.len() == WINDOW {
                let score = self.detector.predict_i16(&self.partial);
                self.scores.push((score.clamp(0.0, 1.0) * 255.0) as u8);
                self.partial.clear();
            }
        }
    }

    /// Forgets whole windows from the beginning, at most `samples`; says how many samples that were.
    pub(super) fn forget(&mut self, samples: usize) -> usize {
        let windows = (samples / WINDOW).min(self.scores.len());
        self.scores.drain(..windows);
        windows * WINDOW
    }

    /// Whether the samples before `until` hold enough voice to be worth hearing.
    pub(super) fn is_worth_hearing(&self, until: usize) -> bool {
        self.before(until).iter().filter(|score| **score >= SURE).nth(WORTH - 1).is_some()
    }

    /// From the beginning of the first to the end of the last voiced window before `until`, in samples.
    pub(super) fn span(&self, until: usize) -> Option<Range<usize>> {
        let scores = self.before(until);
        let first = scores.iter().position(|score| *score >= VOICE)?;
        let last = scores.iter().rposition(|score| *score >= VOICE)?;
        Some(first * WINDOW..(last + 1) * WINDOW)
    }

    /// The middle of the longest pause within `range` of samples; without a pause its least voiced window.
    pub(super) fn pause(&self, range: Range<usize>) -> usize {
        let first = range.start / WINDOW;
        let scores = self.before(range.end).get(first..).unwrap_or_default();
        let quiet = scores.chunk_by(|a, b| (*a < VOICE) == (*b < VOICE));
        let starts = quiet.scan(first, |at, run| {
            let start = *at;
            *at += run.len();
            Some((start, run))
        });
        let pauses = starts.filter(|(_, run)| run.first().is_some_and(|score| *score < VOICE));
        let longest = pauses.max_by_key(|(_, run)| run.len()).map(|(start, run)| start + run.len() / 2);
        let softest = || (first..).zip(scores).min_by_key(|(_, score)| **score).map_or(first, |(at, _)| at);
        longest.unwrap_or_else(softest) * WINDOW
    }

    fn before(&self, until: usize) -> &[u8] {
        &self.scores[..self.scores.len().min(until.div_ceil(WINDOW))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(scores: &[(usize, u8)]) -> Voice {
        let scores = scores.iter().flat_map(|(count, score)| vec![*score; *count]).collect();
        Voice { scores, ..Voice::new() }
    }

    #[test]
    fn the_span_reaches_from_the_first_to_the_last_voiced_window() {
        let voice = scored(&[(10, 5), (20, 200), (10, 5), (5, 70), (30, 0)]);
        assert_eq!(voice.span(usize::MAX), Some(10 * WINDOW..45 * WINDOW));
        assert_eq!(voice.span(35 * WINDOW), Some(10 * WINDOW..30 * WINDOW));
        assert_eq!(voice.span(10 * WINDOW), None);
    }

    #[test]
    fn a_click_is_not_worth_hearing_and_a_word_is() {
        assert!(!scored(&[(10, 5), (5, 250), (30, 100)]).is_worth_hearing(usize::MAX));
        assert!(scored(&[(10, 5), (6, 250)]).is_worth_hearing(usize::MAX));
    }

    #[test]
    fn a_cut_falls_into_the_middle_of_the_longest_pause() {
        let voice = scored(&[(10, 200), (4, 0), (10, 200), (8, 0), (10, 200), (2, 0), (10, 200)]);
        assert_eq!(voice.pause(0..usize::MAX), 28 * WINDOW);
        assert_eq!(voice.pause(0..24 * WINDOW), 12 * WINDOW);
        assert_eq!(scored(&[(10, 200), (1, 100), (10, 200)]).pause(0..usize::MAX), 10 * WINDOW);
    }

    #[test]
    fn silence_and_clicks_score_low() {
        let mut voice = Voice::new();
        let mut samples = [0_i16; 16_000];
        samples[8_000..8_050].fill(12_000);
        voice.hear(&samples);
        assert!(!voice.is_worth_hearing(usize::MAX));
    }
}
