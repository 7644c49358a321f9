//! What a process takes of the machine, as Linux counts it; and what machine it is.

use std::{fmt, fs, time::Duration};

use serde::Serialize;

/// CPU time and memory of a process.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Usage {
    /// User and system time since it began.
    pub(super) cpu: Duration,
    /// Resident memory, in bytes.
    pub(super) memory: u64,
}

/// The unit of times in `/proc`, and of memory: what Linux tells user space on every platform we build for.
const TICK: Duration = Duration::from_millis(10);
const PAGE: u64 = 4096;

impl Usage {
    /// Of the process with this id; `None` where there is no such process, or no `/proc`.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        Some(Self { cpu: cpu(&stat)?, memory: statm.split(' ').nth(1)?.parse::<u64>().ok()? * PAGE })
    }
}

/// User and system time are fields 14 and 15; field 2, the name, is in brackets and may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// Where it was measured.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    /// Load average of the last minute, before the benchmark.
    pub(super) load: f64,
}

impl Machine {
    /// This one.
    pub(super) fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = read("/proc/loadavg");
        Self {
            cpu: model.map_or_else(|| "unknown CPU".to_owned(), |(_, model)| model.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores of {}, load {:.2} before", self.cores, self.cpu, self.load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_named_like_a_sentence_has_its_times_read() {
        let stat = "12 (a ) b) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 10 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu("nonsense"), None);
    }

    #[test]
    fn this_process_takes_memory_and_a_strange_one_nothing() {
        assert!(Usage::of(std::process::id()).is_some_and(|usage| usage.memory > 0));
        assert_eq!(Usage::of(u32::MAX), None);
    }
}
