//! The input audio buffer: what of the stream becomes an item, by a turn's end or the client's word, and what is dropped.
//!
//! Positions before `boundary` were committed, cleared or dropped; every later turn starts behind it, so no audio is used
//! twice. While nobody speaks under voice detection only the padding before an onset is kept.

use std::time::{Duration, Instant};

use super::{
    Session,
    endpoint::prefix,
    ids::TurnId,
    item::{Body, Item, ItemStatus, Part, Role},
    output::{Event, Output, Transcribe},
    refusal::{Refusal, tell},
    span::Span,
    turn::Turn,
    utterance::Stage,
};

/// The least audio a client can commit.
pub const LEAST_COMMIT: Duration = Duration::from_millis(100);

impl Session {
    /// How much audio waits to be committed, the frame that was begun included.
    pub fn buffered(&self) -> Duration {
        self.position.saturating_sub(self.buffer_start()) + self.begun
    }

    /// `input_audio_buffer.commit`. What is refused stays in the buffer.
    pub(super) fn commit(&mut self, now: Instant, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let (start, buffered) = (self.buffer_start(), self.buffered());
        if buffered < LEAST_COMMIT {
            let millis = buffered.as_secs_f64() * 1000.0;
            return Err(Refusal::new(
                "input_audio_buffer_commit_empty",
                format!(
                    "Error committing input audio buffer: buffer too small. Expected at least {}ms of audio, \
                     but buffer only has {millis:.2}ms of audio.",
                    LEAST_COMMIT.as_millis()
                ),
            ));
        }
        self.can_listen()?;
        let until = self.position;
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Idle => {
                let span = self.transcribe(now, start, start, out);
                self.commit_span(now, span, until, out);
            }
            Turn::Gathering { span } => self.commit_span(now, span, until, out),
            Turn::Overlap { span } => {
                self.let_play(now, out);
                self.commit_span(now, span, until, out);
            }
            Turn::Speaking { span } | Turn::Pausing { span, .. } => {
                self.interrupt_if_held(now, &span, out);
                tell(out, Event::SpeechStopped { item: span.item.clone(), end: until });
                self.commit_span(now, span, until, out);
            }
            Turn::Weighing { span, until, .. } => {
                self.interrupt_if_held(now, &span, out);
                self.commit_span(now, span, until, out);
            }
        }
        Ok(())
    }

    /// `input_audio_buffer.clear`.
    pub(super) fn clear(&mut self, now: Instant, out: &mut Vec<Output>) {
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Idle => {}
            Turn::Weighing { span, .. }
            | Turn::Overlap { span }
            | Turn::Speaking { span }
            | Turn::Pausing { span, .. }
            | Turn::Gathering { span } => {
                self.abandon(span.turn, out);
                self.let_play(now, out);
            }
        }
        self.drop_doubts(|_| true, out);
        self.boundary = self.position;
        tell(out, Event::Cleared);
    }

    /// How much of the stream before the present may still become part of a turn while nobody speaks.
    pub(super) fn unkept(&self) -> Duration {
        let fresh = self.position.saturating_sub(self.boundary);
        self.settings.input.turn_detection.as_ref().map_or(Duration::ZERO, |d| prefix(&d.policy).min(fresh))
    }

    /// Drops a turn's transcription.
    pub(super) fn abandon(&mut self, turn: TurnId, out: &mut Vec<Output>) {
        self.utterances.retain(|utterance| utterance.turn != turn);
        out.push(Output::Transcribe(Transcribe::Abandon { turn }));
    }

    /// No more audio follows for a turn.
    pub(super) fn stop_listening(&mut self, span: &Span, until: Duration, out: &mut Vec<Output>) {
        let native = self.hears_itself();
        if self.utterance(span.turn).is_some_and(|utterance| utterance.hear_out(native)) {
            out.push(Output::Transcribe(Transcribe::Finish { turn: span.turn, until }));
        }
    }

    /// Makes a turn's audio an item.
    pub(super) fn commit_span(&mut self, now: Instant, span: Span, until: Duration, out: &mut Vec<Output>) {
        self.stop_listening(&span, until, out);
        self.boundary = self.boundary.max(until);
        let part = Part::InputAudio { transcript: None, clip: None };
        let body = Body::Message { role: Role::User, parts: vec![part] };
        let item = Item {
            id: span.item.clone(),
            status: ItemStatus::Completed,
            body,
            citations: Vec::new(),
            acts: Vec::new(),
        };
        let previous = self.conversation.last();
        tell(out, Event::Committed { item: span.item.clone(), previous: previous.clone() });
        self.conversation.push(item.clone());
        tell(out, Event::ItemAdded { item: item.clone(), previous: previous.clone() });
        tell(out, Event::ItemDone { item, previous });
        let visible = self.settings.input.transcription.is_some();
        let Some(utterance) = self.utterance(span.turn) else { return };
        let early = std::mem::replace(&mut utterance.stage, Stage::Listening);
        utterance.commit(now, until.saturating_sub(span.from), visible);
        if let Stage::Early(outcome) = early {
            return self.resolve(now, span.turn, outcome, out);
        }
        self.tell_words(span.turn, out);
    }

    fn buffer_start(&self) -> Duration {
        match &self.turn {
            Turn::Idle => self.position.saturating_sub(self.unkept()),
            Turn::Weighing { span, .. }
            | Turn::Overlap { span }
            | Turn::Speaking { span }
            | Turn::Pausing { span, .. }
            | Turn::Gathering { span } => span.from,
        }
    }

    fn interrupt_if_held(&mut self, now: Instant, span: &Span, out: &mut Vec<Output>) {
        if self.playout.is_held() {
            self.interrupt(now, span.opened, out);
        }
    }
}
