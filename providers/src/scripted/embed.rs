//! Embeddings of words alone: texts are as near as they share words. For tests, where no model is.

use futures_util::{FutureExt, future::BoxFuture, future::ready};

use crate::{
    ErrorKind, ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
};

/// Counts words by their hashes. A text with the word `unembeddable` fails the request.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbeddingModel;

impl crate::EmbeddingModel for EmbeddingModel {
    fn capabilities(&self) -> EmbedCapabilities {
        EmbedCapabilities { dimensions: Some(DIMENSIONS), max_tokens: None, batch: 16 }
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        let fails = texts.iter().any(|text| text.contains("unembeddable"));
        let answer = match fails {
            true => Err(ProviderError::new("scripted/embed", ErrorKind::Unavailable, "told to fail")),
            false => Ok(Embeddings { vectors: texts.iter().map(|text| vector(text)).collect(), tokens: None }),
        };
        ready(answer).boxed()
    }
}

fn vector(text: &str) -> Vec<f32> {
    // Never without a direction.
    let mut counts = vec![1e-3; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        // FNV-1a.
        let hash = word
            .to_lowercase()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        for part in 0..4_u32 {
            let hash = hash.rotate_left(part * 16);
            counts[(hash >> 1) as usize % DIMENSIONS] += if hash & 1 == 0 { 1.0 } else { -1.0 };
        }
    }
    counts
}

const DIMENSIONS: usize = 64;
