//! Audio as it travels inside JSON: base64 of the standard alphabet, padded or not.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::error;
use crate::realtime::session::output::ClientError;

/// Most audio one message may carry, in bytes.
pub const LARGEST: usize = 15 * 1024 * 1024;

/// Decodes a JSON string (quotes included) into `out`, replacing what was there. Reads without copying unless the
/// string holds escapes: some encoders write `/` as `\/`.
pub(super) fn read(json: &str, param: &str, out: &mut Vec<u8>) -> Result<(), ClientError> {
    let inside = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inside) = inside else { return Err(error::invalid_type(param, "a base64 string", "another type")) };
    if memory_of(inside) > LARGEST {
        return Err(error::invalid_value(param, "Audio too long: one message carries at most 15 MiB."));
    }
    if !inside.as_bytes().contains(&b'\\') {
        return decode(inside, param, out);
    }
    let unescaped: String = serde_json::from_str(json).map_err(|_| bad(param))?;
    decode(&unescaped, param, out)
}

/// Appends the base64 of `audio` in quotes.
pub(super) fn write(audio: &[u8], out: &mut String) {
    out.push('"');
    ENGINE.encode_string(audio, out);
    out.push('"');
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Room that is kept between messages. A long append does not pin its memory for the rest of the session.
const KEPT: usize = 64 * 1024;

fn decode(text: &str, param: &str, out: &mut Vec<u8>) -> Result<(), ClientError> {
    out.clear();
    if out.capacity() > KEPT && memory_of(text) <= KEPT {
        out.shrink_to(KEPT);
    }
    ENGINE.decode_vec(text, out).map_err(|_| bad(param))
}

/// How many bytes the text decodes to; exact for whole groups of four.
fn memory_of(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

fn bad(param: &str) -> ClientError {
    error::invalid_value(param, format!("Invalid '{param}'. Expected base64-encoded audio bytes."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn audio_reads_back_as_it_was_written(audio: Vec<u8>) {
            let (mut text, mut back) = (String::new(), vec![1, 2, 3]);
            write(&audio, &mut text);
            read(&text, "audio", &mut back).unwrap();
            prop_assert_eq!(back, audio);
        }
    }

    #[test]
    fn escaped_slashes_and_missing_padding_are_understood() {
        let mut out = Vec::new();
        read(r#""\/\/8""#, "audio", &mut out).unwrap();
        assert_eq!(out, [255, 255]);
    }

    #[test]
    fn fifteen_mebibytes_fit_and_one_group_more_does_not() {
        let (mut out, most) = (Vec::new(), LARGEST / 3 * 4);
        assert!(read(&format!("\"{}\"", "A".repeat(most)), "audio", &mut out).is_ok());
        assert_eq!(out.len(), LARGEST);
        let refused = read(&format!("\"{}\"", "A".repeat(most + 4)), "audio", &mut out).unwrap_err();
        assert_eq!((refused.code, refused.param.as_deref()), (Some("invalid_value"), Some("audio")));
    }

    #[test]
    fn a_long_append_does_not_pin_its_memory() {
        let mut out = Vec::new();
        read(&format!("\"{}\"", "A".repeat(4_000_000)), "audio", &mut out).unwrap();
        read("\"AAAA\"", "audio", &mut out).unwrap();
        assert!(out.capacity() <= KEPT);
    }
}
