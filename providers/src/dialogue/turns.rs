//! Conversations for vendors that know two speakers who take turns, the person first and last: Anthropic and Gemini.
//!
//! Instructions given mid-conversation become the person's, marked as what they are; texts of blanks are left out, as
//! both vendors refuse them.

use std::borrow::Cow;

use super::{Made, Step, steps};
use crate::llm::Prompt;

/// One speaker's turn; its parts are never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) speaker: Speaker,
    pub(crate) parts: Vec<Part<'a>>,
}

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Speaker {
    Person,
    Assistant,
}

/// What a turn consists of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part<'a> {
    Text(Cow<'a, str>),
    /// Of the assistant. Its result stands at the start of the person's next turn.
    Call(Made<'a>),
    /// Of the person.
    Result(Made<'a>),
}

/// The standing instructions, and the turns: they alternate, and both the first and the last are the person's.
pub(crate) fn alternate(prompt: &Prompt) -> (String, Vec<Turn<'_>>) {
    let mut instructions = prompt.instructions.clone();
    let mut turns = Turns(Vec::new());
    for step in steps(&prompt.messages) {
        match step {
            Step::System(text) if turns.0.is_empty() => append(&mut instructions, &text),
            Step::System(text) => turns.say(Speaker::Person, format!("[Instructions] {text}").into()),
            Step::User(text) => turns.say(Speaker::Person, text.into()),
            Step::Assistant { text, calls } => {
                turns.say(Speaker::Assistant, text.into());
                calls.iter().for_each(|call| turns.add(Speaker::Assistant, Part::Call(*call)));
                calls.iter().for_each(|call| turns.add(Speaker::Person, Part::Result(*call)));
            }
        }
    }
    turns.bracket();
    (instructions, turns.0)
}

fn append(instructions: &mut String, text: &str) {
    if !instructions.is_empty() {
        instructions.push_str("\n\n");
    }
    instructions.push_str(text);
}

struct Turns<'a>(Vec<Turn<'a>>);

impl<'a> Turns<'a> {
    fn say(&mut self, speaker: Speaker, text: Cow<'a, str>) {
        if !text.trim().is_empty() {
            self.add(speaker, Part::Text(text));
        }
    }

    fn add(&mut self, speaker: Speaker, part: Part<'a>) {
        match self.0.last_mut().filter(|turn| turn.speaker == speaker) {
            Some(turn) => turn.parts.push(part),
            None => self.0.push(Turn { speaker, parts: vec![part] }),
        }
    }

    /// Lets the person have the first and the last word.
    fn bracket(&mut self) {
        let person = |text: &'static str| Turn { speaker: Speaker::Person, parts: vec![Part::Text(text.into())] };
        if self.0.first().is_none_or(|turn| turn.speaker == Speaker::Assistant) {
            self.0.insert(0, person(BEGIN));
        }
        if self.0.last().is_some_and(|turn| turn.speaker == Speaker::Assistant) {
            self.0.push(person(GO_ON));
        }
    }
}

/// In the place of a person who has said nothing: the assistant is to speak first. Vendors refuse empty conversations.
pub(crate) const BEGIN: &str = "(The conversation begins.)";
/// In the place of a person who has said nothing since the assistant spoke.
const GO_ON: &str = "(Go on.)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{Call, Message};

    fn told(prompt: &Prompt) -> Vec<String> {
        let (_, turns) = alternate(prompt);
        let part = |part: &Part<'_>| match part {
            Part::Text(text) => text.to_string(),
            Part::Call(call) => format!("call {}", call.id),
            Part::Result(call) => format!("result {}", call.id),
        };
        turns
            .iter()
            .map(|turn| format!("{:?}: {}", turn.speaker, turn.parts.iter().map(part).collect::<Vec<_>>().join("|")))
            .collect()
    }

    fn call(id: &str) -> Message {
        Message::Call(Call { call: id.into(), name: "look".into(), arguments: "{}".into() })
    }

    #[test]
    fn speakers_take_turns_and_the_person_has_the_first_and_last_word() {
        let user = |text: &str| Message::User(text.into());
        let assistant = |text: &str| Message::Assistant(text.into());
        for (messages, expected) in [
            (vec![], &["Person: (The conversation begins.)"][..]),
            (vec![user("Hi"), user("there")], &["Person: Hi|there"]),
            (
                vec![assistant("Hello."), user(" "), assistant("Are you there?")],
                &["Person: (The conversation begins.)", "Assistant: Hello.|Are you there?", "Person: (Go on.)"],
            ),
            (
                vec![user("Look"), assistant("Looking."), call("a"), call("b"), user("Well?")],
                &["Person: Look", "Assistant: Looking.|call a|call b", "Person: result a|result b|Well?"],
            ),
            (
                vec![user("Hi"), Message::System("Be brief.".into()), user("there")],
                &["Person: Hi|[Instructions] Be brief.|there"],
            ),
        ] {
            assert_eq!(told(&Prompt { messages, ..Prompt::default() }), expected);
        }
    }

    #[test]
    fn instructions_before_the_first_word_join_the_standing_ones() {
        let prompt = Prompt {
            instructions: "Be kind.".into(),
            messages: vec![Message::System("Be brief.".into()), Message::User("Hi".into())],
            ..Prompt::default()
        };
        let (instructions, turns) = alternate(&prompt);
        assert_eq!((instructions.as_str(), turns.len()), ("Be kind.\n\nBe brief.", 1));
    }

    proptest::proptest! {
        #[test]
        fn any_conversation_alternates(kinds in proptest::collection::vec(0u8..5, 0..12)) {
            let message = |(at, kind): (usize, &u8)| match kind {
                0 => Message::System("s".into()),
                1 => Message::User("u".into()),
                2 => Message::Assistant(if at % 2 == 0 { "a" } else { "" }.into()),
                3 => call(&at.to_string()),
                _ => Message::Result { call: at.saturating_sub(2).to_string(), output: "r".into() },
            };
            let messages = kinds.iter().enumerate().map(message).collect();
            let prompt = Prompt { messages, ..Prompt::default() };
            let (_, turns) = alternate(&prompt);
            for (at, turn) in turns.iter().enumerate() {
                proptest::prop_assert_eq!(turn.speaker == Speaker::Person, at % 2 == 0);
                proptest::prop_assert!(!turn.parts.is_empty());
                let calls = |turn: &Turn<'_>| turn.parts.iter().filter_map(|part| match part {
                    Part::Call(call) => Some(call.id.to_owned()),
                    Part::Text(_) | Part::Result(_) => None,
                }).collect::<Vec<_>>();
                let results = |turn: &Turn<'_>| turn.parts.iter().map_while(|part| match part {
                    Part::Result(call) => Some(call.id.to_owned()),
                    Part::Text(_) | Part::Call(_) => None,
                }).collect::<Vec<_>>();
                if turn.speaker == Speaker::Assistant {
                    proptest::prop_assert_eq!(calls(turn), results(&turns[at + 1]));
                }
            }
            proptest::prop_assert_eq!(turns.len() % 2, 1);
        }
    }
}
