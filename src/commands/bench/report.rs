//! What a benchmark found, as it is written down.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use serde::Serialize;

use super::{
    cost::Cost,
    round::{Outcome, Round},
    spread::Spread,
    tape,
    usage::Machine,
    witness::Notes,
};

/// All rounds, and where they were run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) version: &'static str,
    pub(super) machine: Machine,
    /// Sound in every session and round, in seconds.
    pub(super) seconds: u64,
    pub(super) rounds: Vec<Row>,
}

/// One round.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) sessions: usize,
    pub(super) relay: Option<Cost>,
    /// The bare echo that moved the same bytes.
    pub(super) reference: Option<Cost>,
    /// CPU of a session of the relay to that of the reference.
    pub(super) cpu_ratio: Option<f64>,
    /// What a session received of the relay, and of the reference, in KiB: the ratio is worth something if they agree.
    pub(super) received_kib: f64,
    pub(super) reference_received_kib: Option<f64>,
    /// The load generator beside it, percent of a core.
    pub(super) generator_percent: Option<f64>,
    /// How much later than due the load generator sent: the share of the latencies that is its own.
    pub(super) lateness: Spread,
    /// From sending the audio that ends a turn to the final transcript.
    pub(super) transcript: Spread,
    /// … to the first audio of the reply: what relay, network and engines add to the endpoint window.
    pub(super) added: Spread,
    /// From sending the audio that makes an interruption certain to being told that the reply has ended.
    pub(super) flush: Spread,
    /// From sending the onset to the last audio of the reply that it interrupts.
    pub(super) onset_to_last_audio: Spread,
    pub(super) counts: Counts,
    /// What the relay measured itself.
    pub(super) server: BTreeMap<String, Spread>,
}

/// How many of what; from `unheard` on all should be zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub(super) struct Counts {
    pub(super) utterances: usize,
    pub(super) turns: usize,
    pub(super) answered: usize,
    pub(super) interrupted: usize,
    /// Utterances that no turn covers.
    pub(super) unheard: usize,
    /// Turns that got no sound.
    pub(super) unanswered: usize,
    /// Replies that failed.
    pub(super) failed: usize,
    /// Deltas that came after the client was told of an interruption.
    pub(super) strays: usize,
    /// Error events.
    pub(super) errors: usize,
    /// Events that came before the audio they answer: a fault of the measuring.
    pub(super) unplaced: usize,
    /// Connections that ended early.
    pub(super) closed: usize,
    /// Sessions that had any of these.
    pub(super) spoiled: usize,
}

/// The relay's own measures of what it adds to the way of sound, without the unit.
pub(super) const FRAME_TO_PROVIDER: &str = "voice_relay_frame_to_provider";
pub(super) const AUDIO_TO_CLIENT: &str = "voice_relay_audio_to_client";

/// An utterance whose end lies nearer than this to that of the round may not be a turn yet.
const UNDECIDED: Duration = Duration::from_millis(1500);

impl Row {
    /// One of the relay's own measures.
    pub(super) fn way(&self, name: &str) -> Spread {
        self.server.get(name).copied().unwrap_or_default()
    }

    pub(super) fn new(round: &Round, outcome: Outcome, server: BTreeMap<String, Spread>) -> Self {
        let spread = |of: fn(&Notes) -> &Vec<Duration>| Spread::of(outcome.notes.iter().flat_map(of).copied());
        Self {
            sessions: round.sessions,
            relay: outcome.costs.session,
            reference: None,
            cpu_ratio: None,
            received_kib: received_kib(&outcome),
            reference_received_kib: None,
            generator_percent: outcome.costs.generator_percent,
            transcript: spread(|notes| &notes.transcripts),
            added: spread(|notes| &notes.answers),
            flush: spread(|notes| &notes.flushes),
            onset_to_last_audio: spread(|notes| &notes.overruns),
            counts: Counts::of(round, &outcome.notes),
            lateness: Spread::of(outcome.lateness),
            server,
        }
    }

    /// The same round against the bare echo.
    pub(super) fn compare(&mut self, outcome: &Outcome) {
        let reference = outcome.costs.session;
        self.reference = reference;
        self.reference_received_kib = Some(received_kib(outcome));
        let costs = self.relay.zip(reference).filter(|(_, reference)| reference.cpu_percent > 0.0);
        self.cpu_ratio = costs.map(|(relay, reference)| relay.cpu_percent / reference.cpu_percent);
    }
}

fn received_kib(outcome: &Outcome) -> f64 {
    let bytes: u64 = outcome.notes.iter().map(|notes| notes.bytes).sum();
    bytes as f64 / 1024.0 / outcome.notes.len().max(1) as f64
}

impl Counts {
    fn of(round: &Round, notes: &[Notes]) -> Self {
        let mut counts = Self::default();
        let until = tape::steps(round.lasts.saturating_sub(UNDECIDED));
        for (index, notes) in notes.iter().enumerate() {
            let expected = round.tape.utterances(round.tape.offset(index, round.sessions), until);
            let session = Self::session(notes, &expected);
            counts.add(&session);
        }
        counts
    }

    fn session(notes: &Notes, expected: &[Range<Duration>]) -> Self {
        let covered = |utterance: &Range<Duration>| {
            notes.turns.iter().any(|turn| turn.start < utterance.end && utterance.start < turn.end)
        };
        let mut counts = Self {
            utterances: expected.len(),
            turns: notes.turns.len(),
            answered: notes.answers.len(),
            interrupted: notes.interrupted,
            unheard: expected.iter().filter(|utterance| !covered(utterance)).count(),
            unanswered: notes.unanswered,
            failed: notes.failed,
            strays: notes.strays.len(),
            errors: notes.errors,
            unplaced: notes.unplaced,
            closed: usize::from(notes.closed.is_some()),
            spoiled: 0,
        };
        counts.spoiled = usize::from(counts.faults() > 0);
        counts
    }

    /// All that should not be.
    pub(super) const fn faults(&self) -> usize {
        self.unheard + self.unanswered + self.failed + self.strays + self.errors + self.unplaced + self.closed
    }

    const fn add(&mut self, other: &Self) {
        self.utterances += other.utterances;
        self.turns += other.turns;
        self.answered += other.answered;
        self.interrupted += other.interrupted;
        self.unheard += other.unheard;
        self.unanswered += other.unanswered;
        self.failed += other.failed;
        self.strays += other.strays;
        self.errors += other.errors;
        self.unplaced += other.unplaced;
        self.closed += other.closed;
        self.spoiled += other.spoiled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(from: u64, to: u64) -> Range<Duration> {
        Duration::from_secs(from)..Duration::from_secs(to)
    }

    #[test]
    fn an_utterance_that_no_turn_covers_spoils_its_session() {
        let notes = Notes { turns: vec![seconds(1, 3), seconds(8, 9)], ..Notes::default() };
        let good = Counts::session(&notes, &[seconds(2, 3), seconds(7, 9)]);
        assert_eq!((good.utterances, good.faults(), good.spoiled), (2, 0, 0));
        let bad = Counts::session(&notes, &[seconds(4, 6)]);
        assert_eq!((bad.unheard, bad.spoiled), (1, 1));
    }
}
