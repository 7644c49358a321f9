//! The keys of a telephone: gathered while the caller presses, then a message of theirs like one they typed.
//!
//! A number has many digits, and each by itself would be answered. It ends with `#`, with a pause, or when the caller
//! speaks. A key over a reply stops it, as callers expect of telephones.

use std::time::{Duration, Instant};

use super::{
    Session,
    item::{Body, Item, ItemStatus, Part, Role},
    output::{CancelReason, Event, Output},
    refusal::tell,
    settings::Kind,
    turn::Owed,
};

/// The pause that ends a number: people look up at what they dial after three or four digits.
const PAUSE: Duration = Duration::from_millis(2_500);

/// Most keys of one message: longer than any number.
const MOST: usize = 64;

/// What was pressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Keypad {
    /// Nothing.
    Untouched,
    /// These keys, the last one then.
    Pressed { keys: String, last: Instant },
}

impl Session {
    /// The caller pressed a key.
    pub(super) fn press(&mut self, now: Instant, key: char, at: u64, out: &mut Vec<Output>) {
        tell(out, Event::KeyPressed { key, at });
        if self.settings.input.turn_detection.as_ref().is_some_and(|detection| detection.interrupt_response) {
            self.cut_tails(now, out);
            self.cut(now, CancelReason::ClientCancelled, out);
        }
        let mut keys = match std::mem::replace(&mut self.keypad, Keypad::Untouched) {
            Keypad::Untouched => String::new(),
            Keypad::Pressed { keys, .. } => keys,
        };
        keys.push(key);
        let whole = key == '#' || keys.len() >= MOST;
        self.keypad = Keypad::Pressed { keys, last: now };
        if whole {
            self.say_keys(now, out);
        }
    }

    /// When the caller is done pressing, if nothing else happens.
    pub(super) fn keys_end(&self) -> Option<Instant> {
        match self.keypad {
            Keypad::Untouched => None,
            Keypad::Pressed { last, .. } => Some(last + PAUSE),
        }
    }

    /// What was pressed becomes a message, to be answered if turns are.
    pub(super) fn say_keys(&mut self, now: Instant, out: &mut Vec<Output>) {
        if !self.keep_keys(out) {
            return;
        }
        let answers = self.settings.input.turn_detection.as_ref().is_some_and(|detection| detection.create_response)
            && self.settings.kind == Kind::Conversation;
        if answers {
            match &mut self.owed {
                Owed::Reply { words, .. } => *words = true,
                Owed::Nothing => self.owed = Owed::Reply { since: now, words: true, failure: None },
            }
        }
    }

    /// What was pressed becomes a message; whether there was anything.
    pub(super) fn keep_keys(&mut self, out: &mut Vec<Output>) -> bool {
        let Keypad::Pressed { keys, .. } = std::mem::replace(&mut self.keypad, Keypad::Untouched) else { return false };
        let parts = vec![Part::InputText(format!("[The caller pressed on the keypad: {keys}]"))];
        let body = Body::Message { role: Role::User, parts };
        let item =
            Item { id: self.ids.item(), status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() };
        let (id, previous) = (item.id.clone(), self.conversation.last());
        self.conversation.push(item.clone());
        tell(out, Event::ItemAdded { item: item.clone(), previous: previous.clone() });
        tell(out, Event::ItemDone { item, previous });
        self.record(&id, out);
        true
    }
}
