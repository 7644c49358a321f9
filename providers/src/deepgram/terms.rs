//! The words and names of a prompt, as Deepgram wants them: a list of terms, not prose.
//!
//! Sources: <https://developers.deepgram.com/docs/keyterm>, <https://developers.deepgram.com/docs/keywords>.

/// The terms of a prompt, the first ones where they exceed Deepgram's limits: what commas, semicolons and lines part; of
/// longer stretches, which are prose, only the names in them.
pub(crate) fn terms(prompt: &str) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    let mut tokens = 0;
    for stretch in prompt.split([',', ';', '\n', '•', '|', '"', '“', '”']) {
        let words: Vec<_> = stretch.split_whitespace().collect();
        let found = if words.len() > LONGEST { names(&words) } else { vec![words.join(" ")] };
        for term in found {
            let term = term.trim_matches(|c: char| !c.is_alphanumeric() && c != '#' && c != '+').to_owned();
            let cost = term.len().div_ceil(BYTES_A_TOKEN);
            if term.is_empty() || terms.contains(&term) {
                continue;
            }
            if terms.len() == MOST_TERMS || tokens + cost > MOST_TOKENS {
                return terms;
            }
            tokens += cost;
            terms.push(term);
        }
    }
    terms
}

/// Single words, as models before Nova-3 take them.
pub(super) fn keywords(prompt: &str) -> Vec<String> {
    let terms = terms(prompt);
    let words = terms.iter().flat_map(|term| term.split_whitespace());
    // A colon would begin a weight.
    let mut words: Vec<_> = words.map(|word| word.replace(':', "")).filter(|word| !word.is_empty()).collect();
    words.truncate(MOST_TERMS);
    words
}

/// Runs of capitalised words, except where only the start of a sentence makes one.
fn names(words: &[&str]) -> Vec<String> {
    let mut names = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let mut begins = true;
    for word in words {
        let capital = word.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_uppercase);
        // "CRUD" and "ZyntriQix" are names even where a sentence begins.
        let strange = word.chars().skip(1).any(char::is_uppercase);
        if capital && (!begins || strange) {
            run.push(word);
        }
        begins = word.ends_with(['.', '!', '?', ':']);
        if !capital || begins {
            names.extend(join(&mut run));
        }
    }
    names.extend(join(&mut run));
    names
}

fn join(run: &mut Vec<&str>) -> Option<String> {
    let words = std::mem::take(run);
    (!words.is_empty()).then(|| words.join(" "))
}

/// Words of a term; more are prose.
const LONGEST: usize = 5;
/// Deepgram: 100 terms, 500 tokens; half of which leaves room for our guess at what a token is.
const MOST_TERMS: usize = 100;
const MOST_TOKENS: usize = 250;
const BYTES_A_TOKEN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_terms_and_prose_its_names() {
        for (prompt, expected) in [
            ("", &[][..]),
            ("ZyntriQix, Digique Plus, C++", &["ZyntriQix", "Digique Plus", "C++"]),
            ("tretinoin\nretinol; retinol", &["tretinoin", "retinol"]),
            (
                "The caller Siobhan O'Brien talks about her order with Quixal. She may ask for CRUD or Jan.",
                &["Siobhan O'Brien", "Quixal", "CRUD", "Jan"],
            ),
            ("this is a long sentence without any name in it", &[]),
        ] {
            assert_eq!(terms(prompt), expected, "{prompt}");
        }
    }

    #[test]
    fn limits_are_kept() {
        let many = (0..500).map(|n| format!("n{n}")).collect::<Vec<_>>().join(",");
        assert_eq!(terms(&many).len(), 100);
        let long = (0..80).map(|n| format!("{n}{}", "x".repeat(30))).collect::<Vec<_>>().join(",");
        assert_eq!(terms(&long).len(), 22);
        assert_eq!(keywords("New York, a:b"), ["New", "York", "ab"]);
    }
}
