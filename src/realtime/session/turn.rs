//! The microphone's machine: when a person begins, pauses and ends, in stream time.

use std::time::{Duration, Instant};

use providers::stt::SttOptions;

use super::{
    Session,
    endpoint::{Advice, Pause, Verdict, prefix},
    ids::TurnId,
    input::{Heard, Voice},
    output::{CancelReason, Event, Measure, Output, Transcribe},
    refusal::tell,
    settings::{Kind, Player},
    span::Span,
    utterance::{Gist, Source, Stage, Utterance},
};

/// What the microphone is in.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Turn {
    /// Nobody speaks.
    Idle,
    /// Somebody makes a sound over a reply; the client does not know yet.
    Overlap { span: Span },
    /// Somebody speaks.
    Speaking { span: Span },
    /// Somebody spoke, and perhaps goes on.
    Pausing { span: Span, pause: Pause },
    /// Somebody spoke over a held reply and stopped; whether anything was said decides the reply's fate.
    Weighing { span: Span, until: Duration, deadline: Instant },
    /// Manual turns: audio gathers until the client commits it.
    Gathering { span: Span },
}

/// Whether the person is owed a reply.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Owed {
    Nothing,
    /// A turn ended at `since`; `words` once something was understood, `failure` if something could not be.
    Reply {
        since: Instant,
        words: bool,
        failure: Option<String>,
    },
}

impl Turn {
    /// Whether the client knows of this turn: it was told that speech started, or commits its turns itself.
    pub(super) fn is_open(&self, turn: TurnId) -> bool {
        match self {
            Self::Idle | Self::Overlap { .. } => false,
            Self::Speaking { span }
            | Self::Pausing { span, .. }
            | Self::Weighing { span, .. }
            | Self::Gathering { span } => span.turn == turn,
        }
    }
}

impl Session {
    /// 20 ms of the microphone.
    pub(super) fn heard(&mut self, now: Instant, heard: Heard, out: &mut Vec<Output>) {
        if heard.end <= self.position {
            return;
        }
        self.position = heard.end;
        self.heard_at = now;
        self.last_voice = heard.voice;
        match (std::mem::replace(&mut self.turn, Turn::Idle), heard.voice) {
            (Turn::Idle, voice) => self.listen(now, voice, out),
            (Turn::Overlap { span }, Voice::Speech { .. }) => self.judge_overlap(now, span, out),
            (Turn::Overlap { span }, Voice::Quiet { .. }) => self.end_overlap(now, span, out),
            (Turn::Speaking { span }, Voice::Quiet { since }) => {
                let pause = Pause::new(since.clamp(span.onset, heard.end));
                out.push(Output::Expect);
                self.judge_pause(now, span, pause, out);
            }
            (Turn::Speaking { span } | Turn::Pausing { span, .. }, Voice::Speech { .. }) => {
                self.turn = Turn::Speaking { span };
            }
            (Turn::Pausing { span, pause }, Voice::Quiet { .. }) => self.judge_pause(now, span, pause, out),
            (Turn::Weighing { span, until, .. }, voice @ Voice::Speech { since, .. }) if since >= until => {
                self.give_up_held(now, span, until, out);
                self.listen(now, voice, out);
            }
            (turn @ (Turn::Weighing { .. } | Turn::Gathering { .. }), _) => self.turn = turn,
        }
        self.limit(now, out);
    }

    /// Nobody's turn: opens one if there is something to hear.
    fn listen(&mut self, now: Instant, voice: Voice, out: &mut Vec<Output>) {
        let Some(detection) = &self.settings.input.turn_detection else {
            let span = self.transcribe(now, self.boundary, self.boundary, out);
            self.turn = Turn::Gathering { span };
            return;
        };
        let Voice::Speech { since, .. } = voice else { return };
        let onset = since.clamp(self.boundary, self.position);
        let from = since.saturating_sub(prefix(&detection.policy)).max(self.boundary).min(onset);
        let interrupts = detection.interrupt_response;
        let span = self.transcribe(now, from, onset, out);
        if !interrupts || !self.is_replying() {
            return self.announce(now, span, out);
        }
        if self.profile.player == Player::Relay && !self.playout.is_held() {
            self.playout.hold(now);
            out.push(Output::Pause);
        }
        self.judge_overlap(now, span, out);
    }

    /// Starts to transcribe audio from this position on.
    pub(super) fn transcribe(&mut self, now: Instant, from: Duration, onset: Duration, out: &mut Vec<Output>) -> Span {
        let (turn, item) = (self.ids.turn(), self.ids.item());
        self.utterances.push(Utterance::new(turn, item.clone(), Source::Microphone));
        let start = Transcribe::Start { turn, item: item.clone(), from, options: self.stt_options() };
        out.push(Output::Transcribe(start));
        Span { turn, item, from, onset, opened: now }
    }

    /// How to transcribe.
    pub(super) fn stt_options(&self) -> SttOptions {
        let detects = self.settings.input.turn_detection.as_ref().is_some_and(|detection| detection.interrupt_response);
        match &self.settings.input.transcription {
            None => SttOptions { interim: detects, likely: self.language.clone(), ..SttOptions::default() },
            Some(wanted) => SttOptions {
                model: wanted.model.clone(),
                language: wanted.language.clone(),
                prompt: wanted.prompt.clone(),
                likely: self.language.clone(),
                interim: true,
            },
        }
    }

    /// The client hears that somebody speaks: from here on the turn is open.
    pub(super) fn announce(&mut self, now: Instant, span: Span, out: &mut Vec<Output>) {
        self.commit_doubts(now, out);
        self.say_keys(now, out);
        tell(out, Event::SpeechStarted { item: span.item.clone(), start: span.from });
        self.speech_begins();
        let turn = span.turn;
        self.turn = Turn::Speaking { span };
        self.tell_words(turn, out);
    }

    fn judge_pause(&mut self, now: Instant, span: Span, mut pause: Pause, out: &mut Vec<Output>) {
        let Some(detection) = &self.settings.input.turn_detection else {
            self.turn = Turn::Gathering { span };
            return;
        };
        match pause.judge(&detection.policy, &self.profile, self.position) {
            Verdict::End => return self.end_turn(now, span, pause.since, out),
            Verdict::Ask => {
                pause.advice = Advice::Asked;
                out.push(Output::Advise { turn: span.turn, from: span.from, pause: pause.since });
            }
            Verdict::Wait => {}
        }
        self.turn = Turn::Pausing { span, pause };
    }

    /// The turn detector answered.
    pub(super) fn advised<E>(
        &mut self,
        now: Instant,
        turn: TurnId,
        since: Duration,
        complete: Result<f32, E>,
        out: &mut Vec<Output>,
    ) {
        if !matches!(&self.turn, Turn::Pausing { span, pause } if span.turn == turn && pause.since == since) {
            return;
        }
        if let Turn::Pausing { span, mut pause } = std::mem::replace(&mut self.turn, Turn::Idle) {
            pause.advise(complete);
            self.judge_pause(now, span, pause, out);
        }
    }

    /// The person has finished; the last speech ended at `quiet`.
    fn end_turn(&mut self, now: Instant, span: Span, quiet: Duration, out: &mut Vec<Output>) {
        let until = self.position;
        tell(out, Event::SpeechStopped { item: span.item.clone(), end: until });
        let since_heard = now.saturating_duration_since(self.heard_at);
        let measure = Measure::EndOfTurn(until.saturating_sub(quiet) + since_heard);
        if self.playout.is_held() {
            self.stop_listening(&span, until, out);
            self.boundary = until;
            let deadline = now + self.profile.resume_within;
            let early = self.utterance(span.turn).is_none_or(|utterance| utterance.stage != Stage::Finishing);
            self.turn = Turn::Weighing { span, until, deadline };
            if early {
                self.weigh(now, out);
            }
        } else {
            self.commit_turn(now, span, until, out);
        }
        out.push(Output::Measure(measure));
    }

    /// Makes an ended turn an item, to be answered if the settings say so.
    pub(super) fn commit_turn(&mut self, now: Instant, span: Span, until: Duration, out: &mut Vec<Output>) {
        let answers = self.settings.input.turn_detection.as_ref().is_some_and(|detection| detection.create_response)
            && self.settings.kind == Kind::Conversation;
        if answers && self.owed == Owed::Nothing {
            self.owed = Owed::Reply { since: now, words: false, failure: None };
        } else if let Owed::Reply { since, .. } = &mut self.owed {
            *since = now;
        }
        self.commit_span(now, span, until, out);
    }

    /// Ends a turn that has become too long; what follows opens the next one, so nothing is lost.
    fn limit(&mut self, now: Instant, out: &mut Vec<Output>) {
        let start = match &self.turn {
            Turn::Speaking { span } | Turn::Pausing { span, .. } | Turn::Gathering { span } => span.from,
            Turn::Idle | Turn::Overlap { .. } | Turn::Weighing { .. } => return,
        };
        if self.position.saturating_sub(start) < self.profile.longest_turn {
            return;
        }
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Speaking { span } => self.end_turn(now, span, self.position, out),
            Turn::Pausing { span, pause } => self.end_turn(now, span, pause.since, out),
            Turn::Gathering { span } => self.commit_span(now, span, self.position, out),
            turn @ (Turn::Idle | Turn::Overlap { .. } | Turn::Weighing { .. }) => self.turn = turn,
        }
    }

    /// When a turn ends because the microphone went dead.
    pub(super) fn starves(&self) -> Option<Instant> {
        match self.turn {
            Turn::Overlap { .. } | Turn::Speaking { .. } | Turn::Pausing { .. } => {
                Some(self.heard_at + self.profile.starvation)
            }
            Turn::Idle | Turn::Weighing { .. } | Turn::Gathering { .. } => None,
        }
    }

    /// The microphone went dead in the middle of a turn.
    pub(super) fn starve(&mut self, now: Instant, out: &mut Vec<Output>) {
        match std::mem::replace(&mut self.turn, Turn::Idle) {
            Turn::Overlap { span } => self.false_alarm(now, &span, out),
            Turn::Speaking { span } => self.end_turn(now, span, self.position, out),
            Turn::Pausing { span, pause } => self.end_turn(now, span, pause.since, out),
            turn @ (Turn::Idle | Turn::Weighing { .. } | Turn::Gathering { .. }) => self.turn = turn,
        }
    }

    pub(super) fn utterance(&mut self, turn: TurnId) -> Option<&mut Utterance> {
        self.utterances.iter_mut().find(|utterance| utterance.turn == turn)
    }

    /// What is known of what was said in a turn.
    pub(super) fn gist(&self, turn: TurnId) -> Gist {
        self.utterances.iter().find(|utterance| utterance.turn == turn).map_or(Gist::Unknown, Utterance::gist)
    }

    /// Cuts a held reply, because what was said over it counts.
    pub(super) fn give_up_held(&mut self, now: Instant, span: Span, until: Duration, out: &mut Vec<Output>) {
        self.interrupt(now, span.opened, out);
        self.commit_turn(now, span, until, out);
    }

    /// Stops all replies of the conversation, because the person has the floor.
    pub(super) fn interrupt(&mut self, now: Instant, opened: Instant, out: &mut Vec<Output>) {
        self.cut_tails(now, out);
        self.cut(now, CancelReason::TurnDetected, out);
        out.push(Output::Measure(Measure::OnsetToFlush(now.saturating_duration_since(opened))));
    }
}
