//! Phonemes to spectra: the neural half of the voice.
//!
//! The graph (hibari 0.2, Apache-2.0) reads phoneme ids and a pace and answers, for every 12.5 ms, five rows of 601
//! spectral bins and a pitch. Its own count of frames for each id is read from inside the graph: word times are exact.

use std::path::Path;

use rten_tensor::NdTensor;

use super::PROVIDER;
use crate::{
    ProviderError,
    local::graph::{Graph, Port},
};

/// The network and the places where it is fed and read.
pub(super) struct Acoustics {
    graph: Graph,
    ids: Port,
    speed: Port,
    outputs: [Port; 7],
}

/// What the network says one piece of speech sounds like, frame by frame.
pub(super) struct Spectra {
    /// Frames; every matrix below has [`BINS`] rows of this many columns.
    pub(super) frames: usize,
    /// Log magnitude of the voiced part.
    pub(super) harmonic: Vec<f32>,
    /// Phase of the voiced part, before `pi * tanh`.
    pub(super) turn: Vec<f32>,
    /// Log magnitude of the noise.
    pub(super) noise: Vec<f32>,
    /// Log magnitude of the free part.
    pub(super) free: Vec<f32>,
    /// Phase of the free part, in radians.
    pub(super) phase: Vec<f32>,
    /// Pitch in hertz, one per frame; 0 where unvoiced.
    pub(super) pitch: Vec<f32>,
    /// Frames each id lasts, pads included.
    pub(super) durations: Vec<usize>,
}

impl Acoustics {
    pub(super) fn load(dir: &Path) -> Result<Self, ProviderError> {
        let graph = Graph::load(PROVIDER, &dir.join("hibari.onnx"))?;
        let [ids, speed] = [graph.port("ids")?, graph.port("speed")?];
        let mut outputs = [ids; 7];
        for (port, name) in outputs.iter_mut().zip(["lh", "theta", "ln", "lr", "phi", "f0", ENDS]) {
            *port = graph.port(name)?;
        }
        Ok(Self { graph, ids, speed, outputs })
    }

    /// Runs the network over one piece; `ids` carries its pads, `speed` divides the durations.
    pub(super) fn run(&self, ids: &[i32], speed: f32) -> Result<Spectra, ProviderError> {
        let ids = NdTensor::from_data([1, ids.len()], ids.to_vec());
        let speed = NdTensor::from_data([1], vec![speed]);
        let inputs = vec![(self.ids, ids.into()), (self.speed, speed.into())];
        let [harmonic, turn, noise, free, phase, pitch, ends] = self.graph.run(inputs, self.outputs)?;
        let broken = |e| self.graph.broken(e);
        let ([_, frames], pitch) = pitch.into_shape_vec::<f32, 2>().map_err(broken)?;
        let (_, ends) = ends.into_shape_vec::<i32, 1>().map_err(broken)?;
        let matrix = |value: rten::Value| {
            let ([_, bins, columns], data) = value.into_shape_vec::<f32, 3>().map_err(broken)?;
            if (bins, columns) == (BINS, frames) {
                Ok(data)
            } else {
                Err(self.graph.broken("spectra of another shape"))
            }
        };
        // The graph counts in its own steps, each of which becomes the same number of frames.
        let steps = ends.last().map_or(1, |&end| end.max(1));
        let frame = |&end: &i32| usize::try_from(end).unwrap_or(0) * frames / steps as usize;
        let mut before = 0;
        let durations = ends.iter().map(frame).map(|end| end.saturating_sub(std::mem::replace(&mut before, end)));
        Ok(Spectra {
            frames,
            durations: durations.collect(),
            harmonic: matrix(harmonic)?,
            turn: matrix(turn)?,
            noise: matrix(noise)?,
            free: matrix(free)?,
            phase: matrix(phase)?,
            pitch,
        })
    }
}

impl Spectra {
    /// Repeats (above 1) or skips (below 1) frames, evenly: another pace at the same pitch.
    pub(super) fn stretch(&mut self, factor: f32) {
        if factor == 1.0 || self.frames == 0 {
            return;
        }
        let before = self.frames;
        let frames = ((before as f32 * factor).round() as usize).max(1);
        let from = |to: usize| ((to as f32 / factor) as usize).min(before - 1);
        for matrix in [&mut self.harmonic, &mut self.turn, &mut self.noise, &mut self.free, &mut self.phase] {
            *matrix = matrix.chunks(before).flat_map(|row| (0..frames).map(|to| row[from(to)])).collect();
        }
        self.pitch = (0..frames).map(|to| self.pitch[from(to)]).collect();
        let (mut end, mut placed) = (0, 0);
        for duration in &mut self.durations {
            end += *duration;
            let to = ((end as f32 * factor).round() as usize).min(frames);
            *duration = to - std::mem::replace(&mut placed, to);
        }
        self.frames = frames;
    }
}

/// Rows of a spectrum: a transform of 1200 samples, 0 to 12 kHz.
pub(super) const BINS: usize = 601;

/// The running sum of the ids' durations, an inner value of the graph just before it expands ids to frames.
const ENDS: &str = "/CumSum_output_0";
