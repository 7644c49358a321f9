//! Bounds on how long a spoken conversation may stand still: a model must neither stop reading nor owe a step too long.

use std::{
    borrow::Cow,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{sync::Notify, time::sleep};

use super::timed::{Ear, Timed, Timeouts, timeout};
use crate::{
    ProviderError, RealtimeModel,
    generate::{Outlet, generate},
    llm::Thought,
    realtime::{Command, Event, EventStream, Opening, RealtimeCapabilities, Step},
};

impl RealtimeModel for Timed<dyn RealtimeModel> {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.inner.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        async move {
            let ear = Arc::new(Ear::default());
            let owed = Arc::new(Owed::default());
            let taking = owed.clone();
            let commands = ear.clone().listen(commands.inspect(move |command| taking.take(command)).boxed());
            let events = self.open(self.inner.converse(opening, commands)).await?;
            let held = Held { name: self.name.clone(), timeouts: self.timeouts, ear, owed };
            Ok(generate(|out| held.follow(events, out)))
        }
        .boxed()
    }
}

/// A conversation under way.
struct Held {
    name: Cow<'static, str>,
    timeouts: Timeouts,
    ear: Arc<Ear>,
    owed: Arc<Owed>,
}

impl Held {
    async fn follow(self, mut events: EventStream, out: Outlet<Event>) -> Result<(), ProviderError> {
        let (mut limit, mut what) = self.owed.limit(&self.timeouts);
        let mut progress = self.ear.progress();
        let (mut step, mut reading) = (pin!(sleep(limit)), pin!(sleep(self.timeouts.idle)));
        loop {
            tokio::select! { biased;
                event = events.next() => {
                    let Some(event) = event.transpose()? else { return Ok(()) };
                    self.owed.note(&event);
                    out.give(event).await;
                    // Time that the reader took is nobody's.
                    (limit, what) = self.owed.limit(&self.timeouts);
                    step.set(sleep(limit));
                }
                () = self.owed.incurred.notified() => {
                    (limit, what) = self.owed.limit(&self.timeouts);
                    step.set(sleep(limit));
                }
                // It may have been cancelled while this waited.
                () = &mut step, if self.owed.is_owed() => if self.owed.is_owed() {
                    return Err(timeout(&self.name, what, limit));
                },
                () = &mut reading => {
                    if self.ear.progress() == progress && !self.ear.is_waiting() {
                        return Err(timeout(&self.name, "without taking a command", self.timeouts.idle));
                    }
                    progress = self.ear.progress();
                    reading.set(sleep(self.timeouts.idle));
                }
            }
        }
    }
}

/// The reply of which steps are owed; 0 is none, so replies count from 1 here.
#[derive(Default)]
struct Owed {
    reply: AtomicU64,
    /// A step of it has come.
    begun: AtomicBool,
    incurred: Notify,
}

impl Owed {
    fn take(&self, command: &Command) {
        match command {
            Command::Respond { reply, .. } => {
                self.begun.store(false, Ordering::Relaxed);
                self.reply.store(reply.wrapping_add(1), Ordering::Relaxed);
                self.incurred.notify_one();
            }
            Command::Cancel => self.reply.store(0, Ordering::Relaxed),
            Command::Hear(_) | Command::Commit | Command::Discard | Command::Add(_) | Command::Truncate(_) => {}
        }
    }

    fn note(&self, event: &Event) {
        let number = event.reply.wrapping_add(1);
        if self.reply.load(Ordering::Relaxed) != number {
            return;
        }
        self.begun.store(true, Ordering::Relaxed);
        if matches!(event.step, Step::Thought(Thought::Finished(_)) | Step::Failed(_)) {
            // Unless the next one was asked for just then.
            let _ = self.reply.compare_exchange(number, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn is_owed(&self) -> bool {
        self.reply.load(Ordering::Relaxed) != 0
    }

    /// How long the next step may take, and in which words.
    fn limit(&self, timeouts: &Timeouts) -> (Duration, &'static str) {
        if self.begun.load(Ordering::Relaxed) {
            (timeouts.idle, "between steps of a reply")
        } else {
            (timeouts.first, "to the first step of a reply")
        }
    }
}
