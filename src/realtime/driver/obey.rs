//! What was decided is done: nothing here waits, it hands work to bounded queues.

use std::mem;

use audio::Frame;
use axum::extract::ws::Utf8Bytes;

use super::{Driver, State, controllers::Source};
use crate::{
    metrics::{self, Latency, Loss},
    realtime::{
        loudspeaker::Speaker,
        session::{
            Output,
            ids::{ResponseId, TurnId},
            input::CloseReason,
            item::ItemStatus,
            output::{Event, Measure, PartRef, Transcribe},
            settings::{Format, Modality},
        },
        transport::downlink::{Farewell, Message, SlowReader},
    },
};

impl Driver {
    /// Obeys all that was decided, in its order.
    pub(super) fn obey_all(&mut self) {
        let mut out = mem::take(&mut self.out);
        for output in out.drain(..) {
            self.obey(output);
        }
        self.out = out;
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Transcribe(transcribe) => self.transcribe(transcribe),
            Output::Advise { turn, from, pause } => {
                let until = pause + Frame::DURATION;
                let audio = self.ingest.since(from).take_while(|(end, _)| *end < until).map(|(_, frame)| *frame);
                self.workers.advise(turn, pause, audio.collect());
            }
            Output::Expect => self.workers.expect(),
            Output::Infer { response, prompt } => self.workers.think(response, *prompt),
            Output::Converse { response, ask } => {
                self.egress.open(&response);
                self.workers.converse(response, ask);
            }
            Output::Synthesize { response, voice, clause } => {
                self.egress.open(&response);
                self.workers.speak(response, voice, clause);
            }
            Output::SynthesizeEnd { response } => self.workers.speak_end(&response),
            Output::Cancel(response) => {
                self.workers.cancel(&response);
                self.egress.forget(&response);
            }
            Output::Release { response, item, output_index, content_index, format, until } => {
                let part = PartRef { response, item, output_index, content_index, modality: Modality::Audio };
                self.release(&part, format, until);
            }
            Output::Flush(response) => {
                self.downlink.flush(&response);
                self.egress.forget(&response);
                self.speaker.iter().for_each(Speaker::flush);
            }
            Output::Pause => self.speaker.iter().for_each(Speaker::hold),
            Output::Resume => self.speaker.iter().for_each(Speaker::resume),
            Output::Notify(event) => self.notify(&event),
            Output::Record(record) => self.history.record(*record),
            Output::Measure(measure) => count(measure),
            Output::Close(reason) => self.close(reason),
        }
    }

    fn transcribe(&mut self, transcribe: Transcribe) {
        match transcribe {
            Transcribe::Start { turn, item, from, options } => {
                let lost = self.ingest.oldest().saturating_sub(from);
                if !lost.is_zero() {
                    metrics::audio_dropped(Loss::Preroll, lost);
                    tracing::warn!(turn.id = turn.0, lost_ms = lost.as_millis(), "a turn began before what is kept");
                }
                self.held = Some(turn);
                self.ingest.hold(from);
                self.workers.listen(turn, from, options);
                if self.session.hears_itself() {
                    self.workers.converse_over(turn, item, from, || self.session.manner());
                } else {
                    self.workers.hang_up();
                }
                self.feed();
            }
            Transcribe::Finish { turn, until } => {
                // First what belongs to the turn and was not fed yet, then no more.
                self.workers.finish(turn, until);
                self.feed();
                self.let_go(turn);
            }
            Transcribe::Abandon { turn } => {
                self.workers.abandon(turn);
                self.let_go(turn);
            }
            Transcribe::Clip { turn, clip, options } => self.workers.listen_to(turn, clip, options),
        }
    }

    /// The microphone is out of a turn. Whoever still transcribes it has its audio: see [`Driver::feed`].
    fn let_go(&mut self, turn: TurnId) {
        if self.held == Some(turn) {
            self.held = None;
            self.ingest.let_go();
        }
    }

    fn notify(&mut self, event: &Event) {
        if let Event::AudioDone(part) = event {
            self.release_rest(part);
        }
        if let Event::OutputItemAdded { response, item, .. } = event {
            self.workers.added(response, &item.id);
        }
        self.tell(event);
        if let Event::ResponseDone(response) = event {
            self.tally.responses += 1;
            self.forget(&response.id);
        }
    }

    /// A response is over: what is on its way to the client still goes.
    fn forget(&mut self, response: &ResponseId) {
        self.workers.cancel(response);
        self.egress.forget(response);
        self.downlink.forget(response);
    }

    /// Tells everybody; of what is wrong with somebody's own event, only them.
    pub(super) fn tell(&mut self, event: &Event) {
        match (event, self.answering) {
            (Event::Error(_), Some(Source::Client)) => {}
            (Event::Error(_), Some(Source::Controller(number))) => return self.controllers.answer(number, event),
            _ => self.controllers.tell(event),
        }
        let Self { encoder, downlink, echoing, .. } = self;
        let mut told = Ok(());
        encoder.tell(event, |text| {
            let text = Utf8Bytes::from(text);
            let sent = if *echoing { downlink.echo(text) } else { downlink.tell(text) };
            told = told.and(sent);
        });
        self.check(told);
    }

    fn release(&mut self, part: &PartRef, format: Format, until: std::time::Duration) {
        let Self { egress, encoder, downlink, given, speaker, .. } = self;
        let indexes = (part.output_index, part.content_index);
        if let Some(speaker) = speaker {
            let samples = egress.play(&part.response, indexes, until, |samples| speaker.play(samples));
            return self.workers.released(&part.response, samples);
        }
        let mut played = Ok(());
        let samples = egress.release(&part.response, indexes, format, until, |audio| {
            let mut text = String::with_capacity(512 + audio.len() / 3 * 4);
            encoder.audio_delta(part, audio, &mut text);
            let message = Message { text: Utf8Bytes::from(text), given: *given };
            played = played.and(downlink.play(&part.response, message));
        });
        self.workers.released(&part.response, samples);
        self.check(played);
    }

    fn release_rest(&mut self, part: &PartRef) {
        let Self { egress, encoder, downlink, .. } = self;
        let mut played = Ok(());
        egress.finish(&part.response, (part.output_index, part.content_index), |audio| {
            let mut text = String::with_capacity(512 + audio.len() / 3 * 4);
            encoder.audio_delta(part, audio, &mut text);
            let message = Message { text: Utf8Bytes::from(text), given: None };
            played = downlink.play(&part.response, message);
        });
        self.check(played);
    }

    /// The session is over; the first reason stands.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if !matches!(self.state, State::Closed(..)) {
            self.state = State::Closed(reason, farewell(reason));
        }
    }

    fn check(&mut self, sent: Result<(), SlowReader>) {
        if sent.is_err() && self.state == State::Open {
            self.state = State::Failing(CloseReason::SlowReader);
        }
    }
}

/// What a client is told as the last thing: section 2 of the protocol.
pub(super) const fn farewell(reason: CloseReason) -> Farewell {
    match reason {
        CloseReason::Hangup => Farewell { code: 1000, reason: "" },
        CloseReason::Expired => Farewell { code: 1001, reason: "Your session hit the maximum duration." },
        CloseReason::Drain => Farewell { code: 1001, reason: "The server is going away." },
        CloseReason::SlowReader => Farewell { code: 1013, reason: "The client does not read what it is sent." },
        CloseReason::Kicked => Farewell { code: 1000, reason: "The session was ended." },
        // A normal end, or clients that come back by themselves would take each other's place for ever.
        CloseReason::Replaced => Farewell { code: 1000, reason: "The client secret was used again, elsewhere." },
        CloseReason::Internal => Farewell { code: 1011, reason: "Internal error." },
    }
}

fn count(measure: Measure) {
    match measure {
        Measure::OnsetToFlush(span) => metrics::measured(Latency::OnsetToFlush, span),
        Measure::EndOfTurn(span) => metrics::measured(Latency::EndOfTurn, span),
        Measure::FinalTranscript(span) => metrics::measured(Latency::FinalTranscript, span),
        Measure::FirstToken(span) => metrics::measured(Latency::FirstToken, span),
        Measure::FirstAudio(span) => metrics::measured(Latency::FirstAudio, span),
        Measure::Reply(ItemStatus::Completed) => metrics::replied("completed"),
        Measure::Reply(ItemStatus::Incomplete | ItemStatus::InProgress) => metrics::replied("incomplete"),
    }
}
