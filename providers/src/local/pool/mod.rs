//! Threads for inference: bounded, fair between callers, the more urgent first.
//!
//! Models compute for hundreds of milliseconds, so they never run on the runtime's threads. Jobs wait in one lane per
//! priority; within a lane callers take turns, so that one caller's backlog delays only itself. Overflow rule: what
//! finds the queue full takes the place of something less urgent that waits, and is refused when nothing less urgent
//! does. Dropping the future of [`Pool::run`] takes a waiting job out of the queue.

mod lanes;

use std::{
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tokio::sync::oneshot;

use self::lanes::{Job, Lanes, Refused};
use crate::{ErrorKind, ProviderError};

/// How urgent a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Priority {
    /// Somebody waits for the answer.
    Final,
    /// Somebody is likely to wait for the answer soon: runs when no final waits. Such jobs leave one of several threads.
    Soon,
    /// A preview that may be skipped, or work that nobody waits for: runs when nothing else waits and, beside those of `Soon`, leaves one of several
    /// threads.
    Partial,
}

/// Threads for inference. Dropping the last handle ends them after the jobs they are running.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    threads: usize,
    keys: AtomicU64,
}

impl Pool {
    /// Starts `threads` threads (at least one) over a queue of at most `queue` waiting jobs (at least one).
    pub fn new(threads: usize, queue: usize) -> Arc<Self> {
        let threads = threads.max(1);
        let guesses = (threads - 1).max(1);
        let lanes = Lanes::new(queue.max(1), guesses);
        let shared = Arc::new(Shared { lanes: Mutex::new(lanes), changed: Condvar::new() });
        let started = (0..threads).filter(|n| start(*n, &shared)).count();
        if started < threads {
            tracing::error!(wanted = threads, started, "could not start all inference threads");
        }
        if started == 0 {
            shared.lock().close();
        }
        Arc::new(Self { shared, threads: started, keys: AtomicU64::new(0) })
    }

    /// One thread a core, as the machine tells.
    pub fn cores() -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }

    /// A key no other caller has.
    pub fn key(&self) -> u64 {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `job` on one of the threads. `key` names the caller: callers take turns.
    ///
    /// # Errors
    /// `Unavailable` when the queue is full (see the overflow rule above) or the job panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        key: u64,
        priority: Priority,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ProviderError> {
        let (answer, waiting) = oneshot::channel();
        let work = Box::new(move || {
            if !answer.is_closed() {
                // A panic drops the sender, which the waiter reports; the reader may also have just left.
                let _ = answer.send(job());
            }
        });
        let ticket = self.shared.lock().push(key, priority, work).map_err(|refused| unavailable(refused.into()))?;
        self.shared.changed.notify_one();
        let _place = Place { shared: &self.shared, ticket };
        waiting.await.map_err(|_| unavailable("the job was displaced by more urgent work, or failed"))
    }

    /// How many jobs wait.
    pub fn depth(&self) -> usize {
        self.shared.lock().waiting()
    }

    /// How many jobs are being run.
    pub fn running(&self) -> usize {
        self.shared.lock().running()
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.threads
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().close();
        self.shared.changed.notify_all();
    }
}

impl From<Refused> for &'static str {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => "the inference queue is full",
            Refused::Closed => "the inference pool has stopped",
        }
    }
}

/// What the threads and the callers share.
#[derive(Debug)]
struct Shared {
    lanes: Mutex<Lanes>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        // Jobs run outside the lock, so a poisoned lock still guards whole lanes.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller's place in the queue, given up when it stops waiting.
struct Place<'a> {
    shared: &'a Shared,
    ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Bound first: the job's own drop must run after the lock is released.
        let job = self.shared.lock().remove(self.ticket);
        drop(job);
    }
}

fn start(number: usize, shared: &Arc<Shared>) -> bool {
    let shared = Arc::clone(shared);
    thread::Builder::new().name(format!("inference-{number}")).spawn(move || work(&shared)).is_ok()
}

fn work(shared: &Shared) {
    let mut lanes = shared.lock();
    loop {
        if let Some(Job { priority, work, .. }) = lanes.pop() {
            drop(lanes);
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                tracing::error!("an inference job panicked");
            }
            lanes = shared.lock();
            lanes.finished(priority);
            // A finished partial may let another thread take one.
            shared.changed.notify_one();
        } else if lanes.is_closed() {
            return;
        } else {
            lanes = shared.changed.wait(lanes).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn unavailable(detail: &'static str) -> ProviderError {
    ProviderError::new("local", ErrorKind::Unavailable, detail)
}

#[cfg(test)]
mod tests;
