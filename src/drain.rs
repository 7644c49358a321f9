//! Shutdown in order: refuse what is new, tell who is here, wait to a deadline, cut.

use std::time::Duration;

use tokio_util::{
    sync::CancellationToken,
    task::{TaskTracker, task_tracker::TaskTrackerToken},
};

/// The process's one drain. Cheap to clone; clones are the same drain.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    begun: CancellationToken,
    work: TaskTracker,
}

/// Work that shutdown waits for, as long as this lives.
#[derive(Debug)]
pub struct Hold {
    _token: TaskTrackerToken,
}

impl Drain {
    /// A drain that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks work that shutdown has to wait for.
    pub fn hold(&self) -> Hold {
        Hold { _token: self.work.token() }
    }

    /// Whether new work is to be refused.
    pub fn has_begun(&self) -> bool {
        self.begun.is_cancelled()
    }

    /// Resolves once shutdown begins.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        self.begun.clone().cancelled_owned()
    }

    /// Begins the shutdown: everyone who listens is told.
    pub fn begin(&self) {
        self.begun.cancel();
    }

    /// Begins the shutdown and waits for all held work, at most `deadline`. Returns whether all of it ended in time.
    pub async fn finish(&self, deadline: Duration) -> bool {
        self.begin();
        self.work.close();
        tokio::time::timeout(deadline, self.work.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn shutdown_waits_for_held_work_but_not_past_its_deadline() {
        let drain = Drain::new();
        let hold = drain.hold();
        assert!(!drain.has_begun());
        assert!(!drain.finish(Duration::from_secs(5)).await, "work is still held");
        assert!(drain.has_begun());
        drain.begun().await;
        drop(hold);
        assert!(drain.finish(Duration::from_secs(5)).await);
    }
}
