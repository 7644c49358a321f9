//! Words to phonemes: the alphabet the embedded voice was trained on (misaki's, American English).
//!
//! A dictionary with a tagger (crate `misaki-rs`) reads what it knows, heteronyms by their part of speech; a small
//! network reads the rest. Both see spoken forms only: numbers and symbols are words before they come here.

mod unknown;

use std::{collections::BTreeMap, ops::Range, path::Path};

use misaki_rs::{G2P, Language};

use self::unknown::UnknownWords;
use crate::{ErrorKind, ProviderError, local::spoken::Word};

/// Reads English. Costly to load (a dictionary of 180 000 words), then shared by all.
pub(crate) struct Phonemes {
    provider: &'static str,
    g2p: G2P,
    ids: BTreeMap<char, i32>,
}

/// A run of words as the voice's alphabet.
#[derive(PartialEq, Eq, Debug, Default)]
pub(crate) struct Reading {
    /// One id for each sound, stress, space or punctuation mark; [`PAD`] at both ends.
    pub(crate) ids: Vec<i32>,
    /// For each word that sounds, in order: its index in the run and the ids that voice it.
    pub(crate) words: Vec<(usize, Range<usize>)>,
}

impl Phonemes {
    /// Loads the dictionary, and from `dir` the alphabet (`vocab.json`) and the network (`oov.onnx`, `oov.json`).
    pub(crate) fn load(provider: &'static str, dir: &Path) -> Result<Self, ProviderError> {
        let ids = read_json::<BTreeMap<char, i32>>(provider, &dir.join("vocab.json"))?;
        let unknown = UnknownWords::load(provider, dir)?;
        let mut g2p = G2P::with_fallback(Language::EnglishUS, Some(Box::new(unknown)));
        g2p.unk = String::new();
        Ok(Self { provider, g2p, ids })
    }

    /// Reads a run of words as one phrase: their sounds depend on each other ("the apple", "I read it yesterday").
    pub(crate) fn read(&self, run: &[Word]) -> Result<Reading, ProviderError> {
        let mut text = String::new();
        let mut ends = Vec::with_capacity(run.len());
        for word in run {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&word.spoken);
            ends.push(text.len());
        }
        let (_, tokens) = self.g2p.g2p(&text).map_err(|e| ProviderError::new(self.provider, ErrorKind::Protocol, e))?;
        let mut reading = Reading { ids: vec![PAD], words: Vec::with_capacity(run.len()) };
        let (mut at, mut index) = (0, 0);
        for token in &tokens {
            while index + 1 < ends.len() && at >= ends[index] {
                index += 1;
            }
            reading.token(index, token.phonemes.as_deref().unwrap_or_default(), &self.ids);
            at += token.text.len() + token.whitespace.len();
            if !token.whitespace.is_empty() {
                reading.ids.extend(self.ids.get(&' '));
            }
        }
        while reading.ids.last() == self.ids.get(&' ') && reading.ids.len() > 1 {
            reading.ids.pop();
        }
        reading.ids.push(PAD);
        Ok(reading)
    }
}

impl Reading {
    /// Whether nothing in it makes a sound.
    pub(crate) fn is_silent(&self) -> bool {
        self.words.is_empty()
    }

    fn token(&mut self, word: usize, phonemes: &str, alphabet: &BTreeMap<char, i32>) {
        let from = self.ids.len();
        self.ids.extend(phonemes.chars().filter_map(|c| alphabet.get(&c)));
        let sounds = from..self.ids.len();
        if !phonemes.chars().any(char::is_alphabetic) || sounds.is_empty() {
            return;
        }
        match self.words.last_mut() {
            Some((last, range)) if *last == word => range.end = sounds.end,
            Some(_) | None => self.words.push((word, sounds)),
        }
    }
}

/// Reads a small JSON file of a model; `Unavailable` when it is missing or malformed.
fn read_json<T: serde::de::DeserializeOwned>(provider: &'static str, file: &Path) -> Result<T, ProviderError> {
    let failed = |e: String| {
        ProviderError::new(provider, ErrorKind::Unavailable, format_args!("cannot read {}: {e}", file.display()))
    };
    let bytes = std::fs::read(file).map_err(|e| failed(e.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))
}

/// The id at both ends of a phrase: silence.
const PAD: i32 = 0;
