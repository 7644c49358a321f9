//! Greetings, thanks, goodbyes and small words that want a small answer.

use jiff::Zoned;

use super::super::{
    heard::{Heard, Word},
    scene::Scene,
};

pub(super) fn answer(heard: &Heard, scene: &Scene<'_>) -> Option<String> {
    let met = scene.answered().next().is_some();
    if heard.has(&["how are you", "how do you do", "how is it going", "how are things"]) {
        return Some("I am fine, thank you. What can I do for you?".to_owned());
    }
    let small = heard.words().len() <= 8;
    let short = [
        (BYE, "Goodbye."),
        (THANKS, "You are welcome."),
        (PRAISE, "Thank you."),
        (SORRY, "No need to be sorry."),
        (STOP, "All right."),
        (PRESENT, "Yes, I can hear you."),
        (YES, "All right. What else can I do for you?"),
        (NO, "All right. Tell me if you need anything."),
    ];
    if small && let Some((_, reply)) = short.iter().find(|(phrases, _)| heard.is(phrases)) {
        return Some((*reply).to_owned());
    }
    if small && heard.has(&["goodbye", "bye bye", "see you later"]) {
        return Some("Goodbye.".to_owned());
    }
    if small && heard.has(&["thank you", "thanks"]) {
        return Some("You are welcome.".to_owned());
    }
    let greets = |word: &Word| GREETS.contains(&word.text.as_str());
    let named = heard.words().len() <= 3 && !heard.is_question() && heard.words().first().is_some_and(greets);
    (heard.is(HELLO) || named).then(|| hello(scene.now, met))
}

/// Nothing was understood because nothing was said.
pub(super) fn pardon() -> String {
    "Sorry, I did not hear any words. Could you say that again?".to_owned()
}

/// The first words of a conversation.
pub(super) fn hello(now: &Zoned, met: bool) -> String {
    let time = match now.hour() {
        5..12 => "Good morning",
        12..18 => "Good afternoon",
        _ => "Good evening",
    };
    if met { "Hello again. What can I do for you?".to_owned() } else { format!("{time}. What can I do for you?") }
}

const HELLO: &[&str] = &[
    "hello",
    "hi",
    "hey",
    "good morning",
    "good afternoon",
    "good evening",
    "greetings",
    "hello hello",
    "good day",
    "howdy",
    "hello there",
    "hi there",
    "hey there",
    "nice to meet you",
    "what is up",
];
/// A short utterance that begins so greets, whoever it greets: "Hello, computer."
const GREETS: [&str; 3] = ["hello", "hi", "hey"];
const BYE: &[&str] = &[
    "bye",
    "goodbye",
    "good bye",
    "bye bye",
    "see you",
    "see you later",
    "good night",
    "goodnight",
    "that is all",
    "farewell",
    "talk to you later",
    "see you tomorrow",
];
const THANKS: &[&str] = &[
    "thanks",
    "thank you",
    "thank you very much",
    "thank you so much",
    "thanks a lot",
    "many thanks",
    "great thanks",
    "great thank you",
    "ok thanks",
    "no thanks",
    "no thank you",
];
const PRAISE: &[&str] = &[
    "well done",
    "good job",
    "great",
    "very good",
    "good",
    "perfect",
    "nice",
    "excellent",
    "awesome",
    "wonderful",
    "cool",
    "that is great",
    "that is right",
    "that is correct",
    "correct",
    "good work",
    "i love you",
];
const SORRY: &[&str] = &["sorry", "i am sorry", "excuse me", "my bad"];
const STOP: &[&str] = &[
    "stop",
    "be quiet",
    "quiet",
    "shut up",
    "never mind",
    "nevermind",
    "forget it",
    "cancel",
    "wait",
    "hold on",
    "one moment",
    "just a moment",
    "enough",
    "that is enough",
    "silence",
];
const PRESENT: &[&str] = &[
    "can you hear me",
    "do you hear me",
    "are you there",
    "is anyone there",
    "is anybody there",
    "hear me",
    "there",
    "test",
    "testing",
    "testing testing",
    "are you listening",
    "one two three",
    "testing one two three",
    "this is a test",
    "do you understand me",
    "can you understand me",
];
const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "sure",
    "of course",
    "okay",
    "ok",
    "right",
    "exactly",
    "absolutely",
    "i see",
    "understood",
    "got it",
    "all right",
    "alright",
    "fine",
];
const NO: &[&str] = &["no", "nope", "not really", "no no", "nah", "not now", "nothing"];

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};
    use crate::llm::Message;

    fn answer_to(text: &str, before: &[Message]) -> Option<String> {
        answer(&Heard::new(text), &Scene::new(&now(), before))
    }

    #[test]
    fn small_words_get_small_answers() {
        for (text, expected) in [
            ("Hello.", "Good afternoon. What can I do for you?"),
            ("Hi there!", "Good afternoon. What can I do for you?"),
            ("Hello, computer.", "Good afternoon. What can I do for you?"),
            ("Good morning.", "Good afternoon. What can I do for you?"),
            ("How are you today?", "I am fine, thank you. What can I do for you?"),
            ("Thank you.", "You are welcome."),
            ("Thank you very much!", "You are welcome."),
            ("Okay, thanks.", "You are welcome."),
            ("Bye-bye!", "Goodbye."),
            ("Goodbye.", "Goodbye."),
            ("Can you hear me?", "Yes, I can hear you."),
            ("Stop.", "All right."),
            ("Yes.", "All right. What else can I do for you?"),
        ] {
            assert_eq!(answer_to(text, &[]).as_deref(), Some(expected), "{text}");
        }
        let met = [Message::Assistant("It is 3:05 PM.".into())];
        assert_eq!(answer_to("Hello.", &met).as_deref(), Some("Hello again. What can I do for you?"));
        assert_eq!(answer_to("Go forward ten meters.", &[]), None);
    }
}
