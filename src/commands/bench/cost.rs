//! What a round costs the process under load, and us.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{child::Process, usage::Usage};
use crate::clock::Clock;

/// What a session costs, on average.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub(super) struct Cost {
    /// Percent of a core while people speak and are answered.
    pub(super) cpu_percent: f64,
    /// … while all are silent.
    pub(super) silent_cpu_percent: f64,
    /// Resident memory above that of the idle process, at its peak, in KiB.
    pub(super) memory_kib: f64,
    /// … while all are silent.
    pub(super) silent_memory_kib: f64,
}

/// The costs of a round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Costs {
    /// A session of the process under load; `None` if it is not ours, or there is no `/proc`.
    pub(super) session: Option<Cost>,
    /// This process, which makes the load: percent of a core.
    pub(super) generator_percent: Option<f64>,
}

/// What comes right after a beginning is not typical of what follows.
const SETTLE: Duration = Duration::from_millis(500);
/// Between looks at the memory.
const LOOK: Duration = Duration::from_millis(500);

/// When what of a round happens, and to how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) sessions: usize,
    pub(super) start: Instant,
    /// All are silent until then.
    pub(super) speaks: Instant,
    pub(super) end: Instant,
}

/// Watches a round. `idle` is what the process took before the round's first connection.
pub(super) async fn watch(process: Option<&Process>, idle: Option<Usage>, course: Course, clock: &Clock) -> Costs {
    let Course { sessions, start, speaks, end } = course;
    let look = || process.and_then(Process::usage);
    clock.clone().until(start + SETTLE).await;
    let silent_from = (clock.now(), look());
    clock.clone().until(speaks).await;
    let silent_to = (clock.now(), look());
    clock.clone().until(speaks + SETTLE).await;
    let (from, ours) = ((clock.now(), look()), Usage::of(std::process::id()));
    let peak = peak(look, clock, end).await;
    let (to, now) = ((clock.now(), look()), Usage::of(std::process::id()));

    let sessions = sessions.max(1) as f64;
    let kib = |memory: u64, idle: Usage| memory.saturating_sub(idle.memory) as f64 / 1024.0 / sessions;
    let session = idle.and_then(|idle| {
        Some(Cost {
            cpu_percent: percent(from, to)? / sessions,
            silent_cpu_percent: percent(silent_from, silent_to)? / sessions,
            memory_kib: kib(peak?, idle),
            silent_memory_kib: kib(silent_to.1?.memory, idle),
        })
    });
    Costs { session, generator_percent: percent((from.0, ours), (to.0, now)) }
}

/// The most memory it takes until then, in bytes.
async fn peak(look: impl Fn() -> Option<Usage>, clock: &Clock, until: Instant) -> Option<u64> {
    let mut peak = None;
    while clock.now() < until {
        clock.clone().until(until.min(clock.now() + LOOK)).await;
        peak = peak.max(look().map(|usage| usage.memory));
    }
    peak
}

/// Of a core, between two looks.
fn percent(from: (Instant, Option<Usage>), to: (Instant, Option<Usage>)) -> Option<f64> {
    let wall = to.0.saturating_duration_since(from.0).as_secs_f64();
    let cpu = to.1?.cpu.saturating_sub(from.1?.cpu).as_secs_f64();
    (wall > 0.0).then(|| cpu / wall * 100.0)
}
