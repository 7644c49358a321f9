//! What Whisper made of a stretch of sound, and whether to believe it.

use std::time::Duration;

use crate::stt::{Segment, Word};

/// The text of a stretch, in segments. Times are from the start of the utterance.
#[derive(Clone, Debug, Default)]
pub(super) struct Hearing {
    pub(super) segments: Vec<Segment>,
    pub(super) words: Vec<Word>,
    /// ISO 639-1.
    pub(super) language: Option<&'static str>,
}

impl Hearing {
    /// The text, as one line.
    pub(super) fn text(&self) -> String {
        self.segments.iter().map(|segment| segment.text.as_str()).collect()
    }
}

/// Mean log-probability below which a segment is a guess at noise: invented words score -1.2 to -1.9 on the noises of
/// `tests/embedded/whisper.rs`, the worst real word -0.95.
const BELIEVABLE: f32 = -1.15;

/// Whether a segment is words that were said, rather than a remark about the sound or an invention.
pub(super) fn is_speech(text: &str, avg_logprob: f32) -> bool {
    let text = text.trim();
    // "[BLANK_AUDIO]", "(upbeat music)", "*sighs*", "♪ ♪": Whisper describes what is not speech.
    let remark = [('[', ']'), ('(', ')'), ('*', '*'), ('♪', '♪')];
    let is_remark = remark.iter().any(|(open, close)| text.starts_with(*open) && text.ends_with(*close));
    avg_logprob >= BELIEVABLE && !is_remark && text.chars().any(char::is_alphanumeric)
}

/// Whether the text runs in circles, as Whisper does when its window is cut short.
///
/// People repeat themselves too: "no no no", "ever tried, ever failed". A loop says the same one or two words four times
/// in a row, or the same longer phrase three times, and says them faster than anybody speaks.
pub(super) fn is_loop(text: &str, duration: Duration) -> bool {
    /// Words a second: fast speech has four to five.
    const FASTEST: f32 = 5.5;
    let words: Vec<String> = text.split_whitespace().map(plain).collect();
    let rate = words.len() as f32 / duration.as_secs_f32().max(0.5);
    (1..=words.len() / 2).any(|size| {
        let times = repeats(&words, size);
        let most = if size < 3 { 4 } else { 3 };
        times >= most && rate > FASTEST || times >= 3 * most
    })
}

/// The most times in a row that a phrase of `size` words occurs.
fn repeats(words: &[String], size: usize) -> usize {
    let mut most = 1;
    for start in 0..size {
        let phrases: Vec<&[String]> = words[start..].chunks_exact(size).collect();
        let longest = phrases.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        most = most.max(longest.unwrap_or(1));
    }
    most
}

/// A word without case and punctuation.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_about_the_sound_are_not_speech() {
        for remark in ["[BLANK_AUDIO]", " (upbeat music)", "[ Silence ]", "*sighs*", "♪ ♪", " ...", ""] {
            assert!(!is_speech(remark, -0.1), "{remark}");
        }
        assert!(is_speech(" Call Bob (my brother) at 5.", -0.1));
        assert!(!is_speech(" I'm going to put it on the top.", -1.5));
    }

    #[test]
    fn loops_are_told_from_people_repeating_themselves() {
        let seconds = Duration::from_secs;
        assert!(is_loop(&"5 ".repeat(17), seconds(2)));
        assert!(is_loop(&"ten of clubs ".repeat(6), seconds(2)));
        assert!(is_loop(&"and so on ".repeat(30), seconds(25)));
        assert!(!is_loop("Ever tried. Ever failed. Ever tried. Ever failed.", seconds(4)));
        assert!(!is_loop("no no no no no", seconds(2)));
        assert!(!is_loop("ten of clubs ten of clubs", seconds(2)));
        assert!(!is_loop("", seconds(0)));
    }
}
