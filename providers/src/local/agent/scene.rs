//! What surrounds the words to be answered: the time, and the conversation so far.

use jiff::Zoned;

use crate::llm::Message;

/// One reply's surroundings.
pub(super) struct Scene<'a> {
    /// The person's clock.
    pub(super) now: &'a Zoned,
    past: &'a [Message],
}

impl<'a> Scene<'a> {
    /// `past` is all before the words to be answered, oldest first.
    pub(super) const fn new(now: &'a Zoned, past: &'a [Message]) -> Self {
        Self { now, past }
    }

    /// What the person said before, newest first; utterances without words are passed over.
    pub(super) fn said(&self) -> impl DoubleEndedIterator<Item = &'a str> {
        let said = self.past.iter().filter_map(|message| match message {
            Message::User(text) => Some(text.trim()),
            Message::System(_) | Message::Assistant(_) | Message::Call(_) | Message::Result { .. } => None,
        });
        said.filter(|text| text.contains(char::is_alphanumeric)).rev()
    }

    /// What the assistant said before, newest first.
    pub(super) fn answered(&self) -> impl DoubleEndedIterator<Item = &'a str> {
        let answered = self.past.iter().filter_map(|message| match message {
            Message::Assistant(text) => Some(text.trim()),
            Message::System(_) | Message::User(_) | Message::Call(_) | Message::Result { .. } => None,
        });
        answered.filter(|text| !text.is_empty()).rev()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Sunday, 22 November 2026, five past three in the afternoon, in UTC.
    pub(in super::super) fn now() -> Zoned {
        jiff::civil::date(2026, 11, 22).at(15, 5, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap()
    }

    #[test]
    fn silence_is_passed_over() {
        let past = [
            Message::User("One.".into()),
            Message::Assistant("Yes?".into()),
            Message::User(" ... ".into()),
            Message::User("Two.".into()),
        ];
        let now = now();
        let scene = Scene::new(&now, &past);
        assert_eq!(scene.said().collect::<Vec<_>>(), ["Two.", "One."]);
        assert_eq!(scene.answered().collect::<Vec<_>>(), ["Yes?"]);
    }
}
