//! The speech of one reply, made no further ahead than the client is given it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt, future,
    stream::{self, BoxStream},
};
use providers::{
    ErrorKind, ProviderError,
    tts::{Clause, Speech, Voice},
};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Kit, Report,
    patient::{Patient, fault},
    sound::{PIECE, RATE, Sound},
};
use crate::{
    metrics::Role,
    realtime::session::{Input, ids::ResponseId, input::Spoken},
};

/// Clauses that may wait for synthesis: far more than a reply of 4096 tokens has.
const CLAUSES: usize = 1_024;

/// A session's end of a reply's speech.
pub(super) struct Mouth {
    clauses: Option<mpsc::Sender<Clause>>,
    script: Arc<Script>,
    /// One permit for each sample that may still be made.
    credit: Arc<Semaphore>,
    _task: AbortOnDropHandle<()>,
}

impl Mouth {
    /// Opens the speech of a reply, which runs at most `lead` ahead of what is released.
    pub(super) fn open(kit: &Kit, response: ResponseId, voice: Voice, lead: Duration) -> Self {
        let (clauses, waiting) = mpsc::channel(CLAUSES);
        let credit = Arc::new(Semaphore::new(RATE.samples_in(lead).max(PIECE)));
        let script = Arc::new(Script::default());
        let speaker = Speaker {
            kit: kit.clone(),
            response,
            credit: Arc::clone(&credit),
            sound: Sound::of(Role::Speak),
            script: Arc::clone(&script),
            voiced: 0,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(speaker.run(voice, waiting)));
        Self { clauses: Some(clauses), script, credit, _task: task }
    }

    /// Speaks a clause after those before. Overflow rule: a reply whose clauses do not fit breaks off, told as failed.
    pub(super) fn say(&mut self, clause: Clause) {
        let Some(clauses) = &self.clauses else { return };
        match clauses.try_send(clause) {
            Ok(()) => {
                self.script.said.fetch_add(1, Ordering::Relaxed);
            }
            // The worker is gone: it has failed and has said so.
            Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.script.overflowed.store(true, Ordering::Relaxed);
                self.clauses = None;
            }
        }
    }

    /// No more clauses follow.
    pub(super) fn end(&mut self) {
        self.clauses = None;
    }

    /// This many samples have gone to the client.
    pub(super) fn released(&self, samples: usize) {
        self.credit.add_permits(samples);
    }
}

/// The task behind a mouth.
struct Speaker {
    kit: Kit,
    response: ResponseId,
    credit: Arc<Semaphore>,
    sound: Sound,
    script: Arc<Script>,
    /// Clauses voiced.
    voiced: u32,
}

/// How far the reply's text has come.
#[derive(Default)]
struct Script {
    /// Clauses there are to voice.
    said: AtomicU32,
    /// Whether the provider has read to the end.
    ended: AtomicBool,
    /// Whether some were lost.
    overflowed: AtomicBool,
}

impl Speaker {
    async fn run(mut self, voice: Voice, clauses: mpsc::Receiver<Clause>) {
        let event = match self.speak(voice, clauses).await {
            Ok(()) => Spoken::Finished,
            Err(error) => Spoken::Failed(error),
        };
        self.tell(event).await;
    }

    async fn speak(&mut self, voice: Voice, clauses: mpsc::Receiver<Clause>) -> Result<(), ProviderError> {
        let tts = Arc::clone(&self.kit.providers.tts);
        let text = self.script.clone().follow(clauses);
        // The end of the speech is told apart from its breaking off by `Script`, not by the stream.
        let open = async {
            let speech = tts.speak(voice, text).await?;
            Ok(speech.map(|step| step.map(Some)).chain(stream::once(future::ready(Ok(None)))).boxed())
        };
        let mut speech = Patient::open(Role::Speak, self.kit.patience, open).await?;
        loop {
            let (script, voiced) = (Arc::clone(&self.script), self.voiced);
            match speech.next_once_due(move || script.said.load(Ordering::Relaxed) > voiced).await? {
                Some(step) => self.take(step).await?,
                None if self.is_complete() => return Ok(()),
                None => return Err(fault(Role::Speak, ErrorKind::Protocol, "speech broke off")),
            }
        }
    }

    async fn take(&mut self, step: Speech) -> Result<(), ProviderError> {
        let given = self.kit.clock.now();
        match step {
            Speech::Audio { clause, clip } => {
                let samples = self.sound.take(clip)?;
                self.give(clause, &samples, given).await;
            }
            Speech::ClauseDone { clause } => {
                let tail = self.sound.tail();
                self.give(clause, &tail, given).await;
                self.voiced += 1;
                self.tell(Spoken::Mark(step)).await;
            }
            Speech::Word { .. } => self.tell(Spoken::Mark(step)).await,
        }
        Ok(())
    }

    /// Hands sound over in pieces, each once there is credit for it.
    async fn give(&self, clause: u32, samples: &[i16], mut given: Instant) {
        for piece in samples.chunks(PIECE) {
            let permits = u32::try_from(piece.len()).unwrap_or(u32::MAX);
            if let Ok(permit) = self.credit.try_acquire_many(permits) {
                permit.forget();
            } else {
                // The semaphore is never closed: whoever owns it aborts this task.
                if let Ok(permit) = self.credit.acquire_many(permits).await {
                    permit.forget();
                }
                given = self.kit.clock.now();
            }
            let sound = Report::Sound { response: self.response.clone(), clause, samples: piece.to_vec(), given };
            // A session that is gone drops its workers.
            let _ = self.kit.reports.send(sound).await;
        }
    }

    fn is_complete(&self) -> bool {
        let Script { said, ended, overflowed } = &*self.script;
        ended.load(Ordering::Relaxed)
            && !overflowed.load(Ordering::Relaxed)
            && said.load(Ordering::Relaxed) <= self.voiced
    }

    async fn tell(&self, event: Spoken) {
        self.kit.report(Input::Spoken { response: self.response.clone(), event }).await;
    }
}

impl Script {
    /// The clauses, noting when they are read to their end.
    fn follow(self: Arc<Self>, clauses: mpsc::Receiver<Clause>) -> BoxStream<'static, Clause> {
        let end = stream::poll_fn(move |_| {
            self.ended.store(true, Ordering::Relaxed);
            Poll::Ready(None)
        });
        ReceiverStream::new(clauses).chain(end).boxed()
    }
}
