//! What a speech-to-speech model knows of the conversation, and what it is to be told so that it knows all of it.
//!
//! A model's memory only grows at its end, and only its last words can be cut. Where the conversation has changed
//! otherwise (a client deletes or inserts items) the model's memory cannot be mended, and a new one begins.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use providers::llm::Message;

use crate::realtime::session::{ids::ItemId, output::Said};

/// Most bytes a new memory is told: as much as a prompt has.
const MOST_BYTES: usize = 400_000;

/// What a model knows, oldest first.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    item: ItemId,
    how: How,
}

/// How a model came to know an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    /// It was told, in words of this hash.
    Told(u64),
    /// It heard the person.
    Heard,
    /// It said or did so itself, and knows that only this much was heard.
    Own(Option<Duration>),
}

/// What brings a model up to date.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    /// A message is added at its end.
    Add(Message),
    /// Of its last words only this much was heard.
    Truncate(Duration),
    /// The utterance that became this item is committed.
    Commit(ItemId),
}

impl Mirror {
    /// The model said something that is an item.
    pub(super) fn own(&mut self, item: ItemId) {
        self.known.push(Known { item, how: How::Own(None) });
    }

    /// What the model must be told to know all of this; `has_sound` tells which items it can hear. `None` where it would
    /// have to forget something.
    pub(super) fn catch_up(&mut self, said: &[Said], has_sound: impl Fn(&ItemId) -> bool) -> Option<Vec<Step>> {
        let said = if self.known.is_empty() { newest(said) } else { said };
        let last_own = self.known.iter().rposition(|known| matches!(known.how, How::Own(_)));
        let mut steps = Vec::new();
        let mut at = 0;
        // What is older than all it was ever told is beyond its memory.
        let began = said.iter().position(|entry| self.known.first().is_some_and(|first| first.item == entry.item));
        for entry in &said[began.unwrap_or(0)..] {
            match self.known.get_mut(at) {
                Some(known) if known.item == entry.item => {
                    let newest = last_own.is_some_and(|last| at >= last) || !is_speech(entry);
                    steps.extend(known.agree(entry, newest)?);
                    at += 1;
                }
                Some(_) if entry.message.is_none() => {}
                Some(_) => return None,
                None if has_sound(&entry.item) => {
                    steps.push(Step::Commit(entry.item.clone()));
                    self.known.push(Known { item: entry.item.clone(), how: How::Heard });
                    at += 1;
                }
                None => {
                    if let Some(message) = &entry.message {
                        steps.push(Step::Add(message.clone()));
                        self.known.push(Known { item: entry.item.clone(), how: How::Told(hash(message)) });
                        at += 1;
                    }
                }
            }
        }
        (at == self.known.len()).then_some(steps)
    }
}

impl Known {
    /// What mends the difference, if there is one; `None` where nothing can.
    fn agree(&mut self, entry: &Said, newest: bool) -> Option<Option<Step>> {
        match (self.how, &entry.message) {
            (How::Told(known), Some(message)) => (known == hash(message)).then_some(None),
            (How::Told(_), None) => None,
            (How::Heard, _) => Some(None),
            (How::Own(heard), _) => match entry.heard {
                Some(now) if heard != Some(now) && newest => {
                    self.how = How::Own(Some(now));
                    Some(Some(Step::Truncate(now)))
                }
                Some(now) if heard != Some(now) => None,
                Some(_) | None => Some(None),
            },
        }
    }
}

/// The end of a conversation that a new memory is told.
fn newest(said: &[Said]) -> &[Said] {
    let mut bytes = 0;
    let fits = said.iter().rev().take_while(|entry| {
        bytes += entry.message.as_ref().map_or(0, weigh);
        bytes <= MOST_BYTES
    });
    let fits = fits.count();
    let mut dropped = said.len() - fits;
    while matches!(said.get(dropped).and_then(|entry| entry.message.as_ref()), Some(Message::Result { .. })) {
        dropped += 1;
    }
    &said[dropped..]
}

const fn is_speech(entry: &Said) -> bool {
    !matches!(entry.message, Some(Message::Call(_)))
}

const fn weigh(message: &Message) -> usize {
    match message {
        Message::System(text) | Message::User(text) | Message::Assistant(text) => text.len(),
        Message::Call(call) => call.name.len() + call.arguments.len(),
        Message::Result { output, .. } => output.len(),
    }
}

fn hash(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    match message {
        Message::System(text) => (0, text).hash(&mut hasher),
        Message::User(text) => (1, text).hash(&mut hasher),
        Message::Assistant(text) => (2, text).hash(&mut hasher),
        Message::Call(call) => (3, &call.call, &call.name, &call.arguments).hash(&mut hasher),
        Message::Result { call, output } => (4, call, output).hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(item: &str, message: Option<Message>) -> Said {
        Said { item: ItemId::new(item), message, heard: None }
    }

    fn user(item: &str) -> Said {
        said(item, Some(Message::User(format!("words of {item}"))))
    }

    fn add(entry: &Said) -> Step {
        Step::Add(entry.message.clone().unwrap())
    }

    fn deaf(_: &ItemId) -> bool {
        false
    }

    #[test]
    fn a_new_memory_is_told_all_and_then_only_what_is_new() {
        let mut mirror = Mirror::default();
        let (a, b, c) = (user("a"), user("b"), user("c"));
        let blank = said("blank", None);
        let steps = mirror.catch_up(&[a.clone(), blank.clone(), b.clone()], deaf);
        assert_eq!(steps, Some(vec![add(&a), add(&b)]));
        assert_eq!(mirror.catch_up(&[a.clone(), blank.clone(), b.clone()], deaf), Some(vec![]));
        assert_eq!(mirror.catch_up(&[a, blank, b, c.clone()], deaf), Some(vec![add(&c)]));
    }

    #[test]
    fn speech_that_was_heard_is_committed_whatever_is_understood_of_it() {
        let mut mirror = Mirror::default();
        let hears = |item: &ItemId| item.as_str() == "heard";
        let (first, heard) = (user("first"), ItemId::new("heard"));
        let steps = mirror.catch_up(&[first.clone(), said("heard", None)], hears);
        assert_eq!(steps, Some(vec![add(&first), Step::Commit(heard)]));
        assert_eq!(mirror.catch_up(&[first, user("heard")], deaf), Some(vec![]));
    }

    #[test]
    fn a_reply_that_was_cut_is_cut_in_the_memory_too_once_for_each_length() {
        let mut mirror = Mirror::default();
        let question = user("q");
        mirror.catch_up(std::slice::from_ref(&question), deaf).unwrap();
        mirror.own(ItemId::new("reply"));
        let reply = |heard: u64| Said {
            heard: Some(Duration::from_millis(heard)),
            ..said("reply", Some(Message::Assistant("It is".into())))
        };
        let cut = |heard| Some(vec![Step::Truncate(Duration::from_millis(heard))]);
        assert_eq!(mirror.catch_up(&[question.clone(), reply(700)], deaf), cut(700));
        assert_eq!(mirror.catch_up(&[question.clone(), reply(700)], deaf), Some(vec![]));
        assert_eq!(mirror.catch_up(&[question.clone(), reply(300)], deaf), cut(300));
        mirror.own(ItemId::new("newer"));
        let newer = said("newer", Some(Message::Assistant("Well".into())));
        assert_eq!(mirror.catch_up(&[question, reply(200), newer], deaf), None, "an old reply cannot be cut");
    }

    #[test]
    fn what_was_deleted_inserted_or_changed_takes_a_new_memory() {
        let known = [user("a"), user("b"), user("c")];
        let told = || {
            let mut mirror = Mirror::default();
            mirror.catch_up(&known, deaf).unwrap();
            mirror
        };
        let [a, b, c] = known.clone();
        assert_eq!(told().catch_up(&[a.clone(), c.clone()], deaf), None);
        assert_eq!(told().catch_up(&[a.clone(), b.clone()], deaf), None);
        assert_eq!(told().catch_up(&[a.clone(), user("x"), b.clone(), c.clone()], deaf), None);
        let changed = said("b", Some(Message::User("other words".into())));
        assert_eq!(told().catch_up(&[a, changed, c], deaf), None);
    }

    #[test]
    fn a_conversation_longer_than_a_prompt_is_told_from_its_end() {
        let mut mirror = Mirror::default();
        let long = |item: &str| said(item, Some(Message::User("x".repeat(150_000))));
        let entries = [long("a"), long("b"), long("c")];
        assert_eq!(mirror.catch_up(&entries, deaf).unwrap().len(), 2);
        assert_eq!(mirror.catch_up(&entries, deaf), Some(vec![]), "and is not begun anew for what was left out");
    }
}
