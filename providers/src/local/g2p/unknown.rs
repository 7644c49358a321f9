//! Words the dictionary lacks, read letter by letter by a small network.
//!
//! hibari's `oov.onnx` (Apache-2.0), a character transformer of 0.65 M weights. Its answer is CTC: repeats collapse,
//! blanks vanish.

use std::{collections::BTreeMap, path::Path};

use misaki_rs::{Fallback, fallback::FallbackError};
use rten_tensor::NdTensor;
use serde::Deserialize;

use super::read_json;
use crate::{
    ProviderError,
    local::graph::{Graph, Port},
};

/// The network and its two alphabets.
pub(super) struct UnknownWords {
    graph: Graph,
    chars: Port,
    answer: Port,
    letters: BTreeMap<char, i32>,
    sounds: Vec<char>,
    longest: usize,
}

#[derive(Deserialize)]
struct Alphabets {
    r#in: Vec<char>,
    out: Vec<char>,
    maxlen: usize,
}

impl UnknownWords {
    pub(super) fn load(provider: &'static str, dir: &Path) -> Result<Self, ProviderError> {
        let graph = Graph::load(provider, &dir.join("oov.onnx"))?;
        let alphabets = read_json::<Alphabets>(provider, &dir.join("oov.json"))?;
        let [chars, answer] = [graph.port("chars")?, graph.port("ids")?];
        let letters = alphabets.r#in.into_iter().zip(1..).collect();
        Ok(Self { graph, chars, answer, letters, sounds: alphabets.out, longest: alphabets.maxlen.max(1) })
    }

    /// Reads one word of letters, in stretches the network was trained for.
    fn read(&self, word: &str, out: &mut String) -> Result<(), ProviderError> {
        let letters: Vec<i32> = word.chars().filter_map(|c| self.letters.get(&c).copied()).collect();
        for stretch in letters.chunks(self.longest) {
            let input = NdTensor::from_data([1, stretch.len()], stretch.to_vec());
            let [answer] = self.graph.run(vec![(self.chars, input.into())], [self.answer])?;
            let (_, ids) = answer.into_shape_vec::<i32, 2>().map_err(|e| self.graph.broken(e))?;
            let mut last = 0;
            for id in ids {
                if id != last && id > 0 {
                    out.extend(usize::try_from(id - 1).ok().and_then(|i| self.sounds.get(i)));
                }
                last = id;
            }
        }
        Ok(())
    }
}

impl Fallback for UnknownWords {
    fn phonemize(&self, text: &str) -> Result<String, FallbackError> {
        let mut out = String::new();
        for word in text.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’').filter(|word| !word.is_empty())
        {
            if !out.is_empty() {
                out.push(' ');
            }
            if let Err(e) = self.read(word, &mut out) {
                // A word left out is better than a phrase left out.
                tracing::warn!(error = %e, "an unknown word could not be read");
            }
        }
        Ok(out)
    }
}
