//! Vectors as rows keep them, and the search among their signs.
//!
//! Of two vectors at length 1 the share of numbers with unlike signs is about the angle between them divided by 180°
//! (Charikar 2002), so the few nearest by signs hold the nearest, once some more of them are looked at than are wanted. That
//! walk reads 48 bytes a passage where vectors have 1536.

use super::Place;
use crate::store::DocumentId;

/// A vector at length 1, in 32-bit floats, little endian. One without a direction stays as it is.
pub(super) fn bytes(vector: &[f32]) -> Vec<u8> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    let scale = if length.is_normal() { 1.0 / length } else { 1.0 };
    vector.iter().flat_map(|value| (value * scale).to_le_bytes()).collect()
}

/// The signs of a vector's bytes: a bit a number, the first the lowest.
pub(super) fn of(vector: &[u8]) -> Vec<u64> {
    let mut signs = vec![0; width(vector.len() / size_of::<f32>())];
    for (at, value) in vector.chunks_exact(size_of::<f32>()).enumerate() {
        // The highest bit of a float is its sign.
        signs[at / 64] |= u64::from(value[3] >> 7) << (at % 64);
    }
    signs
}

/// Signs as rows keep them: little endian.
pub(super) fn kept(signs: &[u64]) -> impl Iterator<Item = u8> {
    signs.iter().flat_map(|word| word.to_le_bytes())
}

/// Signs of which rows keep these bytes.
pub(super) fn words(bytes: &[u8]) -> Box<[u64]> {
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default())).collect()
}

/// The cosine of the angle between two vectors, of which this one is at length 1 too; `None` if they are of different kinds.
pub(super) fn cosine(question: &[f32], vector: &[u8]) -> Option<f32> {
    let values = vector.chunks_exact(size_of::<f32>());
    let value = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap_or_default());
    (values.len() == question.len()).then(|| question.iter().zip(values).map(|(one, other)| one * value(other)).sum())
}

/// The places whose signs are most like those of `question`, at most `most`, the nearest first. `documents` are the signs of
/// each passage of a document, one after the other.
pub(super) fn nearest<'a>(
    question: &[u64],
    documents: impl IntoIterator<Item = (DocumentId, &'a [u64])>,
    most: usize,
) -> Vec<Place> {
    let mut found: Vec<(u32, Place)> = Vec::with_capacity(most * 2);
    // What is not nearer than this is not among the nearest.
    let mut bound = u32::MAX;
    for (document, signs) in documents {
        for (position, signs) in (0..).zip(signs.chunks_exact(question.len().max(1))) {
            let unlike: u32 = signs.iter().zip(question).map(|(one, other)| (one ^ other).count_ones()).sum();
            if unlike < bound {
                found.push((unlike, Place { document, position }));
                if found.len() == most * 2 {
                    found.select_nth_unstable(most - 1);
                    found.truncate(most);
                    bound = found[most - 1].0;
                }
            }
        }
    }
    found.sort_unstable();
    found.truncate(most);
    found.into_iter().map(|(_, place)| place).collect()
}

/// Words of the signs of so many numbers.
const fn width(dimensions: usize) -> usize {
    dimensions.div_ceil(64)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn signs_are_bits_in_whole_words() {
        let mut vector = vec![1.0; 70];
        for at in [0, 9, 69] {
            vector[at] = -0.5;
        }
        let signs = of(&bytes(&vector));
        assert_eq!(signs, [0b10_0000_0001, 0b10_0000]);
        let bytes: Vec<u8> = kept(&signs).collect();
        assert_eq!(bytes, [1, 2, 0, 0, 0, 0, 0, 0, 0b10_0000, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(*words(&bytes), *signs);
    }

    #[test]
    fn vectors_are_kept_at_length_one() {
        let kept = bytes(&[3.0, -4.0]);
        assert_eq!(cosine(&[0.0, 1.0], &kept), Some(-0.8));
        assert_eq!(cosine(&[1.0], &kept), None);
        assert_eq!(cosine(&[1.0, 0.0], &bytes(&[0.0, 0.0])), Some(0.0));
    }

    #[test]
    fn the_nearest_of_many_are_found_in_their_order() {
        let documents: Vec<_> = (0..40_u8)
            .map(|document| {
                // Passage p of document d differs from 0 in (d * 7 + p) % 64 places.
                let signs = (0..10).map(|p| (1_u64 << ((u32::from(document) * 7 + p) % 64)) - 1);
                (DocumentId::new(Timestamp::UNIX_EPOCH), signs.collect::<Vec<_>>())
            })
            .collect();
        let unlike = |place: &Place| {
            let (_, signs) = documents.iter().find(|(document, _)| *document == place.document).unwrap();
            signs[place.position as usize].count_ones()
        };
        let walked = documents.iter().map(|(document, signs)| (*document, signs.as_slice()));
        let found = nearest(&[0], walked, 25);
        let distances: Vec<_> = found.iter().map(unlike).collect();
        let mut all: Vec<_> = documents
            .iter()
            .flat_map(|(document, _)| (0..10).map(|position| unlike(&Place { document: *document, position })))
            .collect();
        all.sort_unstable();
        assert_eq!(distances, all[..25]);
        assert_eq!(nearest(&[0], [], 5), []);
    }
}
