//! Where, in what another engine heard of an utterance, the words that were promised end.
//!
//! Engines write the same words differently ("ill-disposed", "ill disposed", "Mr.", "mister"), so counting words would cut
//! or double one. The end of what was promised is looked for by its letters, near the place where it would be by count.

/// Promised words that are compared, and how many words away from their count their end is looked for.
const COMPARED: usize = 8;
const NEARBY: usize = 6;

/// The words of `heard` beyond those that were promised.
pub(super) fn beyond(promised: &str, heard: &str) -> String {
    let heard = words(heard);
    let rest = heard[end(&words(promised), &heard)..].concat();
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words and parts of compounds, each with what follows up to the next: a promise may end within a compound.
fn words(text: &str) -> Vec<&str> {
    let parts = text.split_inclusive(|c: char| c.is_whitespace() || is_hyphen(c));
    let mut words: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for part in parts {
        at += part.len();
        // Blanks and dashes by themselves belong to the word before.
        if text[at..].starts_with(|c: char| !c.is_whitespace() && !is_hyphen(c)) || at == text.len() {
            words.push(&text[start..at]);
            start = at;
        }
    }
    words
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

/// How many of the words heard are the promised ones.
fn end(promised: &[&str], heard: &[&str]) -> usize {
    let count = promised.len();
    if count == 0 {
        return 0;
    }
    let tail = letters(&promised[count.saturating_sub(COMPARED)..]);
    let from = count.saturating_sub(COMPARED + NEARBY).min(heard.len());
    let to = (count + NEARBY).min(heard.len());
    // The fewest changes that make the tail of some stretch of what was heard that ends here; it may begin anywhere,
    // but where all that was promised is compared it begins at the beginning. A word more or less is as bad as a letter.
    let whole = count <= COMPARED;
    let mut row: Vec<usize> = (0..=tail.len()).collect();
    let (mut best, mut fewest) = (count.min(heard.len()), usize::MAX);
    let mut steps = 0;
    for at in from..=to {
        let changes = row[tail.len()] + at.abs_diff(count);
        if changes < fewest {
            (best, fewest) = (at, changes);
        }
        for letter in heard.get(at).filter(|_| at < to).map(|word| letters(&[word])).into_iter().flatten() {
            steps += 1;
            let mut diagonal = std::mem::replace(&mut row[0], if whole { steps } else { 0 });
            for (n, other) in tail.iter().enumerate() {
                let cost = (diagonal + usize::from(letter != *other)).min(row[n] + 1).min(row[n + 1] + 1);
                diagonal = std::mem::replace(&mut row[n + 1], cost);
            }
        }
    }
    best
}

/// The letters and figures, without case; blanks and punctuation are a matter of taste.
fn letters(words: &[&str]) -> Vec<char> {
    words.iter().flat_map(|word| word.chars()).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn splices(promised: &str, heard: &str, rest: &str) {
        assert_eq!(beyond(promised, heard), rest);
    }

    #[test]
    fn words_written_otherwise_are_neither_cut_nor_doubled() {
        let heard = "He was not an ill-disposed young man.";
        splices("he was not an ill disposed", heard, "young man.");
        splices("he was not an ill disposed young", heard, "man.");
        splices("he was not an", heard, "ill-disposed young man.");
        splices("he was not an ill", heard, "disposed young man.");
        splices("a well - ", "A well - known man", "known man");
        splices("and mister john", "And Mr. John Dashwood had then", "Dashwood had then");
        splices("per cent", "percent of it", "of it");
        splices("naïve cafés", "naive cafes are", "are");
    }

    #[test]
    fn words_misheard_count_as_said() {
        splices("turn on the", "learn off the lamp", "lamp");
        splices("one two three", "one two three", "");
        splices("one two three four", "one two", "");
        splices("", "one two", "one two");
        splices("one two", "", "");
    }

    #[test]
    fn words_that_come_again_are_not_taken_for_the_end() {
        splices("it is far and it is", "It is far and it is warm and it is far.", "warm and it is far.");
        let long = "a b c d e f g h i j k l m n o p q r s t ".repeat(4);
        splices(long.trim(), &format!("{long} and more"), "and more");
    }

    #[test]
    fn one_more_or_less_in_a_long_utterance_is_found() {
        let before =
            "there were many people in the hall and all of them had come a long way to hear what the old man said";
        let heard =
            format!("{} about the war", before.replace("many people", "manypeople").replace("old man", "oldman"));
        splices(before, &heard, "about the war");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(promised: String, heard: String) {
            let rest = beyond(&promised, &heard);
            proptest::prop_assert!(heard.split_whitespace().collect::<Vec<_>>().join(" ").ends_with(&rest));
        }
    }
}
