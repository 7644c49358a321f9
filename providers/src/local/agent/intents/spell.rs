//! Spells words letter by letter, and counts their letters.

use super::super::{
    heard::{Heard, Word, capital, lead},
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, _: &Scene<'_>) -> Option<String> {
    if let Some(words) = heard.after(&[
        "how many letters are in",
        "how many letters are there in",
        "how many letters in",
        "how many letters does",
        "how many letters has",
    ]) {
        return letters(heard, words);
    }
    if let Some(words) = heard.after(&["how do you spell", "how to spell", "how is", "how would you spell"]) {
        // "how is … spelled"
        let spelled = |word: &Word| matches!(word.text.as_str(), "spelled" | "spelt");
        return match words.iter().position(spelled) {
            Some(end) => spelling(heard, &words[..end]),
            None if heard.has(&["spell"]) => spelling(heard, words),
            None => None,
        };
    }
    spelling(heard, heard.after_lead(&["spell out", "spell"])?)
}

fn spelling(heard: &Heard, words: &[Word]) -> Option<String> {
    let words = bare(words);
    if words.is_empty() || words.len() > MOST_WORDS {
        return None;
    }
    let text = heard.quote(words);
    let parts = text.split_whitespace().map(|word| {
        let letters: Vec<String> = word.chars().filter(|c| c.is_alphanumeric()).map(upper).collect();
        letters.join(", ")
    });
    Some(format!("{} is spelled: {}.", capital(text), parts.collect::<Vec<_>>().join("; ")))
}

fn letters(heard: &Heard, words: &[Word]) -> Option<String> {
    let words = bare(words);
    let words = &words[..words.iter().position(|word| word.text == "have").unwrap_or(words.len())];
    let text = heard.quote(words);
    let count = text.chars().filter(|c| c.is_alphabetic()).count();
    (count > 0).then(|| format!("{} has {count} letter{}.", capital(text), if count == 1 { "" } else { "s" }))
}

fn bare(words: &[Word]) -> &[Word] {
    let count = ["the word", "the words", "the name", "my name", "word"].iter().find_map(|phrase| lead(words, phrase));
    let words = &words[count.filter(|count| *count < words.len()).unwrap_or(0)..];
    let end = ["for me please", "for me", "please", "correctly"].iter().find_map(|phrase| {
        let at = words.len().checked_sub(phrase.split(' ').count())?;
        lead(&words[at..], phrase).map(|_| at)
    });
    &words[..end.unwrap_or(words.len())]
}

fn upper(letter: char) -> String {
    letter.to_uppercase().collect()
}

/// More than a name or a short phrase is a misunderstanding.
const MOST_WORDS: usize = 6;

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};

    #[test]
    fn words_are_spelled_and_measured() {
        for (text, expected) in [
            ("How do you spell necessary?", "Necessary is spelled: N, E, C, E, S, S, A, R, Y."),
            ("Spell “banana”.", "Banana is spelled: B, A, N, A, N, A."),
            ("Can you spell the word cat for me?", "Cat is spelled: C, A, T."),
            ("How is Zoë spelled?", "Zoë is spelled: Z, O, Ë."),
            ("Spell New York.", "New York is spelled: N, E, W; Y, O, R, K."),
            ("How many letters are in the word banana?", "Banana has 6 letters."),
            ("How many letters does banana have?", "Banana has 6 letters."),
        ] {
            let answer = answer(&Heard::new(text), &Scene::new(&now(), &[]));
            assert_eq!(answer.as_deref(), Some(expected), "{text}");
        }
        for text in ["How is the weather?", "Spell.", "It is a spell of rain"] {
            assert_eq!(answer(&Heard::new(text), &Scene::new(&now(), &[])), None, "{text}");
        }
    }
}
