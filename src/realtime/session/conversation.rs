//! The items of a conversation in their order, and what is left of those that were cut short.
//!
//! Bounded: a client's item that would exceed [`MOST_ITEMS`] or [`MOST_BYTES`] is refused; an item the session itself
//! adds (speech, a reply) always fits, because the oldest items leave memory for it. History keeps them.

use std::time::Duration;

use providers::tool::Act;

use super::{
    ids::ItemId,
    input::Place,
    item::{Body, Item, ItemStatus, Part, Role},
    marks::Marks,
};

/// Most items of one conversation.
pub(super) const MOST_ITEMS: usize = 10_000;

/// Most bytes of text and sound in one conversation: two items of the largest append.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// The items of a conversation, oldest first.
#[derive(Debug, Default)]
pub struct Conversation {
    entries: Vec<Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    bytes: usize,
    spoken: Option<Box<Spoken>>,
}

/// What is needed to cut a reply's words again: a client knows later and better how much was played.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Spoken {
    /// All the words that were streamed.
    pub(super) text: String,
    /// When they sound.
    pub(super) marks: Marks,
    /// How much of the speech a client may say it played: all it was given, or what it left at its last word.
    pub(super) limit: Duration,
    /// What a client said it played while the reply was still being made.
    pub(super) played: Option<Duration>,
}

/// Why an item cannot be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unplaced {
    Duplicate,
    NoSuchPlace,
    Full,
}

impl Conversation {
    /// The items, oldest first.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.entries.iter().map(|entry| &entry.item)
    }

    /// The item of this id.
    pub fn get(&self, id: &ItemId) -> Option<&Item> {
        self.find(id).map(|at| &self.entries[at].item)
    }

    /// The item before this one.
    pub fn previous(&self, id: &ItemId) -> Option<ItemId> {
        let at = self.find(id)?.checked_sub(1)?;
        Some(self.entries[at].item.id.clone())
    }

    /// The last item.
    pub fn last(&self) -> Option<ItemId> {
        self.entries.last().map(|entry| entry.item.id.clone())
    }

    /// Adds what the session itself made, at the end.
    pub(super) fn push(&mut self, item: Item) {
        let bytes = weigh(&item);
        while !self.entries.is_empty() && (self.entries.len() >= MOST_ITEMS || self.bytes + bytes > MOST_BYTES) {
            self.bytes -= self.entries.remove(0).bytes;
        }
        self.bytes += bytes;
        self.entries.push(Entry { item, bytes, spoken: None });
    }

    /// Adds what the client made, where it wants it.
    pub(super) fn insert(&mut self, item: Item, place: &Place) -> Result<(), Unplaced> {
        if self.find(&item.id).is_some() {
            return Err(Unplaced::Duplicate);
        }
        let at = match place {
            Place::End => self.entries.len(),
            Place::Front => 0,
            Place::After(id) => self.find(id).ok_or(Unplaced::NoSuchPlace)? + 1,
        };
        let bytes = weigh(&item);
        if self.entries.len() >= MOST_ITEMS || self.bytes + bytes > MOST_BYTES {
            return Err(Unplaced::Full);
        }
        self.bytes += bytes;
        self.entries.insert(at, Entry { item, bytes, spoken: None });
        Ok(())
    }

    /// Takes an item out; whether it was there.
    pub(super) fn remove(&mut self, id: &ItemId) -> bool {
        let Some(at) = self.find(id) else { return false };
        self.bytes -= self.entries.remove(at).bytes;
        true
    }

    /// Notes what was understood of a person's speech; whether the item is still there.
    pub(super) fn understand(&mut self, id: &ItemId, words: &str) -> bool {
        let Some(at) = self.find(id) else { return false };
        understand(&mut self.entries[at].item, words);
        self.reweigh(at);
        true
    }

    /// Replaces an item of a reply by its finished state. Does nothing if the client deleted it.
    pub(super) fn finish(&mut self, item: Item, spoken: Option<Box<Spoken>>) {
        let Some(at) = self.find(&item.id) else { return };
        self.entries[at].item = item;
        self.entries[at].spoken = spoken;
        self.reweigh(at);
    }

    /// Notes what was done on the way to this item.
    pub(super) fn note(&mut self, id: &ItemId, acts: &[Act]) {
        let Some(at) = self.find(id) else { return };
        self.entries[at].item.acts = acts.to_vec();
        self.reweigh(at);
    }

    /// What a cut of this item's speech goes by.
    pub(super) fn spoken(&mut self, id: &ItemId) -> Option<&mut Spoken> {
        let at = self.find(id)?;
        self.entries[at].spoken.as_deref_mut()
    }

    /// Cuts a reply's words to what was heard until this position.
    pub(super) fn cut(&mut self, id: &ItemId, heard: Duration) {
        let Some(at) = self.find(id) else { return };
        let entry = &mut self.entries[at];
        let Some(spoken) = &entry.spoken else { return };
        let heard = spoken.played.map_or(heard, |played| played.min(heard));
        if let Body::Message { parts, .. } = &mut entry.item.body {
            for part in parts {
                if let Part::OutputAudio { transcript, length } = part {
                    spoken.marks.heard(&spoken.text, heard).clone_into(transcript);
                    *length = heard;
                }
            }
        }
        entry.item.status = ItemStatus::Incomplete;
        self.reweigh(at);
    }

    /// Whether the person's last words have no answer.
    pub(super) fn is_unanswered(&self) -> bool {
        for item in self.items().rev() {
            match &item.body {
                Body::Message { role: Role::User, parts } if has_words(parts) => return true,
                Body::Message { role: Role::Assistant, parts } if has_words(parts) => return false,
                Body::Message { .. } | Body::Opaque(_) => {}
                Body::Call { .. } | Body::Output { .. } => return false,
            }
        }
        false
    }

    fn find(&self, id: &ItemId) -> Option<usize> {
        self.entries.iter().rposition(|entry| entry.item.id == *id)
    }

    fn reweigh(&mut self, at: usize) {
        let entry = &mut self.entries[at];
        self.bytes -= entry.bytes;
        entry.bytes = weigh(&entry.item) + entry.spoken.as_ref().map_or(0, |spoken| spoken.text.len());
        self.bytes += entry.bytes;
    }
}

/// Notes what was understood of a person's speech in an item.
pub(super) fn understand(item: &mut Item, words: &str) {
    let Body::Message { parts, .. } = &mut item.body else { return };
    for part in parts {
        if let Part::InputAudio { transcript, .. } = part
            && transcript.is_none()
        {
            *transcript = Some(words.to_owned());
            return;
        }
    }
}

/// The words of a part, if it has any.
pub(super) fn words(part: &Part) -> Option<&str> {
    match part {
        Part::InputText(text) | Part::OutputText(text) | Part::OutputAudio { transcript: text, .. } => {
            Some(text.as_str())
        }
        Part::InputAudio { transcript, .. } => transcript.as_deref(),
        Part::InputImage(_) => None,
    }
    .filter(|words| !words.trim().is_empty())
}

fn has_words(parts: &[Part]) -> bool {
    parts.iter().any(|part| words(part).is_some())
}

/// Bytes of text and sound in an item.
fn weigh(item: &Item) -> usize {
    let acts = item.acts.iter().map(|act| act.call.arguments.len() + act.output.len());
    acts.sum::<usize>() + weigh_body(&item.body)
}

fn weigh_body(body: &Body) -> usize {
    match body {
        Body::Message { parts, .. } => parts
            .iter()
            .map(|part| match part {
                Part::InputText(text) | Part::OutputText(text) | Part::OutputAudio { transcript: text, .. } => {
                    text.len()
                }
                Part::InputAudio { transcript, clip } => {
                    transcript.as_ref().map_or(0, String::len) + clip.as_ref().map_or(0, |clip| clip.samples.len() * 2)
                }
                Part::InputImage(json) => json.as_str().len(),
            })
            .sum(),
        Body::Call { name, arguments, .. } => name.len() + arguments.len(),
        Body::Output { output, .. } => output.len(),
        Body::Opaque(json) => json.as_str().len(),
    }
}
