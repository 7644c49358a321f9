//! `session.update`: settings change, the turn under way does not.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Session,
    endpoint::{Pause, prefix},
    input::Voice,
    output::{Event, Output},
    refusal::{Refusal, tell},
    settings::{Settings, TurnDetection},
    span::Span,
    turn::Turn,
};

impl Session {
    /// Takes settings that are valid in themselves.
    pub(super) fn update(
        &mut self,
        now: Instant,
        mut settings: Settings,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        if settings.kind != self.settings.kind {
            return Err(Refusal::new("invalid_value", "The session's type cannot be changed.").of("session.type"));
        }
        if settings.output.voice != self.settings.output.voice && self.audible {
            let message = "The voice cannot be changed once the assistant has spoken.";
            return Err(Refusal::new("cannot_update_voice", message).of("session.audio.output.voice"));
        }
        settings.model.clone_from(&self.settings.model);
        let before = std::mem::replace(&mut self.settings, Arc::new(settings));
        tell(out, Event::SessionUpdated(Arc::clone(&self.settings)));
        let after = Arc::clone(&self.settings);
        match (&before.input.turn_detection, &after.input.turn_detection) {
            (Some(before), None) => self.go_manual(now, before, out),
            (None, Some(after)) => self.go_automatic(now, after, out),
            (Some(before), Some(after)) if before.policy != after.policy => self.judge_anew(),
            (Some(_), Some(_)) | (None, None) => {}
        }
        Ok(())
    }

    /// Turns end by the client's word from here on. A turn under way gathers on.
    fn go_manual(&mut self, now: Instant, before: &TurnDetection, out: &mut Vec<Output>) {
        self.drop_doubts(|_| true, out);
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Idle => {
                self.boundary = self.boundary.max(self.position.saturating_sub(prefix(&before.policy)));
            }
            Turn::Overlap { span } => {
                self.let_play(now, out);
                self.turn = Turn::Gathering { span };
            }
            Turn::Speaking { span } | Turn::Pausing { span, .. } => {
                if self.playout.is_held() {
                    self.interrupt(now, span.opened, out);
                }
                tell(out, Event::SpeechStopped { item: span.item.clone(), end: self.position });
                self.turn = Turn::Gathering { span };
            }
            turn @ (Turn::Weighing { .. } | Turn::Gathering { .. }) => self.turn = turn,
        }
    }

    /// Turns end by themselves from here on. What was gathered is a turn if somebody spoke in it.
    fn go_automatic(&mut self, now: Instant, after: &TurnDetection, out: &mut Vec<Output>) {
        let Turn::Gathering { span } = &self.turn else { return };
        let span = span.clone();
        self.turn = Turn::Idle;
        let understood = self.utterance(span.turn).is_some_and(|utterance| utterance.is_understood());
        match self.last_voice {
            Voice::Speech { since, .. } => {
                let onset = since.clamp(span.from, self.position);
                self.announce(now, Span { onset, ..span }, out);
            }
            Voice::Quiet { since } if since > span.from => {
                self.resume_pausing(now, span, since.min(self.position), out);
            }
            // Nobody listened for voices while turns were manual; but somebody understood words.
            Voice::Quiet { .. } if understood => {
                self.resume_pausing(now, span, self.position, out);
            }
            Voice::Quiet { .. } => {
                self.abandon(span.turn, out);
                self.boundary = self.boundary.max(self.position.saturating_sub(prefix(&after.policy)));
            }
        }
    }

    /// What was gathered is a turn in a pause.
    fn resume_pausing(&mut self, now: Instant, span: Span, since: Duration, out: &mut Vec<Output>) {
        self.announce(now, span.clone(), out);
        self.turn = Turn::Pausing { span, pause: Pause::new(since) };
    }

    /// A pause under way is judged by the policy that holds.
    fn judge_anew(&mut self) {
        if let Turn::Pausing { pause, .. } = &mut self.turn {
            *pause = Pause::new(pause.since);
        }
    }
}
