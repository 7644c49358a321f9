//! One round: so many sessions at once, for so long, all in real time.
//!
//! One task sends for every session that is due in the same millisecond of the 20, so the load is spread evenly and costs
//! few timers; one task a session listens. Everything ends by the clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, future, stream};
use providers::Secret;
use tokio::{task::JoinSet, time::timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{
    child::Process,
    cost::{self, Costs, Course},
    tape::{STEP, Tape, steps},
    witness::{Detection, Notes, Sent, Witness},
};
use crate::{
    client::{self, ClientError, Receiver, Sender},
    clock::Clock,
};

/// What is to be done.
#[derive(Clone)]
pub(super) struct Round {
    pub(super) tape: Arc<Tape>,
    pub(super) sessions: usize,
    /// Silence at the beginning included.
    pub(super) lasts: Duration,
    pub(super) detection: Detection,
    pub(super) clock: Clock,
}

/// Whom to load.
pub(super) struct Target<'a> {
    pub(super) url: &'a str,
    pub(super) key: &'a Secret,
    /// To be measured, if it is ours.
    pub(super) process: Option<&'a Process>,
    /// The first message of every session.
    pub(super) greeting: Utf8Bytes,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) notes: Vec<Notes>,
    /// How much later than due each batch of messages was sent.
    pub(super) lateness: Vec<Duration>,
    pub(super) costs: Costs,
    /// Messages sent in each session.
    pub(super) messages: usize,
}

/// What every relay answers to.
const MODEL: &str = "voice-relay";
/// Connections that are opened at the same time.
const CONNECTING: usize = 16;
/// Between the last connection and the first message.
const BREATH: Duration = Duration::from_millis(300);
/// A relay that takes no message for so long has lost the session.
const STUCK: Duration = Duration::from_secs(5);
/// Batches in 20 ms: tokio's timers have a grain of one millisecond.
const PHASES: usize = 20;

impl Round {
    /// Connects, sends, listens, measures.
    pub(super) async fn run(&self, target: Target<'_>) -> Result<Outcome, ClientError> {
        let idle = target.process.and_then(Process::usage);
        let connections = self.connect(&target).await?;
        let start = self.clock.now() + BREATH;
        let messages = steps(self.lasts);
        let mut listening = JoinSet::new();
        let mut batches: Vec<Vec<Microphone>> = (0..PHASES).map(|_| Vec::new()).collect();
        for (index, (sender, receiver)) in connections.into_iter().enumerate() {
            let sent = Sent::new(messages);
            let witness = Witness::new(Arc::clone(&sent), self.detection);
            listening.spawn(listen(index, receiver, witness, self.clock.clone(), start, self.lasts));
            let offset = self.tape.offset(index, self.sessions);
            batches[index % PHASES].push(Microphone { sender: Some(sender), sent, offset });
        }
        let pacing: JoinSet<_> =
            (0..).zip(batches).map(|(phase, batch)| self.clone().pace(phase, batch, start)).collect();
        let (speaks, end) = (start + self.tape.lead_in(), start + self.lasts);
        let course = Course { sessions: self.sessions, start, speaks, end };
        let watched = cost::watch(target.process, idle, course, &self.clock);
        let (costs, batches, mut notes) = tokio::join!(watched, pacing.join_all(), listening.join_all());
        notes.sort_by_key(|(index, _)| *index);
        let (lateness, microphones): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        let goodbyes = microphones.into_iter().flatten().filter_map(|microphone| microphone.sender);
        // A relay that does not take the goodbye has been counted already.
        let _ = timeout(STUCK, future::join_all(goodbyes.map(Sender::close))).await;
        Ok(Outcome {
            notes: notes.into_iter().map(|(_, notes)| notes).collect(),
            lateness: lateness.concat(),
            costs,
            messages,
        })
    }

    async fn connect(&self, target: &Target<'_>) -> Result<Vec<(Sender, Receiver)>, ClientError> {
        let open = |_| async {
            let (mut sender, receiver) = client::connect(target.url, MODEL, target.key).await?;
            sender.send_text(target.greeting.clone()).await?;
            Ok((sender, receiver))
        };
        stream::iter(0..self.sessions).map(open).buffered(CONNECTING).try_collect().await
    }

    /// Sends for a batch of sessions, every 20 ms, `phase` milliseconds after the others.
    async fn pace(self, phase: u32, mut batch: Vec<Microphone>, start: Instant) -> (Vec<Duration>, Vec<Microphone>) {
        let mut lateness = Vec::new();
        if batch.is_empty() {
            return (lateness, batch);
        }
        let mut due = start + STEP / (PHASES as u32) * phase;
        for index in 0..steps(self.lasts) {
            self.clock.clone().until(due).await;
            lateness.push(self.clock.now().saturating_duration_since(due));
            for microphone in &mut batch {
                let now = self.clock.now().saturating_duration_since(start);
                microphone.send(&self.tape, index, now).await;
            }
            due += STEP;
        }
        (lateness, batch)
    }
}

/// The sending half of a session.
struct Microphone {
    /// Until the connection is lost, which the listening half tells.
    sender: Option<Sender>,
    sent: Arc<Sent>,
    offset: usize,
}

impl Microphone {
    async fn send(&mut self, tape: &Tape, index: usize, now: Duration) {
        let Some(sender) = &mut self.sender else { return };
        self.sent.note(index, now);
        let sent = timeout(STUCK, sender.send_text(tape.frame(self.offset, index))).await;
        if !matches!(sent, Ok(Ok(()))) {
            self.sender = None;
        }
    }
}

/// Watches a session to the end of the round.
async fn listen(
    index: usize,
    mut receiver: Receiver,
    mut witness: Witness,
    clock: Clock,
    start: Instant,
    lasts: Duration,
) -> (usize, Notes) {
    let since = |now: Instant| now.saturating_duration_since(start);
    let mut over = std::pin::pin!(clock.clone().until(start + lasts));
    loop {
        let text = tokio::select! {
            text = receiver.next_text() => text,
            () = &mut over => break,
        };
        match text {
            Ok(text) => witness.receive(since(clock.now()), &text),
            Err(error) => {
                witness.lose(error.to_string());
                break;
            }
        }
    }
    (index, witness.finish(since(clock.now())))
}
