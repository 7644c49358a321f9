//! Messages between their prefixes: a byte that tells of compression, four of length.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;

/// A message with its prefix.
pub(super) fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    bytes.extend_from_slice(&message.encode_to_vec());
    bytes.freeze()
}

/// Joins what comes in pieces.
#[derive(Default, Debug)]
pub(super) struct Decoder {
    bytes: BytesMut,
}

impl Decoder {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if all of it has come.
    ///
    /// # Errors
    ///
    /// What is wrong with it. Never its content, which may be a transcript.
    pub(super) fn next<M: Message + Default>(&mut self) -> Result<Option<M>, &'static str> {
        let Some((head, _)) = self.bytes.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let [compressed, length @ ..] = *head;
        if compressed != 0 {
            return Err("a compressed message came, though none was asked for");
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > LARGEST {
            return Err("a message came that is too large");
        }
        if self.bytes.len() < PREFIX + length {
            return Ok(None);
        }
        self.bytes.advance(PREFIX);
        M::decode(self.bytes.split_to(length)).map(Some).map_err(|_| "a broken message came")
    }

    /// Whether a message was begun and not ended.
    pub(super) fn is_cut(&self) -> bool {
        !self.bytes.is_empty()
    }
}

const PREFIX: usize = 5;
/// Minutes of sound, far below what hurts.
const LARGEST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Note {
        #[prost(string, tag = "1")]
        text: String,
    }

    fn note(text: &str) -> Note {
        Note { text: text.to_owned() }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [&[1, 0, 0, 0, 0][..], &[0, 255, 255, 255, 255], &[0, 0, 0, 0, 1, 0xff]] {
            let mut decoder = Decoder::default();
            decoder.feed(bytes);
            assert!(decoder.next::<Note>().is_err(), "{bytes:?}");
        }
        let mut decoder = Decoder::default();
        decoder.feed(&[0, 0, 0]);
        assert_eq!(decoder.next::<Note>(), Ok(None));
        assert!(decoder.is_cut());
    }

    proptest::proptest! {
        #[test]
        fn cutting_makes_no_difference(texts in proptest::collection::vec("[a-zé]{0,9}", 0..9), cut in 1usize..7) {
            let notes: Vec<_> = texts.iter().map(|text| note(text)).collect();
            let bytes: Vec<u8> = notes.iter().flat_map(|note| encode(note).to_vec()).collect();
            let (mut decoder, mut found) = (Decoder::default(), Vec::new());
            for piece in bytes.chunks(cut) {
                decoder.feed(piece);
                while let Some(note) = decoder.next::<Note>().unwrap() {
                    found.push(note);
                }
            }
            proptest::prop_assert_eq!(found, notes);
            proptest::prop_assert!(!decoder.is_cut());
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            while let Ok(Some(_)) = decoder.next::<Note>() {}
        }
    }
}
