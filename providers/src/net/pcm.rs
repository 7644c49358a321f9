//! Sound as it comes from a network: bytes cut anywhere, even within a sample.

/// Joins bytes of little-endian 16-bit samples.
#[derive(Default, Debug)]
pub(crate) struct Samples {
    /// The first half of a sample.
    half: Option<u8>,
}

impl Samples {
    /// The samples that these bytes complete.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<i16> {
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        let mut rest = bytes;
        if let (Some(low), Some((&high, after))) = (self.half, rest.split_first()) {
            samples.push(i16::from_le_bytes([low, high]));
            (self.half, rest) = (None, after);
        }
        let (pairs, odd) = rest.as_chunks::<2>();
        samples.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        self.half = odd.first().copied().or(self.half);
        samples
    }
}

/// Samples as bytes.
pub(crate) fn bytes(samples: &[i16], into: &mut Vec<u8>) {
    into.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn cutting_makes_no_difference(samples: Vec<i16>, cuts in proptest::collection::vec(0usize..64, 0..9)) {
            let mut whole = Vec::new();
            bytes(&samples, &mut whole);
            let mut decoder = Samples::default();
            let mut rest = &whole[..];
            let mut decoded = Vec::new();
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                decoded.extend(decoder.feed(now));
                rest = later;
            }
            decoded.extend(decoder.feed(rest));
            proptest::prop_assert_eq!(decoded, samples);
        }
    }
}
