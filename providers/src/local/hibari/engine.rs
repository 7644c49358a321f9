//! One piece of speech from words: everything that computes, nothing that waits.

use std::{collections::VecDeque, ops::Range, path::Path, time::Duration};

use audio::SampleRate;

use super::{
    PROVIDER,
    acoustics::{Acoustics, Spectra},
    noise::Noise,
    silence::{self, Pause},
    vocoder::{HOP, Vocoder},
};
use crate::{
    ProviderError,
    local::{
        g2p::{Phonemes, Reading},
        piece,
        spoken::{self, Word},
    },
};

/// The loaded voice. Immutable: any number of threads may speak with it.
pub(super) struct Engine {
    phonemes: Phonemes,
    acoustics: Acoustics,
    vocoder: Vocoder,
}

/// What of a clause is still to be spoken.
pub(super) enum Rest {
    /// All of it, as it was written.
    Text(String),
    /// These words.
    Words(VecDeque<Word>),
}

/// A stretch of sound and its words.
#[derive(Default)]
pub(super) struct Piece {
    /// Samples at [`RATE`].
    pub(super) samples: Vec<i16>,
    /// For each word: bytes of the clause's text, when it begins and when it has ended.
    pub(super) words: Vec<(Range<usize>, Duration, Duration)>,
}

/// How fast to speak: what the network does itself, and by how much its frames are then skipped or repeated.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pace {
    network: f32,
    stretch: f32,
}

impl Pace {
    /// A pace of 0.25 to 4; beyond that the nearest of these. The network was trained for 0.5 to 2.
    pub(super) fn new(speed: f32) -> Self {
        let speed = if speed.is_finite() { speed.clamp(0.25, 4.0) } else { 1.0 };
        let network = speed.clamp(0.5, 2.0);
        Self { network, stretch: network / speed }
    }
}

impl Engine {
    pub(super) fn load(dir: &Path) -> Result<Self, ProviderError> {
        Ok(Self { acoustics: Acoustics::load(dir)?, phonemes: Phonemes::load(PROVIDER, dir)?, vocoder: Vocoder::new() })
    }

    /// Speaks the next piece of a clause. `first` asks for a short one, so that something is heard soon.
    pub(super) fn next(&self, rest: Rest, first: bool, pace: Pace) -> Result<(Piece, VecDeque<Word>), ProviderError> {
        let mut words = match rest {
            Rest::Text(text) => spoken::words(&text).into(),
            Rest::Words(words) => words,
        };
        let words_here = words.make_contiguous();
        let mut count = piece::length(words_here, first);
        let mut reading = self.phonemes.read(&words_here[..count])?;
        while reading.ids.len() > LONGEST && count > 1 {
            count /= 2;
            reading = self.phonemes.read(&words_here[..count])?;
        }
        let taken: Vec<Word> = words.drain(..count).collect();
        Ok((self.voice(&taken, &reading, pace)?, words))
    }

    fn voice(&self, words: &[Word], reading: &Reading, pace: Pace) -> Result<Piece, ProviderError> {
        if reading.is_silent() {
            return Ok(Piece::default());
        }
        let mut spectra = self.acoustics.run(&reading.ids, pace.network)?;
        spectra.stretch(pace.stretch);
        let mut samples = self.vocoder.render(&spectra, &mut Noise::for_ids(&reading.ids));
        let pause = Pause::after(words.last().map_or("", |word| &word.spoken));
        let cut = silence::trim(&mut samples, pause);
        let marks = Marks::new(&spectra, cut, samples.len());
        let words = reading.words.iter().map(|(word, ids)| {
            let (start, end) = marks.span(ids);
            (words[*word].source.clone(), start, end)
        });
        Ok(Piece { words: words.collect(), samples: samples.iter().map(|s| quantised(*s)).collect() })
    }
}

impl Rest {
    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Words(words) => words.is_empty(),
        }
    }
}

/// Where the ids of a piece lie in its trimmed samples.
struct Marks {
    ends: Vec<usize>,
    cut: usize,
    length: usize,
}

impl Marks {
    fn new(spectra: &Spectra, cut: usize, length: usize) -> Self {
        let mut end = 0;
        let ends = spectra.durations.iter().map(|frames| {
            end += frames;
            end
        });
        Self { ends: ends.collect(), cut, length }
    }

    /// From the first sample of the first id to the last of the last.
    fn span(&self, ids: &Range<usize>) -> (Duration, Duration) {
        let place = |id: Option<usize>| {
            let frames = id.and_then(|id| self.ends.get(id)).copied().unwrap_or(0);
            RATE.duration_of((frames * HOP).saturating_sub(self.cut).min(self.length))
        };
        (place(ids.start.checked_sub(1)), place(ids.end.checked_sub(1)))
    }
}

fn quantised(sample: f32) -> i16 {
    // `as` saturates, and turns a NaN into silence.
    (sample * 32_767.0).round() as i16
}

/// The rate of all samples.
pub(super) const RATE: SampleRate = SampleRate::HZ_24000;

/// Ids in one run of the network: its authors split above 400 phonemes.
const LONGEST: usize = 402;
