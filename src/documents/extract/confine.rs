//! Makes the process it is called in harmless, for good: what a file can make its reader do is then little and short.

use std::io;

use super::Limits;

/// Takes from this process, and from all it starts: memory and processor time beyond the limits, writing of files, core
/// dumps, privileges, and being looked into; and lets whoever talks meanwhile go first.
///
/// # Errors
/// What the system refuses. Without limits, no file should be opened.
#[cfg(target_os = "linux")]
pub fn apply(limits: &Limits) -> io::Result<()> {
    use rustix::{
        process::{DumpableBehavior, Resource, nice, set_dumpable_behavior},
        thread::set_no_new_privs,
    };

    nice(BEHIND)?;
    set_no_new_privs(true)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let seconds = u64::from(limits.seconds);
    lower(Resource::As, address_space()?.saturating_add(limits.memory_bytes))?;
    lower(Resource::Cpu, seconds)?;
    lower(Resource::Core, 0)?;
    lower(Resource::Fsize, 0)?;
    lower(Resource::Nofile, OPEN_FILES)
}

/// Only the time of the clock is bounded where the kernel is not Linux.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn apply(_: &Limits) -> io::Result<()> {
    Ok(())
}

/// Lowers a limit, both the one that holds and the one up to which it might be raised again.
#[cfg(target_os = "linux")]
fn lower(resource: rustix::process::Resource, limit: u64) -> io::Result<()> {
    use rustix::process::{Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(resource).maximum.map_or(limit, |maximum| maximum.min(limit));
    // The kernel says once that the time is up, and a second later it kills.
    let spare = u64::from(matches!(resource, rustix::process::Resource::Cpu));
    Ok(setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit + spare) })?)
}

/// What this process occupies already, in bytes (proc_pid_status(5)).
#[cfg(target_os = "linux")]
fn address_space() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"));
    let kibibytes: Option<u64> = kibibytes.and_then(|number| number.parse().ok());
    kibibytes.map(|number| number * 1024).ok_or_else(|| io::Error::other("/proc/self/status tells no VmSize"))
}

/// How much nicer than the server (nice(2)): of a core that both want, a tenth goes to reading; SQLite, which is 5 nicer, has
/// three times as much.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 10;

/// The file, the pipes, and what a program of the system opens.
#[cfg(target_os = "linux")]
const OPEN_FILES: u64 = 64;
