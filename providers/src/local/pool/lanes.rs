//! Who runs next: two lanes, callers taking turns within each.

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

/// The waiting jobs, and how many partials run.
#[derive(Debug)]
pub(super) struct Lanes {
    finals: Lane,
    partials: Lane,
    running: usize,
    running_partials: usize,
    most_partials: usize,
    limit: usize,
    next_ticket: u64,
    closed: bool,
}

impl Lanes {
    /// `limit` jobs may wait; `most_partials` may run at once.
    pub(super) fn new(limit: usize, most_partials: usize) -> Self {
        Self {
            finals: Lane::default(),
            partials: Lane::default(),
            running: 0,
            running_partials: 0,
            most_partials,
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
            match priority {
                Priority::Partial => return Err(Refused::Full),
                Priority::Final => self.partials.evict().map(drop).ok_or(Refused::Full)?,
            }
        }
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let lane = match priority {
            Priority::Final => &mut self.finals,
            Priority::Partial => &mut self.partials,
        };
        lane.push(key, Job { ticket, priority, work });
        Ok(ticket)
    }

    /// The job to run next, if one may run.
    pub(super) fn pop(&mut self) -> Option<Job> {
        if self.closed {
            return None;
        }
        if let Some(job) = self.finals.pop() {
            self.running += 1;
            return Some(job);
        }
        if self.running_partials >= self.most_partials {
            return None;
        }
        let job = self.partials.pop()?;
        self.running += 1;
        self.running_partials += 1;
        Some(job)
    }

    /// Notes that a popped job has ended.
    pub(super) fn finished(&mut self, priority: Priority) {
        self.running -= 1;
        match priority {
            Priority::Final => {}
            Priority::Partial => self.running_partials -= 1,
        }
    }

    /// Takes a job out, unless it runs or has run.
    pub(super) fn remove(&mut self, ticket: u64) -> Option<Job> {
        self.finals.remove(ticket).or_else(|| self.partials.remove(ticket))
    }

    /// How many jobs wait.
    pub(super) fn waiting(&self) -> usize {
        self.finals.waiting + self.partials.waiting
    }

    /// How many popped jobs have not ended.
    pub(super) fn running(&self) -> usize {
        self.running
    }

    /// Ends the pool: nothing more is taken in, nothing more comes out, waiters learn it.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.finals = Lane::default();
        self.partials = Lane::default();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// Jobs of one priority. `turns` holds each key with waiting jobs once, next one first.
#[derive(Default)]
struct Lane {
    turns: VecDeque<u64>,
    jobs: BTreeMap<u64, VecDeque<Job>>,
    waiting: usize,
}

impl Lane {
    fn push(&mut self, key: u64, job: Job) {
        let queue = self.jobs.entry(key).or_default();
        if queue.is_empty() {
            self.turns.push_back(key);
        }
        queue.push_back(job);
        self.waiting += 1;
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
        self.waiting -= 1;
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
        self.waiting -= 1;
        Some(job)
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({} waiting of {} callers)", self.waiting, self.turns.len())
    }
}
