//! Short sounds over a reply that ended before anyone could tell what they were.
//!
//! The client knows nothing of them and the reply goes on. Their words decide: a sign of listening or nothing at all is
//! forgotten, anything else takes the floor late rather than never.

use std::time::{Duration, Instant};

use super::{
    Session,
    ids::TurnId,
    output::{Event, Output, Transcribe},
    refusal::tell,
    span::Span,
    utterance::{Gist, Stage},
};

/// How long a sound may wait for its words. Later than that the reply has moved on.
const PATIENCE: Duration = Duration::from_secs(3);

/// Most sounds that wait at once, so that a file faster than real time cannot pile them up.
const MOST: usize = 4;

impl Session {
    /// A sound over a reply ended and was not confirmed as an interruption.
    pub(super) fn end_overlap(&mut self, now: Instant, span: Span, out: &mut Vec<Output>) {
        let waiting = self.utterances.iter().filter(|u| matches!(u.stage, Stage::Doubted { .. })).count();
        let short = self.voiced_until().saturating_sub(span.onset) < self.profile.overlap;
        let told = self.gist(span.turn) == Gist::Backchannel;
        let (turn, until) = (span.turn, self.position);
        if let Some(utterance) = self.utterance(turn)
            && utterance.stage == Stage::Listening
            && !(short || told || waiting == MOST)
        {
            let told = utterance.hear_out(false);
            utterance.stage = Stage::Doubted { span, until, deadline: now + PATIENCE };
            self.boundary = until;
            if told {
                out.push(Output::Transcribe(Transcribe::Finish { turn, until }));
            }
            return self.let_play(now, out);
        }
        self.false_alarm(now, &span, out);
    }

    /// What sounded over the reply turns out to be words: the person takes the floor.
    pub(super) fn take_floor(&mut self, now: Instant, turn: TurnId, next: Stage, out: &mut Vec<Output>) {
        let Some(utterance) = self.utterance(turn) else { return };
        let Stage::Doubted { span, until, .. } = std::mem::replace(&mut utterance.stage, next) else { return };
        tell(out, Event::SpeechStarted { item: span.item.clone(), start: span.from });
        self.speech_begins();
        let detection = self.settings.input.turn_detection.as_ref();
        if self.is_replying() && detection.is_some_and(|detection| detection.interrupt_response) {
            self.interrupt(now, span.opened, out);
        }
        tell(out, Event::SpeechStopped { item: span.item.clone(), end: until });
        self.commit_turn(now, span, until, out);
    }

    /// Somebody speaks on: what was in doubt before comes first, as an item of its own.
    pub(super) fn commit_doubts(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some(utterance) = self.utterances.iter_mut().find(|u| matches!(u.stage, Stage::Doubted { .. })) {
            if let Stage::Doubted { span, until, .. } = std::mem::replace(&mut utterance.stage, Stage::Finishing) {
                self.commit_span(now, span, until, out);
            }
        }
    }

    /// Nobody waits for the words of what was in doubt any more.
    pub(super) fn drop_doubts(&mut self, due: impl Fn(Instant) -> bool, out: &mut Vec<Output>) {
        while let Some(turn) = self
            .utterances
            .iter()
            .find(|u| matches!(u.stage, Stage::Doubted { deadline, .. } if due(deadline)))
            .map(|utterance| utterance.turn)
        {
            self.abandon(turn, out);
        }
    }

    /// The last word on what was in doubt, or none.
    pub(super) fn settle_doubt(&mut self, now: Instant, turn: TurnId, next: Stage, out: &mut Vec<Output>) {
        if self.gist(turn) == Gist::Words {
            self.take_floor(now, turn, next, out);
        } else {
            self.utterances.retain(|utterance| utterance.turn != turn);
        }
    }
}
