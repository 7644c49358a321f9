//! Where a clause is cut into pieces that are spoken in one breath.
//!
//! At the end of a sentence when there is one in reach; else at a comma or the like; else between two words.

use crate::local::spoken::Word;

/// How many of the words to speak next: at least one unless there are none.
///
/// `first` shortens a long first sentence, since its sound comes only when the whole piece is done.
pub(super) fn length(words: &[Word], first: bool) -> usize {
    let limit = if first { FIRST } else { LIMIT };
    let (mut letters, mut comma) = (0, None);
    for (i, word) in words.iter().enumerate() {
        letters += word.spoken.len() + 1;
        if letters > limit && i > 0 {
            return comma.unwrap_or(i);
        }
        match word.spoken.trim_end_matches(CLOSING).chars().last() {
            Some('.' | '!' | '?' | '…') => return i + 1,
            // A few words alone would sound clipped.
            Some(',' | ';' | ':' | '—') if letters > limit / 3 => comma = Some(i + 1),
            Some(_) | None => {}
        }
    }
    words.len()
}

/// Marks that may follow the end of a sentence.
const CLOSING: [char; 3] = ['"', '”', ')'];
/// Letters in a piece: somewhat fewer than the phonemes the network was made for, about 18 s.
const LIMIT: usize = 300;
/// Letters in the first piece of a reply: about 6 s of sound, in less than 0.1 s of computing.
const FIRST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::spoken;

    #[test]
    fn a_sentence_is_a_piece() {
        let words = spoken::words("He said \"stop.\" Then he left.");
        assert_eq!(length(&words, false), 3);
        assert_eq!(length(&words[3..], false), 3);
        assert_eq!(length(&[], false), 0);
    }

    #[test]
    fn a_long_first_sentence_is_cut_at_a_comma_and_later_ones_are_not() {
        let text =
            "when the long day was finally over, they all went down to the river with their lamps and their songs";
        let words = spoken::words(text);
        assert_eq!(words[length(&words, true) - 1].spoken, "over,");
        assert_eq!(length(&words, false), words.len());
    }

    #[test]
    fn words_without_end_are_cut_between_words() {
        let words = spoken::words(&"word ".repeat(200));
        assert_eq!(length(&words, false), LIMIT / 5);
        let long = spoken::words(&"a".repeat(60));
        assert_eq!(length(&long, true), 1);
    }
}
