//! What the agent understands: one intent a file, each a function from what was heard to an answer, or none.

mod about;
mod arithmetic;
mod calendar;
mod convert;
mod count;
mod courtesy;
mod documents;
mod foreign;
mod recall;
mod repeat;
mod spell;
mod unknown;
mod zones;

use super::{heard::Heard, scene::Scene};
use crate::passage::Passages;

/// Answers if it understands.
type Intent = fn(&Heard, &Scene<'_>) -> Option<String>;

/// The first that understands answers. Those that quote the person come first: "say what time it is" asks for words.
const INTENTS: [Intent; 8] = [
    repeat::answer,
    spell::answer,
    recall::answer,
    count::answer,
    arithmetic::answer,
    convert::answer,
    calendar::answer,
    about::answer,
];

/// An answer to what was heard; there always is one. `passages` are what was found about it in the person's documents.
pub(super) fn answer(heard: &Heard, scene: &Scene<'_>, passages: Option<&Passages>) -> String {
    if heard.is_empty() {
        return courtesy::pardon();
    }
    let understood = |heard: &Heard| INTENTS.iter().find_map(|intent| intent(heard, scene));
    let sentences = heard.sentences();
    documents::sure(heard, passages)
        .or_else(|| understood(heard))
        .or_else(|| sentences.iter().rev().find_map(understood))
        .or_else(|| polite(&sentences, scene))
        .or_else(|| documents::likely(heard, passages))
        .or_else(|| foreign::answer(heard))
        .or_else(|| documents::nothing(heard, passages))
        .unwrap_or_else(|| unknown::answer(heard, scene))
}

/// The last of several pleasantries is answered, if all sentences are.
fn polite(sentences: &[Heard], scene: &Scene<'_>) -> Option<String> {
    sentences.iter().map(|sentence| courtesy::answer(sentence, scene)).collect::<Option<Vec<_>>>()?.pop()
}

/// The first words of a conversation in which nobody has spoken yet.
pub(super) fn greeting(scene: &Scene<'_>) -> String {
    courtesy::hello(scene.now, scene.answered().next().is_some())
}

#[cfg(test)]
mod tests {
    use super::{super::scene::tests::now, *};

    #[test]
    fn every_utterance_has_an_answer_to_speak() {
        for (text, part) in [
            ("", "did not hear any words"),
            (" . ", "did not hear any words"),
            ("Hello. What time is it?", "It is 3:05 PM."),
            ("My name is Bob. What is 2 plus 2?", "2 plus 2 is 4."),
            ("Hello. Go forward ten meters.", "You said: Hello. Go forward ten meters."),
            ("Hello. How are you?", "I am fine"),
            ("Hi, what is love?", "You asked: Hi, what is love?"),
            ("Wie spät ist es?", "German"),
            ("Thanks! Bye.", "Goodbye."),
            ("Say what you think", "What you think."),
        ] {
            let answer = answer(&Heard::new(text), &Scene::new(&now(), &[]), None);
            assert!(answer.contains(part), "{text}: {answer}");
        }
    }

    #[test]
    fn another_language_is_named_where_documents_say_nothing() {
        let none = Passages::default();
        let answer = |text| answer(&Heard::new(text), &Scene::new(&now(), &[]), Some(&none));
        assert!(answer("Wie viel Warfarin nehmen Erwachsene?").contains("German"));
        assert!(answer("Сколько варфарина принимают взрослые?").contains("Russian"));
        assert_eq!(answer("Who painted the ceiling?"), "I found nothing about that in your documents.");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC{0,60}") {
            proptest::prop_assert!(!answer(&Heard::new(&text), &Scene::new(&now(), &[]), None).is_empty());
        }

        #[test]
        fn any_words_are_answered(words in proptest::collection::vec(proptest::sample::select(&[
            "what", "is", "the", "five", "minus", "of", "percent", "miles", "in", "to", "how", "many", "days", "until",
            "friday", "square root of", "count", "spell", "my", "name", "say", "that", "and", "a", "half", "2026", "-", "12",
            "degrees", "july", "4th", "ago", "from now", "weeks", "date", "hundred", "million", "power", "(", ")",
        ][..]), 0..12)) {
            let text = words.join(" ");
            proptest::prop_assert!(!answer(&Heard::new(&text), &Scene::new(&now(), &[]), None).is_empty());
        }
    }
}
