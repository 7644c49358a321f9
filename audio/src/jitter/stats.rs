//! What became of a stream's packets.

use std::time::Duration;

/// Counts since the beginning of the stream, and what its network is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Packets that arrived, good or bad.
    pub received: u64,
    /// Packets that never arrived, as the sequence numbers tell.
    pub lost: u64,
    /// Packets that arrived when their time had been given out without them; dropped.
    pub late: u64,
    /// Packets that had arrived before; dropped.
    pub duplicate: u64,
    /// Packets whose timestamps tell of more time than has passed: a flood or a jump; dropped.
    pub implausible: u64,
    /// Packets beyond what is kept; dropped.
    pub overflowed: u64,
    /// Packets that were no Opus; concealed.
    pub undecodable: u64,
    /// Packets of which the one after them remembered the sound (in-band FEC).
    pub recovered: u64,
    /// Sound made up from what was before it.
    pub concealed: Duration,
    /// Silence given for want of packets: losses too long to be made up, pauses of the sender, outages.
    pub silent: Duration,
    /// Time that was not given out at all, since nobody asked for too long.
    pub skipped: Duration,
    /// How often the sender's clock began anew.
    pub restarts: u64,
    /// How long a missing packet is waited for beyond when the fastest would have arrived.
    pub depth: Duration,
    /// Interarrival jitter (RFC 3550, section 6.4.1).
    pub jitter: Duration,
}
