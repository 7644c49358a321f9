//! Says what it is told to say: "say hello world", "repeat after me: …".

use super::super::{
    heard::{Heard, Word, capital, lead},
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, _: &Scene<'_>) -> Option<String> {
    if let Some(words) = heard.after(&["repeat after me"]) {
        return Some(if words.is_empty() { READY.to_owned() } else { aloud(heard, words) });
    }
    let after = heard.after_lead(&[
        "say after me",
        "repeat the words",
        "repeat the sentence",
        "repeat the phrase",
        "say the words",
        "say the word",
        "say the sentence",
        "repeat",
        "say",
        "read this aloud",
        "read aloud",
    ])?;
    let asks_back = [
        "that again",
        "it again",
        "again",
        "what i said",
        "what you said",
        "that",
        "yourself",
        "it",
        "your",
        "something",
        "anything",
        "what time",
        "nothing",
        "the answer",
        "what i just said",
        "that please",
    ];
    let other = asks_back.iter().any(|phrase| {
        lead(after, phrase).is_some_and(|count| count == after.len() || matches!(*phrase, "what time" | "your"))
    });
    (!other && !after.is_empty()).then(|| aloud(heard, after))
}

/// The words from there on, as they were written.
fn aloud(heard: &Heard, words: &[Word]) -> String {
    let text = heard.rest(words);
    let text = capital(text);
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

const READY: &str = "I am ready. What shall I repeat?";

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};

    fn answer_to(text: &str) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), &[]))
    }

    #[test]
    fn the_words_come_back_as_written() {
        for (text, expected) in [
            ("Say hello world.", "Hello world."),
            ("Please say “Good morning, Vietnam”!", "Good morning, Vietnam  !"),
            ("Repeat after me, the quick brown fox.", "The quick brown fox."),
            ("Repeat after me. One fish. Two fish.", "One fish. Two fish."),
            ("Can you say banana?", "Banana?"),
            ("Repeat after me.", READY),
        ] {
            let squeeze = |text: &str| text.replace(' ', "");
            assert_eq!(answer_to(text).as_deref().map(squeeze), Some(squeeze(expected)), "{text}");
        }
    }

    #[test]
    fn asking_back_is_not_dictation() {
        for text in
            ["Say that again.", "Repeat that.", "Say it again, please.", "Can you repeat that?", "Say", "I say hello"]
        {
            assert_eq!(answer_to(text), None, "{text}");
        }
    }
}
