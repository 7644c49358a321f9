//! Nobody says anything: after a while the assistant speaks up, once per silence.

use std::time::{Duration, Instant};

use super::{
    Session,
    input::ResponseRequest,
    item::{Body, Item, ItemStatus, Part, Role},
    output::{Event, Output},
    refusal::tell,
    reply::Cause,
    settings::{Endpointing, Kind},
    turn::{Owed, Turn},
};

/// How long nobody has spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Silence {
    /// Not counted: somebody speaks, or the assistant spoke up already.
    Untimed,
    /// Counted once the reply has been heard.
    Due,
    /// Counted since this instant and position.
    Since { at: Instant, position: Duration },
}

impl Session {
    /// Begins to count once the reply has been heard and nobody speaks.
    pub(super) fn time_silence(&mut self, now: Instant) {
        let quiet = self.turn == Turn::Idle && self.owed == Owed::Nothing && !self.is_replying();
        if self.silence == Silence::Due && quiet {
            self.silence = Silence::Since { at: now, position: self.position };
        }
    }

    /// Somebody speaks: there is no silence to count.
    pub(super) const fn speech_begins(&mut self) {
        self.silence = Silence::Untimed;
    }

    /// When the silence has lasted as long as the settings allow.
    pub(super) fn silence_ends(&self) -> Option<Instant> {
        let Silence::Since { at, .. } = self.silence else { return None };
        let quiet = self.turn == Turn::Idle && self.settings.kind == Kind::Conversation;
        quiet.then_some(at + self.patience()?)
    }

    /// The assistant speaks up. The silence becomes an item, but its audio stays: words may just have begun in it.
    pub(super) fn break_silence(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Silence::Since { position: start, .. } = self.silence else { return };
        let Some(patience) = self.patience() else { return };
        self.silence = Silence::Untimed;
        let (id, end) = (self.ids.item(), self.position);
        tell(out, Event::IdleTimeout { item: id.clone(), start, end });
        let previous = self.conversation.last();
        tell(out, Event::Committed { item: id.clone(), previous: previous.clone() });
        let part = Part::InputAudio { transcript: Some(String::new()), clip: None };
        let body = Body::Message { role: Role::User, parts: vec![part] };
        let item =
            Item { id: id.clone(), status: ItemStatus::Completed, body, citations: Vec::new(), acts: Vec::new() };
        self.conversation.push(item.clone());
        tell(out, Event::ItemAdded { item: item.clone(), previous: previous.clone() });
        tell(out, Event::ItemDone { item, previous });
        if self.settings.input.transcription.is_some() {
            let duration = end.saturating_sub(start);
            tell(out, Event::TranscriptionCompleted { item: id, transcript: String::new(), duration });
        }
        self.begin(now, now, Cause::Silence(patience), ResponseRequest::default(), None, out);
    }

    fn patience(&self) -> Option<Duration> {
        match &self.settings.input.turn_detection.as_ref()?.policy {
            Endpointing::Silence { idle_timeout, .. } => *idle_timeout,
            Endpointing::Semantic { .. } => None,
        }
    }
}
