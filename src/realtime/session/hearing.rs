//! What recognisers tell: transcripts become the words of items, and settle what is owed.

use std::time::Instant;

use providers::{
    ErrorKind, ProviderError,
    stt::{FinalTranscript, Transcript},
};

use super::{
    Session,
    ids::TurnId,
    input::ResponseRequest,
    output::{Event, Measure, Output},
    refusal::tell,
    reply::{Cause, Stage as ReplyStage},
    response::explain_kind,
    turn::{Owed, Turn},
    utterance::{Gist, Stage},
};

impl Session {
    /// A recogniser told something.
    pub(super) fn transcript(
        &mut self,
        now: Instant,
        turn: TurnId,
        event: Result<Transcript, ProviderError>,
        out: &mut Vec<Output>,
    ) {
        let Some(utterance) = self.utterances.iter_mut().find(|utterance| utterance.turn == turn) else { return };
        let outcome = match event {
            Ok(Transcript::Partial { stable, tentative }) => {
                if matches!(utterance.stage, Stage::Early(_)) {
                    return;
                }
                utterance.hear(stable, &tentative);
                match (&utterance.stage, utterance.gist()) {
                    (Stage::Doubted { .. }, Gist::Words) => self.take_floor(now, turn, Stage::Finishing, out),
                    (Stage::Doubted { .. } | Stage::Committed { .. } | Stage::Early(_), _) => {}
                    (Stage::Listening | Stage::Finishing, _) => self.reconsider(now, turn, out),
                }
                return self.tell_words(turn, out);
            }
            Ok(Transcript::Final(text)) => Ok(text),
            Err(error) => Err(error),
        };
        match utterance.stage {
            Stage::Committed { .. } => self.resolve(now, turn, outcome, out),
            Stage::Early(_) => {}
            Stage::Doubted { .. } => {
                if let Ok(text) = &outcome {
                    utterance.weigh(&text.text);
                }
                self.settle_doubt(now, turn, Stage::Early(outcome), out);
            }
            Stage::Listening | Stage::Finishing => {
                if let Ok(text) = &outcome {
                    utterance.weigh(&text.text);
                }
                utterance.stage = Stage::Early(outcome);
                self.reconsider(now, turn, out);
            }
        }
    }

    /// Tells the client the words of a turn that will not change any more, once it knows of the turn.
    pub(super) fn tell_words(&mut self, turn: TurnId, out: &mut Vec<Output>) {
        let wanted = self.settings.input.transcription.is_some() && self.turn.is_open(turn);
        let Some(utterance) = self.utterance(turn) else { return };
        let visible = match utterance.stage {
            Stage::Committed { visible, .. } => visible,
            Stage::Listening | Stage::Finishing => wanted,
            Stage::Doubted { .. } | Stage::Early(_) => false,
        };
        if visible && let Some(delta) = utterance.delta() {
            tell(out, Event::TranscriptionDelta { item: utterance.item.clone(), delta });
        }
    }

    /// The last word on a committed utterance.
    pub(super) fn resolve(
        &mut self,
        now: Instant,
        turn: TurnId,
        outcome: Result<FinalTranscript, ProviderError>,
        out: &mut Vec<Output>,
    ) {
        let Some(at) = self.utterances.iter().position(|utterance| utterance.turn == turn) else { return };
        let utterance = self.utterances.remove(at);
        let Stage::Committed { at, visible, .. } = utterance.stage else { return };
        let item = utterance.item.clone();
        let (words, failure, duration) = match outcome {
            Ok(text) => {
                if text.language.is_some() && !text.text.trim().is_empty() {
                    self.language = text.language;
                }
                (utterance.complete(text.text), None, text.duration)
            }
            Err(error) => {
                let (_, message) = explain_kind("speech recognition", error.kind);
                (utterance.stable().to_owned(), Some(message), std::time::Duration::ZERO)
            }
        };
        let present = self.conversation.understand(&item, &words);
        if !present {
            self.understand_context(&item, &words);
        }
        if present && visible {
            let item = item.clone();
            match &failure {
                None => tell(out, Event::TranscriptionCompleted { item, transcript: words.clone(), duration }),
                Some(message) => tell(out, Event::TranscriptionFailed { item, message: message.clone() }),
            }
        }
        if failure.is_none() {
            out.push(Output::Measure(Measure::FinalTranscript(now.saturating_duration_since(at))));
        }
        self.record(&item, out);
        if present {
            self.note(turn, !words.trim().is_empty(), failure);
        }
    }

    /// What became of a turn's words, for those who wait for them.
    fn note(&mut self, turn: TurnId, understood: bool, failed: Option<String>) {
        if let Owed::Reply { words, failure, .. } = &mut self.owed {
            *words |= understood;
            if failed.is_some() {
                failure.clone_from(&failed);
            }
        }
        let asides = self.asides.iter_mut().map(|aside| &mut aside.reply);
        for reply in self.active.as_deref_mut().into_iter().chain(asides) {
            if let ReplyStage::Waiting { through, failure } = &mut reply.stage
                && turn <= *through
                && failed.is_some()
            {
                failure.clone_from(&failed);
            }
        }
    }

    /// Gives the reply that is owed, once everything said is understood and nobody speaks.
    pub(super) fn answer(&mut self, now: Instant, out: &mut Vec<Output>) {
        let Owed::Reply { since, words, failure } = &self.owed else { return };
        let listening = !matches!(self.turn, Turn::Idle | Turn::Gathering { .. });
        let pending = self.utterances.iter().any(|utterance| utterance.is_pending());
        if listening || self.active.is_some() || pending && !self.hears_itself() {
            return;
        }
        let (since, failure) = (*since, failure.clone());
        if *words || pending || failure.is_some() || self.conversation.is_unanswered() {
            self.begin(now, since, Cause::Turn, ResponseRequest::default(), failure, out);
        } else {
            self.owed = Owed::Nothing;
        }
    }

    /// Gives up on transcripts that never came.
    pub(super) fn give_up_transcripts(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.drop_doubts(|deadline| deadline <= now, out);
        while let Some(turn) = self.utterances.iter().find(|u| u.due().is_some_and(|due| due <= now)).map(|u| u.turn) {
            let error = ProviderError::new("session", ErrorKind::Timeout, "no final transcript");
            self.resolve(now, turn, Err(error), out);
        }
    }
}
