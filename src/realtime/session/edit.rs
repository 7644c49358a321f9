//! What clients do to the conversation: create, retrieve, truncate and delete items.

use std::time::{Duration, Instant};

use audio::Clip;
use std::sync::Arc;

use super::{
    Session,
    conversation::Unplaced,
    ids::ItemId,
    input::Place,
    item::{Body, Item, ItemStatus, Part, Role},
    output::{Event, Output, Record, Transcribe},
    refusal::{Refusal, tell},
    reply::Content,
    settings::Player,
    utterance::{Source, Utterance},
};

/// By how much a client may overstate what it played: it computes that from bytes and clocks.
const ROUNDING: Duration = Duration::from_millis(250);

/// Most utterances that wait for their words while the client asks for more.
const MOST_PENDING: usize = 64;

impl Session {
    /// `conversation.item.create`.
    pub(super) fn create(
        &mut self,
        now: Instant,
        mut item: Item,
        place: &Place,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        if item.id.as_str().is_empty() {
            item.id = self.ids.item();
        }
        item.status = ItemStatus::Completed;
        let id = item.id.clone();
        if self.is_promised(&id) {
            return Err(duplicate(&id));
        }
        let clip = unheard(&item);
        if clip.is_some() {
            self.can_listen()?;
        }
        self.conversation.insert(item.clone(), place).map_err(|unplaced| match unplaced {
            Unplaced::Duplicate => duplicate(&id),
            Unplaced::NoSuchPlace => {
                Refusal::new("invalid_value", "The item to insert after is not in the conversation.")
                    .of("previous_item_id")
            }
            Unplaced::Full => Refusal::new("invalid_value", "The conversation is full: delete items first.").of("item"),
        })?;
        let previous = self.conversation.previous(&id);
        tell(out, Event::ItemAdded { item: item.clone(), previous: previous.clone() });
        tell(out, Event::ItemDone { item, previous });
        match clip {
            None => self.record(&id, out),
            Some(clip) => self.transcribe_clip(now, id, clip, self.settings.input.transcription.is_some(), out),
        }
        Ok(())
    }

    /// Sound that came inside an item gets its words.
    pub(super) fn transcribe_clip(
        &mut self,
        now: Instant,
        item: ItemId,
        clip: Arc<Clip>,
        visible: bool,
        out: &mut Vec<Output>,
    ) {
        let turn = self.ids.turn();
        let mut utterance = Utterance::new(turn, item, Source::Clip);
        utterance.commit(now, clip.duration(), visible);
        self.utterances.push(utterance);
        out.push(Output::Transcribe(Transcribe::Clip { turn, clip, options: self.stt_options() }));
    }

    /// Refuses more work for recognisers while too much of it waits.
    pub(super) fn can_listen(&self) -> Result<(), Refusal> {
        if self.utterances.iter().filter(|utterance| utterance.is_pending()).count() < MOST_PENDING {
            return Ok(());
        }
        Err(Refusal::new("rate_limit_exceeded", "Too much audio waits for its transcript. Try again in a moment."))
    }

    /// `conversation.item.retrieve`.
    pub(super) fn retrieve(&self, id: &ItemId, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let unknown = || Refusal::unknown("item_retrieve_invalid_item_id", id);
        let item = self.conversation.get(id).ok_or_else(unknown)?;
        tell(out, Event::ItemRetrieved(item.clone()));
        Ok(())
    }

    /// `conversation.item.delete`.
    pub(super) fn delete(&mut self, id: ItemId, out: &mut Vec<Output>) -> Result<(), Refusal> {
        if !self.conversation.remove(&id) {
            return Err(Refusal::unknown("item_delete_invalid_item_id", &id));
        }
        tell(out, Event::ItemDeleted(id.clone()));
        out.push(Output::Record(Box::new(Record::Deleted(id))));
        Ok(())
    }

    /// `conversation.item.truncate`.
    pub(super) fn truncate(
        &mut self,
        now: Instant,
        id: &ItemId,
        content_index: u32,
        audio_end: Duration,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let unknown = || Refusal::unknown("item_truncate_invalid_item_id", id);
        let item = self.conversation.get(id).ok_or_else(unknown)?;
        let length = speech(item, content_index);
        let under_way = self.under_way(id).filter(|_| content_index == 0);
        let closed = self.conversation.spoken(id).map(|spoken| spoken.limit).filter(|_| length.is_some());
        let Some(limit) = under_way.or(closed).or(length) else {
            let message = "Only model output audio messages can be truncated";
            return Err(Refusal::new("unsupported_content_type", message).of("item_id"));
        };
        if audio_end > limit + ROUNDING {
            let (has, asked) = (limit.as_millis(), audio_end.as_millis());
            let message = format!("Audio content of {has}ms is already shorter than {asked}ms");
            return Err(Refusal::new("invalid_value", message).of("audio_end_ms"));
        }
        let audio_end = audio_end.min(limit);
        if under_way.is_some() {
            self.note_played(id, audio_end);
        } else if let Some(spoken) = self.conversation.spoken(id) {
            spoken.limit = audio_end;
            spoken.played = Some(audio_end);
            self.conversation.cut(id, audio_end);
        }
        tell(out, Event::ItemTruncated { item: id.clone(), content_index, audio_end });
        if self.profile.player == Player::Client {
            self.stop_tail(now, id);
        }
        if under_way.is_none() {
            self.record(id, out);
        }
        Ok(())
    }

    /// Whether this id stands for speech that is still to become an item, or to be told about one.
    fn is_promised(&self, id: &ItemId) -> bool {
        let mut lines = self.active.iter().flat_map(|reply| &reply.lines);
        self.utterances.iter().any(|utterance| utterance.item == *id) || lines.any(|line| line.item == *id)
    }

    /// How much was released of an item that is still being spoken.
    fn under_way(&self, id: &ItemId) -> Option<Duration> {
        let lines = self.active.as_ref()?.lines.iter();
        let line = lines.filter(|line| !line.is_closed()).find(|line| line.item == *id)?;
        match &line.content {
            Content::Speech { track, .. } => Some(track.released),
            Content::Text(_) | Content::Call { .. } => None,
        }
    }

    fn note_played(&mut self, id: &ItemId, audio_end: Duration) {
        let lines = self.active.iter_mut().flat_map(|reply| &mut reply.lines);
        for line in lines.filter(|line| line.item == *id) {
            if let Content::Speech { spoken, .. } = &mut line.content {
                spoken.played = Some(spoken.played.map_or(audio_end, |played| played.min(audio_end)));
            }
        }
    }

    /// The client says how much it played, so it plays no more of it.
    fn stop_tail(&mut self, now: Instant, id: &ItemId) {
        for tail in &mut self.tails {
            tail.tracks.retain(|(item, _)| item != id);
        }
        if self.tails.iter().all(|tail| tail.tracks.is_empty()) && self.active.is_none() {
            self.playout.flush(now);
        }
    }
}

fn duplicate(id: &ItemId) -> Refusal {
    let message = format!("An item with id '{id}' is already in the conversation.");
    Refusal::new("item_create_duplicate_item_id", message).of("item.id")
}

/// The sound of an item whose words are not known.
pub(super) fn unheard(item: &Item) -> Option<Arc<Clip>> {
    let Body::Message { role: Role::User, parts } = &item.body else { return None };
    parts.iter().find_map(|part| match part {
        Part::InputAudio { transcript: None, clip: Some(clip) } => Some(Arc::clone(clip)),
        Part::InputAudio { .. }
        | Part::InputText(_)
        | Part::InputImage(_)
        | Part::OutputText(_)
        | Part::OutputAudio { .. } => None,
    })
}

/// The length of the assistant's speech at this place of an item.
fn speech(item: &Item, content_index: u32) -> Option<Duration> {
    let Body::Message { role: Role::Assistant, parts } = &item.body else { return None };
    match parts.get(content_index as usize)? {
        Part::OutputAudio { length, .. } => Some(*length),
        Part::InputText(_) | Part::InputAudio { .. } | Part::InputImage(_) | Part::OutputText(_) => None,
    }
}
