//! Sound over a reply: an interruption, a sign of listening, or nothing.
//!
//! Who plays decides what a false alarm can cost. Where the client plays, it is told nothing until the overlap is
//! confirmed, because it flushes on `speech_started`. A sound that stays even, as hums, "uh-huh" and coughs do, is
//! confirmed later than words; if it ends before, its transcript tells (see `doubt`). Where we play, the loudspeaker is held at the onset; a confirmed
//! overlap cuts the reply at once if words are known, else the reply stays held until the transcript tells, and goes on if
//! nothing was said.

use std::time::{Duration, Instant};

use super::{
    Session,
    ids::TurnId,
    input::Voice,
    output::Output,
    settings::Player,
    span::Span,
    turn::Turn,
    utterance::{Gist, Stage},
};

impl Session {
    /// Whether a reply is being made, or still heard.
    pub(super) fn is_replying(&self) -> bool {
        self.active.is_some() || !self.tails.is_empty()
    }

    /// Decides about sound over a reply from its length and what is understood of it.
    pub(super) fn judge_overlap(&mut self, now: Instant, span: Span, out: &mut Vec<Output>) {
        let (overlap, patience) = (self.profile.overlap, self.profile.backchannel.max(self.profile.overlap));
        let needed = match self.gist(span.turn) {
            Gist::Backchannel => patience,
            Gist::Unknown if self.sounds_even() && !overlap.is_zero() => patience,
            Gist::Unknown | Gist::Words => overlap,
        };
        if self.voiced_until().saturating_sub(span.onset) < needed {
            self.turn = Turn::Overlap { span };
        } else {
            self.barge_in(now, span, out);
        }
    }

    /// Whether all that is heard may be a hum, "uh-huh" or a cough.
    const fn sounds_even(&self) -> bool {
        matches!(self.last_voice, Voice::Speech { varied: false, .. })
    }

    /// Where the voice was last heard. The detector's patience with gaps after it is no sign of an interruption: counted
    /// in, the shortest cough would last as long as the overlap.
    pub(super) const fn voiced_until(&self) -> Duration {
        match self.last_voice {
            Voice::Speech { last, .. } => last,
            Voice::Quiet { since } => since,
        }
    }

    /// The person takes the floor: the client hears of the turn, whose audio was kept from its onset, and the reply stops.
    fn barge_in(&mut self, now: Instant, span: Span, out: &mut Vec<Output>) {
        let (turn, opened) = (span.turn, span.opened);
        self.announce(now, span, out);
        let resumable = self.profile.player == Player::Relay && !self.profile.resume_within.is_zero();
        if !resumable || self.gist(turn) == Gist::Words {
            self.interrupt(now, opened, out);
        }
    }

    /// It was a cough, or a sign of listening: nobody needs to know.
    pub(super) fn false_alarm(&mut self, now: Instant, span: &Span, out: &mut Vec<Output>) {
        self.abandon(span.turn, out);
        self.let_play(now, out);
    }

    /// The reply ended, or may not be interrupted any more: what sounded over it is a turn like any other.
    pub(super) fn promote(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.playout.is_held() && !self.is_replying() {
            self.let_go(now, out);
        }
        let Turn::Overlap { .. } = self.turn else { return };
        let detection = self.settings.input.turn_detection.as_ref();
        if self.is_replying() && detection.is_some_and(|detection| detection.interrupt_response) {
            return;
        }
        if let Turn::Overlap { span } = std::mem::replace(&mut self.turn, Turn::Idle) {
            self.let_play(now, out);
            self.announce(now, span, out);
        }
    }

    /// The held reply ended by itself: there is nothing left to hold, and nothing to weigh.
    fn let_go(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.let_play(now, out);
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Weighing { span, until, .. } => self.commit_turn(now, span, until, out),
            turn @ (Turn::Idle
            | Turn::Overlap { .. }
            | Turn::Speaking { .. }
            | Turn::Pausing { .. }
            | Turn::Gathering { .. }) => self.turn = turn,
        }
    }

    /// More is understood of a turn that may interrupt.
    pub(super) fn reconsider(&mut self, now: Instant, turn: TurnId, out: &mut Vec<Output>) {
        match &self.turn {
            Turn::Overlap { span } if span.turn == turn => {
                let span = span.clone();
                self.judge_overlap(now, span, out);
            }
            Turn::Speaking { span } | Turn::Pausing { span, .. }
                if span.turn == turn && self.playout.is_held() && self.gist(turn) == Gist::Words =>
            {
                self.interrupt(now, span.opened, out);
            }
            Turn::Weighing { .. } => self.weigh(now, out),
            Turn::Idle
            | Turn::Overlap { .. }
            | Turn::Speaking { .. }
            | Turn::Pausing { .. }
            | Turn::Gathering { .. } => {}
        }
    }

    /// Decides a held reply's fate once it is known what was said over it.
    pub(super) fn weigh(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Turn::Weighing { span, .. } = &self.turn else { return };
        let gist = self.gist(span.turn);
        let ended = self.utterances.iter().any(|u| u.turn == span.turn && matches!(u.stage, Stage::Early(_)));
        if gist != Gist::Words && !ended {
            return;
        }
        if let Turn::Weighing { span, until, .. } = std::mem::replace(&mut self.turn, Turn::Idle) {
            if gist == Gist::Words {
                self.give_up_held(now, span, until, out);
            } else {
                self.let_play(now, out);
                self.commit_span(now, span, until, out);
            }
        }
    }
}
