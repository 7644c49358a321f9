//! Spectra to sound: signal code without a network.
//!
//! A pulse train at the predicted pitch goes through the voiced filter; shaped noise and a free-phase part are added;
//! one inverse transform gives the samples (1200 points, hop 300, Hann, 24 kHz). After hibari's `dsp.py` (Apache-2.0):
//! `S = e^harmonic e^(i pi tanh turn) STFT(pulses) + e^noise Z + e^free e^(i phase)`.

use std::{f32::consts::PI, sync::Arc};

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex, num_complex::Complex32};

use super::{
    acoustics::{BINS, Spectra},
    noise::Noise,
};

/// Plans and window, shared by all speech.
pub(super) struct Vocoder {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
}

impl Vocoder {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let angle = |i: usize| 2.0 * std::f64::consts::PI * i as f64 / SIZE as f64;
        Self {
            forward: planner.plan_fft_forward(SIZE),
            inverse: planner.plan_fft_inverse(SIZE),
            window: (0..SIZE).map(|i| (0.5 - 0.5 * angle(i).cos()) as f32).collect(),
        }
    }

    /// Samples at 24 kHz, [`HOP`] for each frame. The same spectra give the same sound.
    pub(super) fn render(&self, spectra: &Spectra, noise: &mut Noise) -> Vec<f32> {
        let frames = spectra.frames;
        let source = pulses(&spectra.pitch);
        let mut sum = vec![0.0; SIZE + frames * HOP];
        let mut weight = vec![0.0; sum.len()];
        let mut samples = self.forward.make_input_vec();
        let mut spectrum = self.forward.make_output_vec();
        let mut scratch =
            vec![Complex32::default(); self.forward.get_scratch_len().max(self.inverse.get_scratch_len())];
        for frame in 0..frames {
            for (i, sample) in samples.iter_mut().enumerate() {
                *sample = mirrored(&source, frame * HOP + i) * self.window[i] * SOURCE_GAIN;
            }
            // Both transforms get buffers of their own planned lengths and a real first and last bin: they cannot fail.
            let _ = self.forward.process_with_scratch(&mut samples, &mut spectrum, &mut scratch);
            shape(spectra, frame, &mut spectrum, noise);
            let _ = self.inverse.process_with_scratch(&mut spectrum, &mut samples, &mut scratch);
            let at = frame * HOP;
            for (i, (&sample, &window)) in samples.iter().zip(&self.window).enumerate() {
                sum[at + i] += sample * window / SIZE as f32;
                weight[at + i] += window * window;
            }
        }
        let inside = SIZE / 2..SIZE / 2 + frames * HOP;
        sum[inside.clone()].iter().zip(&weight[inside]).map(|(s, w)| s / w.max(1e-11)).collect()
    }
}

/// Turns the spectrum of one frame's pulses into that of its speech.
fn shape(spectra: &Spectra, frame: usize, spectrum: &mut [Complex32], noise: &mut Noise) {
    for (bin, value) in spectrum.iter_mut().enumerate().take(BINS) {
        let at = bin * spectra.frames + frame;
        let voiced = Complex32::from_polar(level(spectra.harmonic[at]), PI * spectra.turn[at].tanh());
        let free = Complex32::from_polar(level(spectra.free[at]), spectra.phase[at]);
        *value = *value * voiced + noise.complex() * level(spectra.noise[at]) + free;
    }
    spectrum[0].im = 0.0;
    spectrum[BINS - 1].im = 0.0;
}

/// A log magnitude as a magnitude, bounded as in training so that a wild value cannot deafen.
fn level(log: f32) -> f32 {
    log.min(7.0).exp()
}

/// The signal continued by its mirror image at both ends, counted from half a transform before its start.
fn mirrored(signal: &[f32], at: usize) -> f32 {
    let last = signal.len() as isize - 1;
    let at = (at as isize - (SIZE / 2) as isize).abs();
    let at = if at > last { 2 * last - at } else { at };
    usize::try_from(at).ok().and_then(|at| signal.get(at)).copied().unwrap_or(0.0)
}

/// A band-limited pulse train at the given pitch: all harmonics below 11 kHz at unit amplitude, 0 where unvoiced.
fn pulses(pitch: &[f32]) -> Vec<f32> {
    let last = pitch.len().saturating_sub(1);
    let mut cycles = 0.0_f64;
    let mut out = Vec::with_capacity(pitch.len() * HOP);
    for frame in 0..pitch.len() {
        for j in 0..HOP {
            let place = (j as f32 + 0.5) / HOP as f32 - 0.5;
            let (from, to, part) = if place < 0.0 {
                (frame.saturating_sub(1), frame, place + 1.0)
            } else {
                (frame, (frame + 1).min(last), place)
            };
            let hertz = pitch[from] * (1.0 - part) + pitch[to] * part;
            let tone = hertz.max(LOWEST);
            cycles = (cycles + f64::from(tone) / RATE).fract();
            out.push(if hertz > LOWEST { pulse(cycles, (HIGHEST / tone).floor()) } else { 0.0 });
        }
    }
    out
}

/// `cos t + cos 2t + … + cos nt` in closed form, `cycles` of a turn into the period.
fn pulse(cycles: f64, harmonics: f32) -> f32 {
    let angle = (cycles * 2.0 * std::f64::consts::PI) as f32;
    let order = harmonics + 0.5;
    let below = 2.0 * (angle * 0.5).sin();
    // Near a whole turn both sines vanish; their quotient tends to the order.
    if below.abs() <= 2e-3 { order - 0.5 } else { (order * angle).sin() / below - 0.5 }
}

/// Samples from one frame to the next.
pub(super) const HOP: usize = 300;

/// Points of a transform.
const SIZE: usize = 1200;
/// Samples per second.
const RATE: f64 = 24_000.0;
/// A unit cosine then peaks at one: the window's sum is half the transform.
const SOURCE_GAIN: f32 = 4.0 / SIZE as f32;
/// Below this the voice is noise, in hertz.
const LOWEST: f32 = 40.0;
/// No harmonic above this, in hertz: the band ends at 12 kHz.
const HIGHEST: f32 = 11_000.0;
