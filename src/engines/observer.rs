//! What engines do, as metrics.

use std::time::{Duration, Instant};

use providers::layers::{Observation, Observer, Role};

use crate::{clock::Clock, metrics};

/// Counts requests, failures and latencies of every engine under its configured name.
pub(super) struct Metered {
    clock: Clock,
    start: Instant,
}

impl Metered {
    pub(super) fn new(clock: Clock) -> Self {
        let start = clock.now();
        Self { clock, start }
    }
}

impl Observer for Metered {
    fn now(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.start)
    }

    fn observe(&self, provider: &str, role: Role, event: Observation) {
        metrics::provider(provider, role, event);
    }
}
