//! What a WebRTC call costs and how much it delays; see docs/benchmarks.md.
//!
//! Load: many calls that speak and are spoken to all the time, against a relay in a process of its own, whose CPU and
//! memory are read from the kernel. Its parts are timed beside it in the same run. Delay: one call in this process, where
//! both ends of each direction read one clock. Peers are webrtc-rs, an implementation of its own, except for the time to
//! first audio, where its pacing of ICE checks (200 ms) would be all there is to see.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark that cannot go on stops")]

#[path = "../../tests/webrtc/caller.rs"]
#[expect(dead_code, reason = "what tests need of it")]
mod caller;
#[path = "../../tests/support/database.rs"]
mod database;
mod delay;
mod load;
#[path = "../../tests/webrtc/network.rs"]
#[expect(dead_code, reason = "what tests need of it")]
mod network;
mod parts;
mod quick;
#[path = "../../tests/webrtc/relay.rs"]
mod relay;
#[path = "../../tests/rest/server.rs"]
#[expect(dead_code, reason = "what tests need of it")]
mod server;

use std::time::Duration;

/// Set for the process that is the relay.
const RELAY: &str = "VOICE_RELAY_BENCH_RELAY";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if std::env::var_os(RELAY).is_some() {
        return runtime.block_on(load::serve());
    }
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (calls, seconds) = (number("CALLS", 40), number("SECONDS", 20));
    let build = if cfg!(debug_assertions) { "a development build: only a release build counts" } else { "release" };
    println!("WebRTC, {build}; CALLS={calls} SECONDS={seconds}\n");
    runtime.block_on(delay::run());
    runtime.block_on(quick::run());
    let parts = parts::measure();
    runtime.block_on(load::run(calls as usize, Duration::from_secs(seconds), &parts));
}

/// Of a hundred, how long this one took.
fn rank(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).clamp(1, sorted.len()) - 1;
    sorted[at].as_secs_f64() * 1e3
}

fn tell(name: &str, mut spans: Vec<Duration>, aim: &str) {
    spans.sort_unstable();
    let at = |percent| rank(&spans, percent);
    println!(
        "{name:<52} n {:>4}  p50 {:>6.1}  p95 {:>6.1}  max {:>6.1} ms  {aim}",
        spans.len(),
        at(50),
        at(95),
        at(100)
    );
}
