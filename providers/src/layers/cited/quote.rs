//! Which words of a passage bear out what was said.

use std::collections::BTreeSet;

use crate::sentences::sentences;

/// The words of `passage` that `said` ends on: what it quotes, where those words stand there; where the passage was read out, the
/// sentence that is nearest to the question; else the one that has most words in common with the last one said. They are always
/// the passage's own, as they stand in it.
pub(super) fn of<'a>(passage: &'a str, said: &str, question: &str) -> &'a str {
    let claim = sentences(said).pop().unwrap_or_default();
    if let Some(found) = quoted(claim).and_then(|quoted| standing(passage, quoted)) {
        return found;
    }
    let all = sentences(passage);
    let spoken = bare(said);
    let read_out: Vec<&str> = all.iter().copied().filter(|sentence| is_part(&bare(sentence), &spoken)).collect();
    match &read_out[..] {
        [_, _, ..] => nearest(&read_out, question),
        _ => nearest(&all, claim),
    }
    .unwrap_or_else(|| passage.trim())
}

/// The sentence that has most words in common with a text, the first of those that are alike.
fn nearest<'a>(sentences: &[&'a str], text: &str) -> Option<&'a str> {
    let sought = words(text);
    sentences.iter().rev().max_by_key(|sentence| words(sentence).intersection(&sought).count()).copied()
}

/// The letters and digits of a text, with a blank between words and at either end.
fn bare(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |bare, word| bare + &word.to_lowercase() + " ")
}

/// Whether a sentence of some length stands in a text.
fn is_part(sentence: &str, text: &str) -> bool {
    sentence.split(' ').count() >= 5 && text.contains(sentence)
}

/// What stands between the last quotation marks, if that is more than a word or two.
fn quoted(claim: &str) -> Option<&str> {
    let end = claim.rfind(['"', '”'])?;
    let start = claim[..end].rfind(['"', '“'])?;
    let inside = &claim[start..end];
    let inside = &inside[inside.chars().next().map_or(0, char::len_utf8)..];
    (inside.split_whitespace().count() >= 3).then(|| inside.trim_end_matches(['.', ',']))
}

/// Where these words stand in the passage, whatever their case and the space between them.
fn standing<'a>(passage: &'a str, sought: &str) -> Option<&'a str> {
    let sought: Vec<String> = sought.split_whitespace().map(str::to_lowercase).collect();
    let starts = passage.split_whitespace().map(|word| word.as_ptr() as usize - passage.as_ptr() as usize);
    let found: Vec<(usize, &str)> = starts.zip(passage.split_whitespace()).collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let at = found
        .windows(sought.len())
        .position(|run| run.iter().zip(&sought).all(|((_, word), sought)| bare(word) == bare(sought)))?;
    let (last, word) = found[at + sought.len() - 1];
    Some(&passage[found[at].0..last + word.len()])
}

/// The words that carry meaning, as far as their length tells.
fn words(text: &str) -> BTreeSet<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 2 || word.parse::<u32>().is_ok());
    words.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSAGE: &str =
        "Warfarin thins the blood. Adults take 5 mg once a day,\nat the same hour. It must not be taken with aspirin.";

    #[test]
    fn the_sentence_that_bears_it_out_is_quoted() {
        for (said, quote) in [
            ("Hello. You take 5 mg a day", "Adults take 5 mg once a day,\nat the same hour."),
            ("Aspirin and warfarin must not be taken together.", "It must not be taken with aspirin."),
            ("It says \"ONCE a day, at the\" same hour", "once a day,\nat the"),
            ("It says “take 50 mg once an hour”", "Adults take 5 mg once a day,\nat the same hour."),
            ("", "Warfarin thins the blood."),
            ("Nothing alike", "Warfarin thins the blood."),
        ] {
            assert_eq!(of(PASSAGE, said, ""), quote, "{said}");
        }
        assert_eq!(of(" … ", "x", "y"), "…");
    }

    #[test]
    fn of_a_passage_that_was_read_out_the_sentence_that_answers_is_quoted() {
        let said = "I found this in \"Leaflet\": warfarin thins the blood. Adults take 5 mg once a day, at the same hour. It must not \
                    be taken with aspirin";
        for (question, quote) in [
            ("How much do adults take?", "Adults take 5 mg once a day,\nat the same hour."),
            ("What does warfarin do to blood?", "Warfarin thins the blood."),
            ("May I have aspirin?", "It must not be taken with aspirin."),
        ] {
            assert_eq!(of(PASSAGE, said, question), quote, "{question}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_quote_stands_in_its_passage(passage in "\\PC{0,80}", said in "\\PC{0,80}") {
            proptest::prop_assert!(passage.contains(of(&passage, &said, &said)));
        }
    }
}
