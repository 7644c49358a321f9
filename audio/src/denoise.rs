//! Noise reduction for microphones in noisy places: RNNoise, at 48 kHz inside.
//!
//! Its state is some 100 KB, so sessions make one only when a client asks for it.

use std::{fmt, time::Duration};

use nnnoiseless::DenoiseState;

use crate::{Frame, Resampler, SampleRate};

/// Takes noise out of one stream, frame by frame.
///
/// What comes out is [`DELAY`](Self::DELAY) later in the stream than it went in: half a filter block up, half a
/// block down, and one of RNNoise's own frames.
pub struct Denoiser {
    up: Resampler,
    down: Resampler,
    state: Box<DenoiseState<'static>>,
    wide: Vec<i16>,
    narrow: Vec<i16>,
}

impl Denoiser {
    /// How much later sound comes out.
    pub const DELAY: Duration = Duration::from_millis(20);

    /// A denoiser at the beginning of a stream.
    pub fn new() -> Self {
        let between = |from, to| Resampler::new(from, to).expect("the rates share a divisor of 16 kHz");
        Self {
            up: between(Frame::RATE, INSIDE),
            down: between(INSIDE, Frame::RATE),
            state: DenoiseState::new(),
            wide: Vec::with_capacity(INSIDE.samples_in(Frame::DURATION)),
            narrow: Vec::with_capacity(Frame::SAMPLES),
        }
    }

    /// Takes the stream's next 20 ms and gives 20 ms without the noise.
    pub fn clean(&mut self, frame: &Frame) -> Frame {
        self.wide.clear();
        self.narrow.clear();
        self.up.process(frame.samples(), &mut self.wide);
        let (mut input, mut output) = ([0.0; DenoiseState::FRAME_SIZE], [0.0; DenoiseState::FRAME_SIZE]);
        for hop in self.wide.chunks_exact_mut(DenoiseState::FRAME_SIZE) {
            for (sample, slot) in hop.iter().zip(&mut input) {
                *slot = f32::from(*sample);
            }
            self.state.process_frame(&mut output, &input);
            for (slot, sample) in hop.iter_mut().zip(output) {
                *slot = sample.round() as i16;
            }
        }
        self.down.process(&self.wide, &mut self.narrow);
        let mut cleaned = Frame::SILENCE;
        for (slot, &sample) in cleaned.0.iter_mut().zip(&self.narrow) {
            *slot = sample;
        }
        cleaned
    }
}

impl Default for Denoiser {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Denoiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Denoiser")
    }
}

/// The rate RNNoise was trained at.
const INSIDE: SampleRate = SampleRate::HZ_48000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, codec::pcm16};

    #[test]
    fn speech_in_noise_comes_out_clearer_and_in_its_place() {
        let clean = speech();
        let noisy: Vec<i16> = clean.iter().zip(noise()).map(|(&sample, noise)| sample.saturating_add(noise)).collect();
        let mut denoiser = Denoiser::new();
        let cleaned: Vec<i16> = noisy.as_chunks().0.iter().flat_map(|&frame| denoiser.clean(&Frame(frame)).0).collect();
        let delay = Frame::RATE.samples_in(Denoiser::DELAY);
        let before = signal_to_noise(&clean, &noisy);
        let best = (0..800)
            .max_by(|&a, &b| signal_to_noise(&clean, &cleaned[a..]).total_cmp(&signal_to_noise(&clean, &cleaned[b..])));
        assert_eq!(best, Some(delay), "the delay is as stated");
        let after = signal_to_noise(&clean, &cleaned[delay..]);
        assert!(after > before + 3.0, "from {before:.1} to {after:.1} dB");
    }

    #[test]
    fn noise_alone_comes_out_15_db_quieter() {
        let noisy: Vec<i16> = noise().take(64_000).collect();
        let mut denoiser = Denoiser::new();
        let cleaned: Vec<i16> = noisy.as_chunks().0.iter().flat_map(|&frame| denoiser.clean(&Frame(frame)).0).collect();
        let (before, after) = (Level::of(&noisy[32_000..]).rms, Level::of(&cleaned[32_000..]).rms);
        assert!(after.dbfs() < before.dbfs() - 15.0, "from {before} to {after}");
    }

    fn signal_to_noise(clean: &[i16], other: &[i16]) -> f64 {
        let energy = |difference: f64| difference * difference;
        let pairs = || clean.iter().zip(other);
        let signal: f64 = pairs().map(|(&clean, _)| energy(f64::from(clean))).sum();
        let noise: f64 = pairs().map(|(&clean, &other)| energy(f64::from(other) - f64::from(clean))).sum();
        10.0 * (signal / noise).log10()
    }

    fn speech() -> Vec<i16> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/austen-0870.wav");
        let mut samples = Vec::new();
        pcm16::decode(None, &std::fs::read(path).unwrap()[44..], &mut samples);
        samples
    }

    fn noise() -> impl Iterator<Item = i16> {
        let mut seed = 3_u32;
        std::iter::repeat_with(move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i16 / 16
        })
    }
}
