//! Who runs next: a lane a priority, callers taking turns within each.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use super::Priority;

/// A unit of work in the queue.
pub(super) struct Job {
    pub(super) ticket: u64,
    pub(super) priority: Priority,
    pub(super) work: Box<dyn FnOnce() + Send>,
}

/// Why a job did not get into the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// As many jobs wait as are allowed to.
    Full,
    /// The pool has ended.
    Closed,
}

/// The waiting jobs, and how many of each priority run.
#[derive(Debug)]
pub(super) struct Lanes {
    finals: Kind,
    soon: Kind,
    partials: Kind,
    most_guesses: usize,
    limit: usize,
    next_ticket: u64,
    closed: bool,
}

impl Lanes {
    /// `limit` jobs may wait; of those that nobody waits for yet `most_guesses` may run at once.
    pub(super) fn new(limit: usize, most_guesses: usize) -> Self {
        Self {
            finals: Kind::default(),
            soon: Kind::default(),
            partials: Kind::default(),
            most_guesses,
            limit,
            next_ticket: 0,
            closed: false,
        }
    }

    /// Queues a job and gives its ticket.
    pub(super) fn push(
        &mut self,
        key: u64,
        priority: Priority,
        work: Box<dyn FnOnce() + Send>,
    ) -> Result<u64, Refused> {
        if self.closed {
            return Err(Refused::Closed);
        }
        if self.waiting() >= self.limit {
            let evicted = match priority {
                Priority::Final => self.partials.waiting.evict().or_else(|| self.soon.waiting.evict()),
                Priority::Soon => self.partials.waiting.evict(),
                Priority::Partial => None,
            };
            drop(evicted.ok_or(Refused::Full)?);
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.of(priority).waiting.push(key, Job { ticket, priority, work });
        Ok(ticket)
    }

    /// The job to run next, if one may run.
    pub(super) fn pop(&mut self) -> Option<Job> {
        if self.closed {
            return None;
        }
        let (soon, partials) = (self.soon.running, self.partials.running);
        if let Some(job) = self.finals.start() {
            return Some(job);
        }
        // Previews that are being given up do not hold up what comes in their place.
        let job = if soon < self.most_guesses { self.soon.start() } else { None };
        if job.is_none() && soon + partials < self.most_guesses { self.partials.start() } else { job }
    }

    /// Notes that a popped job has ended.
    pub(super) fn finished(&mut self, priority: Priority) {
        self.of(priority).running -= 1;
    }

    /// Takes a job out, unless it runs or has run.
    pub(super) fn remove(&mut self, ticket: u64) -> Option<Job> {
        self.kinds().into_iter().find_map(|kind| kind.waiting.remove(ticket))
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        [&self.finals, &self.soon, &self.partials].map(|kind| kind.waiting.count).iter().sum()
    }

    /// How many popped jobs have not ended.
    pub(super) fn running(&self) -> usize {
        [&self.finals, &self.soon, &self.partials].map(|kind| kind.running).iter().sum()
    }

    /// Ends the pool: nothing more is taken in, nothing more comes out, waiters learn it.
    pub(super) fn close(&mut self) {
        self.closed = true;
        for kind in self.kinds() {
            kind.waiting = Lane::default();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn of(&mut self, priority: Priority) -> &mut Kind {
        match priority {
            Priority::Final => &mut self.finals,
            Priority::Soon => &mut self.soon,
            Priority::Partial => &mut self.partials,
        }
    }

    fn kinds(&mut self) -> [&mut Kind; 3] {
        [&mut self.finals, &mut self.soon, &mut self.partials]
    }
}

/// The jobs of one priority.
#[derive(Debug, Default)]
struct Kind {
    waiting: Lane,
    running: usize,
}

impl Kind {
    fn start(&mut self) -> Option<Job> {
        let job = self.waiting.pop()?;
        self.running += 1;
        Some(job)
    }
}

/// Jobs of one priority. `turns` holds each key with waiting jobs once, next one first.
#[derive(Default)]
struct Lane {
    turns: VecDeque<u64>,
    jobs: BTreeMap<u64, VecDeque<Job>>,
    count: usize,
}

impl Lane {
    fn push(&mut self, key: u64, job: Job) {
        let queue = self.jobs.entry(key).or_default();
        if queue.is_empty() {
            self.turns.push_back(key);
        }
        queue.push_back(job);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<Job> {
        let key = self.turns.pop_front()?;
        let queue = self.jobs.get_mut(&key)?;
        let job = queue.pop_front()?;
        if queue.is_empty() {
            self.jobs.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        self.count -= 1;
        Some(job)
    }

    /// Takes the oldest job of the key that holds most.
    fn evict(&mut self) -> Option<Job> {
        let longest = self.jobs.values().max_by_key(|queue| queue.len())?;
        let ticket = longest.front()?.ticket;
        self.remove(ticket)
    }

    fn remove(&mut self, ticket: u64) -> Option<Job> {
        let (key, queue, at) = self
            .jobs
            .iter_mut()
            .find_map(|(key, queue)| queue.iter().position(|job| job.ticket == ticket).map(|at| (*key, queue, at)))?;
        let job = queue.remove(at)?;
        if queue.is_empty() {
            self.jobs.remove(&key);
            self.turns.retain(|turn| *turn != key);
        }
        self.count -= 1;
        Some(job)
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({} waiting of {} callers)", self.count, self.turns.len())
    }
}
