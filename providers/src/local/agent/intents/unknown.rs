//! What lies beyond the rules: an honest sentence that says what was heard.

use super::super::{heard::Heard, scene::Scene};
use super::about::ABLE;

pub(super) fn answer(heard: &Heard, scene: &Scene<'_>) -> String {
    let quoted = quoted(heard.text());
    // The list of abilities is worth hearing once, not after every sentence.
    let told = scene.answered().any(|answer| answer.contains("I can tell you the time"));
    let (heard_it, cannot) = if heard.is_question() {
        (format!("You asked: {quoted}"), "I am only a small built-in agent and do not know that.")
    } else {
        (format!("You said: {quoted}"), "I am only a small built-in agent and cannot do more with that.")
    };
    if told { format!("{heard_it} {cannot}") } else { format!("{heard_it} {cannot} {ABLE}") }
}

/// The words with a stop, cut where they get long.
fn quoted(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>();
    if text.len() > LONGEST {
        let start = text[..LONGEST].join(" ");
        return format!("{}, and so on.", start.trim_end_matches(|c: char| c.is_ascii_punctuation()));
    }
    let text = text.join(" ");
    if text.ends_with(['.', '!', '?']) { text } else { format!("{}.", text.trim_end_matches([',', ';', ':'])) }
}

/// Enough words to know that one was heard.
const LONGEST: usize = 24;

#[cfg(test)]
mod tests {
    use super::{super::super::scene::tests::now, *};
    use crate::llm::Message;

    #[test]
    fn what_was_heard_is_said_back_honestly() {
        let reply = |text: &str| answer(&Heard::new(text), &Scene::new(&now(), &[]));
        assert!(reply("Go forward ten meters.").starts_with("You said: Go forward ten meters. I am only"));
        assert!(reply("What is the capital of France?").starts_with("You asked: What is the capital of France? I am"));
        assert!(reply("and then").starts_with("You said: and then. I"));
        let long = reply(&"word ".repeat(500));
        assert!(long.contains("and so on.") && long.split(' ').count() < 80, "{long}");
    }

    #[test]
    fn the_abilities_are_listed_once() {
        let first = answer(&Heard::new("One."), &Scene::new(&now(), &[]));
        let past = [Message::Assistant(first.clone())];
        let second = answer(&Heard::new("Two."), &Scene::new(&now(), &past));
        assert!(first.contains(ABLE) && !second.contains(ABLE));
    }
}
