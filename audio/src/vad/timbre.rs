//! Whether a voice changes its sound as words do, or holds one: "mm-hm", "uh-huh", a hum, a cough.
//!
//! The shape of the spectrum, pitch and loudness left out, is compared between all the loud moments of a stretch. Within
//! a fifth of a second a vocal tract that speaks has moved; one that says "go on" has not. Measured on real and made
//! speech: docs/benchmarks.md, "Signs of listening".

use crate::Frame;

/// What one stretch of speech has sounded like so far.
#[derive(Clone, Debug)]
pub(super) struct Timbre {
    varied: bool,
    /// The first loud moments.
    kept: [Moment; KEPT],
    count: usize,
    /// Power of the loudest moment; zero before anybody speaks.
    loudest: f32,
    /// Frames since the last hiss, before anybody speaks.
    calm: u8,
}

/// 20 ms of it.
#[derive(Clone, Copy, Debug)]
struct Moment {
    shape: Shape,
    /// Mean square of the samples.
    power: f32,
    /// A hiss is most of it, as in "s".
    hisses: bool,
}

/// The envelope of a spectrum: cepstral coefficients 1 to [`ORDER`] of linear prediction.
type Shape = [f32; ORDER];

impl Timbre {
    pub(super) const fn new() -> Self {
        let silent = Moment { shape: [0.0; ORDER], power: 0.0, hisses: false };
        Self { varied: false, kept: [silent; KEPT], count: 0, loudest: 0.0, calm: 0 }
    }

    /// What comes next is another stretch.
    pub(super) const fn reset(&mut self) {
        (self.varied, self.count, self.loudest, self.calm) = (false, 0, 0.0, 0);
    }

    /// Nobody speaks. Yet a hiss may be the "s" of "stop", which no detector takes for a voice: it is kept for a moment.
    pub(super) fn rest(&mut self, frame: &Frame) {
        if self.loudest > 0.0 || self.calm == CALM {
            self.reset();
        }
        if power(frame) >= INAUDIBLE {
            let moment = Moment::of(frame);
            if moment.hisses {
                self.kept[self.count % HISSES] = moment;
                (self.count, self.calm) = ((self.count + 1).min(HISSES), 0);
                return;
            }
        }
        self.calm += u8::from(self.count > 0);
    }

    /// Whether the sound has changed as in words.
    pub(super) const fn is_varied(&self) -> bool {
        self.varied
    }

    /// Takes the stretch's next 20 ms: a microsecond or two until it has varied, nothing after.
    pub(super) fn hear(&mut self, frame: &Frame) {
        if self.varied {
            return;
        }
        let moment = Moment::of(frame);
        self.loudest = self.loudest.max(moment.power);
        if !moment.counts(self.loudest) {
            return;
        }
        let others = self.kept[..self.count].iter().filter(|other| other.counts(self.loudest));
        self.varied = others.map(|other| distance(&moment.shape, &other.shape)).any(|distance| distance >= VARIED);
        if let Some(free) = self.kept.get_mut(self.count) {
            *free = moment;
            self.count += 1;
        }
    }
}

impl Moment {
    fn of(frame: &Frame) -> Self {
        let samples = frame.samples();
        let power = power(frame);
        let mut sharp = [0.0; Frame::SAMPLES];
        for (at, sharp) in sharp.iter_mut().enumerate().skip(1) {
            *sharp = HANN[at] * (f32::from(samples[at]) - EMPHASIS * f32::from(samples[at - 1]));
        }
        let mut likeness = [0.0_f32; ORDER + 1];
        for (lag, sum) in likeness.iter_mut().enumerate() {
            *sum = sharp[lag..].iter().zip(&sharp).map(|(a, b)| a * b).sum();
        }
        let hisses = likeness[0] > power * HANN_POWER;
        // A floor of faint noise: digital silence has no shape.
        likeness[0] = likeness[0] * 1.001 + FLOOR;
        Self { shape: cepstrum(&prediction(&likeness)), power, hisses }
    }

    /// Whether it is loud enough beside the loudest to say something: breath between hums and fading ends are not.
    fn counts(&self, loudest: f32) -> bool {
        let least = loudest * if self.hisses { FAINT_HISS } else { FAINT };
        self.power >= least.max(INAUDIBLE)
    }
}

/// Mean square of the samples.
fn power(frame: &Frame) -> f32 {
    let samples = frame.samples();
    samples.iter().map(|&sample| f32::from(sample).powi(2)).sum::<f32>() / samples.len() as f32
}

/// Coefficients of the linear prediction (Levinson and Durbin) of a sound with this autocorrelation.
fn prediction(likeness: &[f32; ORDER + 1]) -> [f32; ORDER + 1] {
    let mut filter = [0.0; ORDER + 1];
    filter[0] = 1.0;
    let mut error = likeness[0];
    for order in 1..=ORDER {
        let sum: f32 = (0..order).map(|at| filter[at] * likeness[order - at]).sum();
        let reflection = -sum / error;
        let before = filter;
        for at in 1..=order {
            filter[at] = before[at] + reflection * before[order - at];
        }
        error *= 1.0 - reflection * reflection;
    }
    filter
}

fn cepstrum(filter: &[f32; ORDER + 1]) -> Shape {
    let mut shape = [0.0; ORDER];
    for at in 1..=ORDER {
        let sum: f32 = (1..at).map(|k| k as f32 / at as f32 * shape[k - 1] * filter[at - k]).sum();
        shape[at - 1] = -filter[at] - sum;
    }
    shape
}

/// How far two envelopes are apart on average over frequency, in dB.
fn distance(one: &Shape, other: &Shape) -> f32 {
    let sum: f32 = one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
    10.0 / std::f32::consts::LN_10 * (2.0 * sum).sqrt()
}

/// The window of a frame.
static HANN: [f32; Frame::SAMPLES] = hann();

/// `sin²`, by the recurrence of the cosine: no trigonometry is to be had at compile time.
const fn hann() -> [f32; Frame::SAMPLES] {
    // cos(2π / 320) in double precision.
    const STEP: f64 = 0.999_807_240_482_064_8;
    let mut window = [0.0; Frame::SAMPLES];
    let (mut before, mut cosine) = (STEP, 1.0);
    let mut at = 0;
    while at < Frame::SAMPLES {
        window[at] = (0.5 - 0.5 * cosine) as f32;
        (before, cosine) = (cosine, 2.0 * STEP * cosine - before);
        at += 1;
    }
    window
}

/// Formants up to 8 kHz are four; two coefficients each.
const ORDER: usize = 8;
/// Moments compared with: the first 320 ms, since a hum that turns into words does so within its next moments.
const KEPT: usize = 16;
/// Hisses kept from before a voice: the newest are enough.
const HISSES: usize = 4;
/// Frames from a hiss to the voice of the same word: "t" closes the mouth for half of them.
const CALM: u8 = 6;
/// dB between two moments that make words. Measured: 95 % of real words have them within a quarter of a second, hums
/// keep below 5.
const VARIED: f32 = 5.5;
/// Takes away the fall of a voice's spectrum towards high frequencies.
const EMPHASIS: f32 = 0.9;
/// Power of the window, summed.
const HANN_POWER: f32 = 0.375 * Frame::SAMPLES as f32;
/// Added to the autocorrelation at lag 0: white noise of 10 steps of 16 bits.
const FLOOR: f32 = 10.0 * Frame::SAMPLES as f32;
/// 10 dB below the loudest moment, and for a hiss, which is always weaker than vowels, 20.
const FAINT: f32 = 0.1;
const FAINT_HISS: f32 = 0.01;
/// −55 dBFS, in steps of 16 bits squared.
const INAUDIBLE: f32 = 3_600.0;
