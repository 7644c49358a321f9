//! Vocabulary files of Whisper packages: one token a line, or a JSON list, in GPT-2's byte alphabet.

use std::io;

use super::ct2::invalid;

/// The tokens as the bytes they stand for, in order.
pub(super) fn words(file: &str) -> io::Result<Vec<Vec<u8>>> {
    let alphabet = alphabet();
    let byte = |letter: char| alphabet.iter().position(|other| *other == letter).map(|byte| byte as u8);
    // Control tokens at the end may hold characters outside the alphabet; their text is never used.
    let decode = |token: &str| token.chars().map(byte).collect::<Option<Vec<u8>>>().unwrap_or_default();
    if file.trim_start().starts_with("[\n") || file.starts_with("[\"") {
        let tokens: Vec<String> = serde_json::from_str(file).map_err(|error| invalid(error.to_string()))?;
        return Ok(tokens.iter().map(|token| decode(token)).collect());
    }
    Ok(file.lines().map(decode).collect())
}

/// GPT-2 writes printable bytes as themselves and the others, in order, as letters from U+0100 on.
fn alphabet() -> [char; 256] {
    let printable = |byte: u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut beyond = '\u{100}'..;
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        if printable(byte) { char::from(byte) } else { beyond.next().unwrap_or_default() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_file_formats_give_the_same_bytes() {
        let lines = words("!\nĠthe\nĊ\nâĤ¬\n").unwrap();
        assert_eq!(lines, [b"!".to_vec(), b" the".to_vec(), b"\n".to_vec(), "€".as_bytes().to_vec()]);
        assert_eq!(words("[\n  \"!\",\n  \"Ġthe\", \"Ċ\", \"âĤ¬\"]").unwrap(), lines);
    }

    #[test]
    fn every_byte_has_one_letter() {
        let mut letters = alphabet().to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 256);
    }
}
