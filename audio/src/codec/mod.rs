//! Bytes of a stream ↔ samples. A [`Decoder`] is per stream, since chunks of bytes may split a sample.
//! Opus comes in packets instead and has types of its own ([`opus`]).

pub mod g711;
pub mod opus;
pub mod pcm16;

/// How the samples of a stream are written as bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Encoding {
    /// Signed 16-bit little-endian, two bytes a sample.
    Pcm16,
    /// ITU-T G.711 µ-law, one byte a sample.
    Ulaw,
    /// ITU-T G.711 A-law, one byte a sample.
    Alaw,
}

impl Encoding {
    /// Bytes of one sample.
    pub const fn bytes_per_sample(self) -> usize {
        match self {
            Self::Pcm16 => 2,
            Self::Ulaw | Self::Alaw => 1,
        }
    }

    /// Appends the bytes of `samples` to `out`. Always whole samples, so every output decodes by itself.
    pub fn encode(self, samples: &[i16], out: &mut Vec<u8>) {
        match self {
            Self::Pcm16 => pcm16::encode(samples, out),
            Self::Ulaw => out.extend(samples.iter().map(|&sample| g711::ulaw_from_linear(sample))),
            Self::Alaw => out.extend(samples.iter().map(|&sample| g711::alaw_from_linear(sample))),
        }
    }
}

/// The bytes end in the middle of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("16-bit audio has an even number of bytes, this has {0}")]
pub struct OddByte(pub usize);

/// Decodes the chunks of one stream.
#[derive(Clone, Debug)]
pub struct Decoder {
    encoding: Encoding,
    carry: Option<u8>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub const fn new(encoding: Encoding) -> Self {
        Self { encoding, carry: None }
    }

    /// What it decodes.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Appends the samples of `bytes` to `out`. Half a sample at the end is kept for the next chunk.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<i16>) {
        match self.encoding {
            Encoding::Pcm16 => self.carry = pcm16::decode(self.carry, bytes, out),
            Encoding::Ulaw => out.extend(bytes.iter().map(|&code| g711::linear_from_ulaw(code))),
            Encoding::Alaw => out.extend(bytes.iter().map(|&code| g711::linear_from_alaw(code))),
        }
    }

    /// Like [`decode`](Self::decode), for chunks that must hold whole samples.
    ///
    /// # Errors
    /// [`OddByte`] if they do not; then nothing is appended.
    pub fn decode_whole(&mut self, bytes: &[u8], out: &mut Vec<i16>) -> Result<(), OddByte> {
        if !bytes.len().is_multiple_of(self.encoding.bytes_per_sample()) {
            return Err(OddByte(bytes.len()));
        }
        self.decode(bytes, out);
        Ok(())
    }

    /// Whether half a sample waits for its other half.
    pub const fn carries(&self) -> bool {
        self.carry.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_odd_byte_is_refused_when_chunks_must_be_whole_and_nothing_is_appended() {
        let mut out = Vec::new();
        assert_eq!(Decoder::new(Encoding::Pcm16).decode_whole(&[1, 2, 3], &mut out), Err(OddByte(3)));
        assert!(out.is_empty());
        assert_eq!(Decoder::new(Encoding::Ulaw).decode_whole(&[1, 2, 3], &mut out), Ok(()));
        assert_eq!(out.len(), 3);
    }

    proptest! {
        #[test]
        fn any_chunking_decodes_to_the_same_samples(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            cuts in prop::collection::vec(0_usize..30, 0..40),
        ) {
            for encoding in [Encoding::Pcm16, Encoding::Ulaw, Encoding::Alaw] {
                let mut whole = Vec::new();
                Decoder::new(encoding).decode(&bytes, &mut whole);
                let (mut decoder, mut pieces, mut rest) = (Decoder::new(encoding), Vec::new(), bytes.as_slice());
                for &cut in &cuts {
                    let (head, tail) = rest.split_at(cut.min(rest.len()));
                    decoder.decode(head, &mut pieces);
                    rest = tail;
                }
                decoder.decode(rest, &mut pieces);
                prop_assert_eq!(&whole, &pieces);
                prop_assert_eq!(decoder.carries(), encoding == Encoding::Pcm16 && bytes.len() % 2 == 1);
            }
        }

        #[test]
        fn pcm16_survives_the_way_there_and_back(samples in prop::collection::vec(any::<i16>(), 0..200)) {
            let (mut bytes, mut back) = (Vec::new(), Vec::new());
            Encoding::Pcm16.encode(&samples, &mut bytes);
            Decoder::new(Encoding::Pcm16).decode(&bytes, &mut back);
            prop_assert_eq!(samples, back);
        }
    }
}
