//! The words and names of a prompt as hints to a recogniser: a list of phrases, not prose.
//!
//! Source: <https://cloud.google.com/speech-to-text/docs/adaptation-model>.

/// The phrases of a prompt: what commas, semicolons and lines part; of longer stretches, which are prose, only the words
/// that look like names.
pub(super) fn phrases(prompt: &str) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    for stretch in prompt.split([',', ';', '\n', '•', '|', '"', '“', '”']) {
        let words: Vec<_> = stretch.split_whitespace().collect();
        let found = if words.len() > LONGEST { names(&words) } else { vec![words.join(" ")] };
        for phrase in found {
            let phrase = phrase.trim_matches(|c: char| !c.is_alphanumeric() && c != '#' && c != '+').to_owned();
            if !phrase.is_empty() && phrase.chars().count() <= CHARACTERS && !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
    }
    phrases.truncate(MOST);
    phrases
}

/// Words with a capital where no sentence begins, or within.
fn names(words: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut begins = true;
    for word in words {
        let capital = word.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_uppercase);
        let strange = word.chars().skip(1).any(char::is_uppercase);
        if capital && (!begins || strange) {
            names.push((*word).to_owned());
        }
        begins = word.ends_with(['.', '!', '?', ':']);
    }
    names
}

/// Words of a phrase; more are prose.
const LONGEST: usize = 5;
/// Google takes more; these are enough to be worth their bytes.
const MOST: usize = 100;
const CHARACTERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_phrases_and_prose_its_names() {
        for (prompt, expected) in [
            ("", &[][..]),
            ("ZyntriQix, Digique Plus, C++", &["ZyntriQix", "Digique Plus", "C++"]),
            ("tretinoin\nretinol; retinol", &["tretinoin", "retinol"]),
            ("The caller Siobhan asks about her order with Quixal. She may say CRUD.", &["Siobhan", "Quixal", "CRUD"]),
            ("this is a long sentence without any name in it", &[]),
        ] {
            assert_eq!(phrases(prompt), expected, "{prompt}");
        }
        let many = (0..500).map(|n| format!("n{n}")).collect::<Vec<_>>().join(",");
        assert_eq!(phrases(&many).len(), 100);
    }
}
