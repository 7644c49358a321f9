//! Smart-turn: whether a pause ends the turn, judged from the melody of the last 8 s.
//!
//! The model is pipecat's smart-turn v3.2; its features are Whisper's, computed as its authors' package does
//! (`_whisper_features.py`): sound padded with silence at the front, normalised, log-mel, clipped to 8 decades below
//! the loudest.

use std::{f32::consts::TAU, fmt, path::Path, sync::Arc};

use audio::Frame;
use futures_util::future::{BoxFuture, FutureExt};
use realfft::{RealFftPlanner, RealToComplex};
use rten::{Model, RunOptions, ThreadPool};
use rten_tensor::{NdTensor, prelude::*};

use super::{
    mel::{self, BANDS, BINS},
    pool::{Pool, Priority},
};
use crate::{ErrorKind, ProviderError, TurnDetector};

/// The smart-turn model. One in memory serves all sessions.
#[derive(Clone)]
pub struct SmartTurn(Arc<Judge>);

impl SmartTurn {
    /// Reads `smart-turn.onnx`; takes about 0.1 s, so not on a runtime thread.
    ///
    /// # Errors
    /// `Unavailable`, naming the file and the remedy, when it is missing or no model.
    pub fn load(path: &Path, pool: Arc<Pool>) -> Result<Self, ProviderError> {
        let model = Model::load_file(path).map_err(|error| super::unusable(NAME, path, error))?;
        Ok(Self(Arc::new(Judge { model, features: Features::new(), threads: single(), pool })))
    }
}

impl TurnDetector for SmartTurn {
    fn complete(&self, audio: Vec<Frame>) -> BoxFuture<'_, Result<f32, ProviderError>> {
        let judge = Arc::clone(&self.0);
        let job = move || judge.probability(&audio);
        let pool = &self.0.pool;
        // Advice: worth nothing when it comes late, so it never displaces a transcript.
        async move { pool.run(pool.key(), Priority::Soon, job).await? }.boxed()
    }
}

impl fmt::Debug for SmartTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmartTurn")
    }
}

struct Judge {
    model: Model,
    features: Features,
    threads: Arc<ThreadPool>,
    pool: Arc<Pool>,
}

impl Judge {
    fn probability(&self, audio: &[Frame]) -> Result<f32, ProviderError> {
        let failed = |error: &dyn fmt::Display| ProviderError::new(NAME, ErrorKind::Unavailable, error);
        let features = NdTensor::from_data([1, BANDS, STEPS], self.features.of(audio));
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let output = self.model.run_one(features.into(), Some(options)).map_err(|error| failed(&error))?;
        let output: rten_tensor::Tensor<f32> = output.try_into().map_err(|_| failed(&"the answer is no number"))?;
        output.iter().next().copied().ok_or_else(|| failed(&"no answer"))
    }
}

/// The pool gives each run one thread; rten must not take more.
fn single() -> Arc<ThreadPool> {
    Arc::new(ThreadPool::with_num_threads(1))
}

/// Log-mel features of 8 s.
struct Features {
    filters: Vec<[f32; BINS]>,
    hann: [f32; POINTS],
    transform: Arc<dyn RealToComplex<f32>>,
}

impl Features {
    fn new() -> Self {
        Self {
            filters: mel::filters(),
            hann: std::array::from_fn(|n| 0.5 - 0.5 * (TAU * n as f32 / POINTS as f32).cos()),
            transform: RealFftPlanner::new().plan_fft_forward(POINTS),
        }
    }

    /// Band after band, [`STEPS`] values each.
    fn of(&self, audio: &[Frame]) -> Vec<f32> {
        let samples = mirrored(&normalised(audio));
        let mut logs = vec![0.0; BANDS * STEPS];
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut windowed = [0.0; POINTS];
        for step in 0..STEPS {
            let heard = &samples[step * HOP..step * HOP + POINTS];
            for ((out, sample), weight) in windowed.iter_mut().zip(heard).zip(&self.hann) {
                *out = sample * weight;
            }
            // Cannot fail: all three buffers were made for this transform.
            let _ = self.transform.process_with_scratch(&mut windowed, &mut spectrum, &mut scratch);
            for (band, filter) in self.filters.iter().enumerate() {
                let power: f32 = filter.iter().zip(&spectrum).map(|(weight, bin)| weight * bin.norm_sqr()).sum();
                logs[band * STEPS + step] = power.max(1e-10).log10();
            }
        }
        let loudest = logs.iter().copied().fold(f32::MIN, f32::max);
        logs.iter_mut().for_each(|log| *log = (log.max(loudest - 8.0) + 4.0) / 4.0);
        logs
    }
}

/// The last 8 s, silence before them, at zero mean and unit variance.
fn normalised(audio: &[Frame]) -> Vec<f32> {
    let kept = &audio[audio.len().saturating_sub(LENGTH / Frame::SAMPLES)..];
    let mut samples = vec![0.0; LENGTH - kept.len() * Frame::SAMPLES];
    samples.extend(kept.iter().flat_map(Frame::samples).map(|sample| f32::from(*sample) / 32_768.0));
    let count = LENGTH as f64;
    let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (f64::from(*sample) - mean).powi(2)).sum::<f64>() / count;
    let (mean, scale) = (mean as f32, 1.0 / (variance + 1e-7).sqrt() as f32);
    samples.iter_mut().for_each(|sample| *sample = (*sample - mean) * scale);
    samples
}

/// Half a window of reflection at both ends, so that windows are centred on their step.
fn mirrored(samples: &[f32]) -> Vec<f32> {
    let half = POINTS / 2;
    let before = samples[1..=half].iter().rev();
    let after = samples[samples.len() - half - 1..samples.len() - 1].iter().rev();
    before.chain(samples).chain(after).copied().collect()
}

const NAME: &str = "local/smart-turn";
/// Samples of 8 s.
const LENGTH: usize = 128_000;
/// Points of a window: 25 ms.
const POINTS: usize = 400;
/// Samples between windows: 10 ms.
const HOP: usize = 160;
/// Windows of 8 s.
const STEPS: usize = LENGTH / HOP;
