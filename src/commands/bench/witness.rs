//! What a client sees of its session, put against when it sent what. Pure: it is told the time.
//!
//! Positions in the relay's events are looked up in the times at which the client sent the audio there, so the length of
//! speech and the silence that ends a turn cancel out: what remains is what relay, network and providers add.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Deserialize;

use super::tape::STEP;

/// When each message of a session was sent, counted from the start of the round.
#[derive(Debug)]
pub(super) struct Sent(Vec<AtomicU64>);

impl Sent {
    /// Room for this many messages.
    pub(super) fn new(messages: usize) -> Arc<Self> {
        Arc::new(Self((0..messages).map(|_| AtomicU64::new(u64::MAX)).collect()))
    }

    /// Message number `index` is sent now.
    pub(super) fn note(&self, index: usize, now: Duration) {
        if let Some(slot) = self.0.get(index) {
            slot.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// When the message was sent that brought the stream to this position.
    fn reaching(&self, position: Duration) -> Option<Duration> {
        let messages = position.as_nanos().div_ceil(STEP.as_nanos()).max(1);
        let slot = self.0.get(usize::try_from(messages - 1).ok()?)?;
        Some(slot.load(Ordering::Relaxed)).filter(|nanos| *nanos != u64::MAX).map(Duration::from_nanos)
    }
}

/// The parts of a server event that matter here.
#[derive(Deserialize, Debug, Default)]
pub(super) struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    audio_start_ms: Option<u64>,
    audio_end_ms: Option<u64>,
    response: Option<Response>,
}

#[derive(Deserialize, Debug)]
struct Response {
    status: Option<String>,
}

/// The settings a session was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detection {
    /// Silence that ends a turn.
    pub(super) silence: Duration,
    /// How far before the onset a turn is said to start.
    pub(super) padding: Duration,
    /// Speech that it takes to interrupt.
    pub(super) overlap: Duration,
}

/// One session, watched.
#[derive(Debug)]
pub(super) struct Witness {
    sent: Arc<Sent>,
    detection: Detection,
    floor: Floor,
    last_audio: Duration,
    notes: Notes,
}

/// Whose turn it is, as the client was told.
#[derive(Clone, Copy, Debug)]
enum Floor {
    /// Nobody's, or the relay's.
    Free,
    /// The person's: speech began at this position, and the client was told at that time.
    Person { onset: Duration, told: Duration },
    /// The relay's, which has made no sound yet: the last audio that it waited for was sent then.
    Owed { sent: Duration },
}

/// What there was to see.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// From sending the audio that completes the turn to the final transcript.
    pub(super) transcripts: Vec<Duration>,
    /// … to the first audio of the reply.
    pub(super) answers: Vec<Duration>,
    /// From sending the audio that makes an interruption certain to `response.done`.
    pub(super) flushes: Vec<Duration>,
    /// From sending the onset to the last audio of the interrupted reply; zero if that was before.
    pub(super) overruns: Vec<Duration>,
    /// Audio that came after the client was told of an interruption: how much later.
    pub(super) strays: Vec<Duration>,
    /// Where in the stream turns were heard.
    pub(super) turns: Vec<Range<Duration>>,
    pub(super) interrupted: usize,
    pub(super) failed: usize,
    pub(super) unanswered: usize,
    pub(super) errors: usize,
    /// Events that came before the audio they answer was sent: then what is measured is not what is meant, as where a
    /// relay needs less speech to be interrupted than it was taken to. They are counted, not rounded up to zero.
    pub(super) unplaced: usize,
    /// Why the connection ended early.
    pub(super) closed: Option<String>,
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// A reply that has not begun after this long is missing.
const MISSING: Duration = Duration::from_secs(1);

impl Witness {
    pub(super) fn new(sent: Arc<Sent>, detection: Detection) -> Self {
        Self { sent, detection, floor: Floor::Free, last_audio: Duration::ZERO, notes: Notes::default() }
    }

    /// A message came.
    pub(super) fn receive(&mut self, now: Duration, text: &str) {
        self.notes.messages += 1;
        self.notes.bytes += text.len() as u64;
        match serde_json::from_str(text) {
            Ok(event) => self.note(now, &event),
            Err(_) => self.notes.errors += 1,
        }
    }

    /// The connection ended before its time.
    pub(super) fn lose(&mut self, reason: String) {
        self.notes.closed = Some(reason);
    }

    /// The round is over; replies that should have begun are missing.
    pub(super) fn finish(mut self, now: Duration) -> Notes {
        if let Floor::Owed { sent } = self.floor
            && now.saturating_sub(sent) > MISSING
        {
            self.notes.unanswered += 1;
        }
        self.notes
    }

    fn note(&mut self, now: Duration, event: &Event<'_>) {
        let millis = |value: Option<u64>| Duration::from_millis(value.unwrap_or(0));
        match &*event.kind {
            "input_audio_buffer.speech_started" => {
                if let Floor::Owed { .. } = self.floor {
                    self.notes.unanswered += 1;
                }
                let onset = millis(event.audio_start_ms) + self.detection.padding;
                self.floor = Floor::Person { onset, told: now };
            }
            "input_audio_buffer.speech_stopped" => self.turn_ended(millis(event.audio_end_ms)),
            "conversation.item.input_audio_transcription.completed" => {
                if let Some(end) = self.notes.turns.last().map(|turn| turn.end) {
                    self.notes.transcripts.extend(self.since(now, end));
                }
            }
            "response.output_audio.delta" => self.heard(now),
            "response.done" => match event.response.as_ref().and_then(|response| response.status.as_deref()) {
                Some("cancelled") => self.cancelled(now),
                Some("failed") => self.notes.failed += 1,
                _ => {}
            },
            "error" => self.notes.errors += 1,
            _ => {}
        }
    }

    fn turn_ended(&mut self, end: Duration) {
        let onset = match self.floor {
            Floor::Person { onset, .. } => onset,
            Floor::Free | Floor::Owed { .. } => end,
        };
        self.notes.turns.push(onset.min(end)..end);
        self.floor = match self.sent.reaching(end) {
            Some(sent) => Floor::Owed { sent },
            None => Floor::Free,
        };
    }

    fn heard(&mut self, now: Duration) {
        match self.floor {
            Floor::Owed { sent } => {
                match now.checked_sub(sent) {
                    Some(answer) => self.notes.answers.push(answer),
                    None => self.notes.unplaced += 1,
                }
                self.floor = Floor::Free;
            }
            Floor::Person { told, .. } => self.notes.strays.push(now.saturating_sub(told)),
            Floor::Free => {}
        }
        self.last_audio = now;
    }

    fn cancelled(&mut self, now: Duration) {
        self.notes.interrupted += 1;
        let Floor::Person { onset, .. } = self.floor else { return };
        match self.since(now, onset + self.detection.overlap) {
            Some(flush) => self.notes.flushes.push(flush),
            None => self.notes.unplaced += 1,
        }
        if let Some(sent) = self.sent.reaching(onset) {
            self.notes.overruns.push(self.last_audio.saturating_sub(sent));
        }
    }

    /// From sending what brought the stream to `position`; `None` if that was not sent yet.
    fn since(&self, now: Duration, position: Duration) -> Option<Duration> {
        now.checked_sub(self.sent.reaching(position)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECTION: Detection = Detection {
        silence: Duration::from_millis(500),
        padding: Duration::from_millis(300),
        overlap: Duration::from_millis(160),
    };

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A session whose audio left 5 ms after its time.
    fn witness() -> Witness {
        let sent = Sent::new(500);
        for (index, at) in (0..500).zip((5..).step_by(20)) {
            sent.note(index, millis(at));
        }
        Witness::new(sent, DETECTION)
    }

    const STARTED: &str = r#"{"type":"input_audio_buffer.speech_started","audio_start_ms":700,"item_id":"i"}"#;
    const STOPPED: &str = r#"{"type":"input_audio_buffer.speech_stopped","audio_end_ms":2000,"item_id":"i"}"#;
    const AUDIO: &str = r#"{"type":"response.output_audio.delta","delta":"AAAA"}"#;
    const CANCELLED: &str = r#"{"type":"response.done","response":{"id":"r","status":"cancelled"}}"#;

    #[test]
    fn an_answer_counts_from_sending_the_audio_that_ended_the_turn() {
        let mut witness = witness();
        witness.receive(millis(1_200), STARTED);
        witness.receive(millis(1_990), STOPPED);
        witness.receive(millis(1_997), AUDIO);
        witness.receive(millis(2_090), AUDIO);
        let notes = witness.finish(millis(9_000));
        // The hundredth message left at 99 × 20 + 5 ms.
        assert_eq!(notes.answers, [millis(12)]);
        assert_eq!(notes.turns, [millis(1_000)..millis(2_000)]);
        assert_eq!(notes.unanswered, 0);
    }

    #[test]
    fn a_turn_without_a_sound_is_unanswered_once() {
        let mut witness = witness();
        witness.receive(millis(1_990), STOPPED);
        witness.receive(millis(4_000), STARTED);
        witness.receive(millis(5_000), STOPPED);
        assert_eq!(witness.finish(millis(9_000)).unanswered, 2);
    }

    #[test]
    fn a_turn_that_ended_just_now_may_still_be_answered() {
        let mut witness = witness();
        witness.receive(millis(1_990), STOPPED);
        assert_eq!(witness.finish(millis(2_500)).unanswered, 0);
    }

    #[test]
    fn an_interruption_counts_from_the_audio_that_made_it_certain() {
        let mut witness = witness();
        witness.receive(millis(1_050), AUDIO);
        witness.receive(millis(1_150), STARTED);
        witness.receive(millis(1_153), CANCELLED);
        let notes = witness.finish(millis(9_000));
        // Certain at 1 160 ms of the stream: message 58, sent at 57 × 20 + 5. The onset at 1 000 ms left at 985.
        assert_eq!(notes.flushes, [millis(8)]);
        assert_eq!(notes.overruns, [millis(65)]);
        assert_eq!((notes.interrupted, notes.strays.len()), (1, 0));
    }

    #[test]
    fn an_interruption_before_it_was_certain_is_no_quick_flush() {
        let mut witness = witness();
        witness.receive(millis(1_050), AUDIO);
        witness.receive(millis(1_100), STARTED);
        witness.receive(millis(1_101), CANCELLED);
        let notes = witness.finish(millis(9_000));
        assert_eq!((notes.flushes.len(), notes.unplaced, notes.interrupted), (0, 1, 1));
    }

    #[test]
    fn audio_after_the_client_was_told_is_a_stray() {
        let mut witness = witness();
        witness.receive(millis(1_150), STARTED);
        witness.receive(millis(1_180), AUDIO);
        assert_eq!(witness.finish(millis(9_000)).strays, [millis(30)]);
    }
}
