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
