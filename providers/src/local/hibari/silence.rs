//! The quiet before and after a piece, cut to what a speaker would leave.

/// How long a speaker rests after a piece, in samples at 24 kHz.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pause(usize);

impl Pause {
    /// The rest that the last mark of `text` asks for.
    pub(super) fn after(text: &str) -> Self {
        let mark = text.chars().rev().find(|c| !matches!(c, '"' | '”' | ')'));
        Self(match mark {
            Some('.' | '!' | '?' | '…') => 300 * MILLISECOND,
            Some(',' | ';' | ':' | '—') => 160 * MILLISECOND,
            Some(_) | None => 60 * MILLISECOND,
        })
    }
}

/// Cuts the quiet at both ends to [`LEAD`] and at most `pause`, with the cut ends faded. Says how many samples went from the start.
pub(super) fn trim(samples: &mut Vec<f32>, pause: Pause) -> usize {
    let loud = |s: &f32| s.abs() > QUIET;
    let (Some(first), Some(last)) = (samples.iter().position(loud), samples.iter().rposition(loud)) else {
        return 0;
    };
    samples.truncate((last + 1 + pause.0).min(samples.len()));
    let cut = first.saturating_sub(LEAD);
    samples.drain(..cut);
    let fade = FADE.min(samples.len());
    let end = samples.len() - fade;
    for i in 0..fade {
        let gain = i as f32 / fade as f32;
        samples[i] *= gain;
        samples[end + fade - 1 - i..=end + fade - 1 - i][0] *= gain;
    }
    cut
}

/// One millisecond in samples at 24 kHz.
const MILLISECOND: usize = 24;
/// Kept before the first sound: a soft consonant may lie under the threshold.
const LEAD: usize = 40 * MILLISECOND;
/// Long enough to hide a step, shorter than any sound.
const FADE: usize = 5 * MILLISECOND;
/// About -46 dB: above the voice's own breath, below its softest consonants.
const QUIET: f32 = 0.005;
