//! Where a packet belongs: numbers and timestamps that wrap (RFC 3550, section 5.1) → positions that do not.
//!
//! Knows which packets came before, and when a sender's clock has begun anew: its packets then go on where the others
//! ended. Nobody gets more sound in than time has passed.

use super::{Packet, ticks::Ticks};

/// Where each packet of one stream belongs.
#[derive(Debug)]
pub(super) struct Timeline {
    newest: Option<Newest>,
    /// When the stream began on the caller's clock.
    origin: Ticks,
    /// Packets that arrived: bit n is the one n before the newest.
    seen: u128,
    suspects: Option<Suspects>,
}

/// The packet of the highest number, from which others are counted.
#[derive(Clone, Copy, Debug)]
struct Newest {
    sequence: u16,
    timestamp: u32,
    number: i64,
    start: Ticks,
}

/// Packets in a row that belong nowhere, but that agree with each other.
#[derive(Clone, Copy, Debug)]
struct Suspects {
    count: u32,
    since: Ticks,
    /// Between the end of their sound and their arrival.
    transit: Ticks,
}

/// What is to be done with a packet. Numbers and positions count from the first packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It is in time.
    At { number: i64, start: Ticks },
    /// It begins another timeline, which is continued here.
    Restart { number: i64, start: Ticks },
    /// Its time is over.
    Late { number: i64, start: Ticks },
    /// It was here before.
    Duplicate,
    /// Its time cannot have come.
    Implausible,
}

impl Timeline {
    pub(super) const fn new() -> Self {
        Self { newest: None, origin: Ticks::ZERO, seen: 0, suspects: None }
    }

    /// Places a packet with `length` of sound that arrives at `now`, when all before `cursor` has been given out and
    /// packets up to `end` are in the queue.
    pub(super) fn place(&mut self, now: Ticks, packet: &Packet<'_>, length: Ticks, cursor: Ticks, end: Ticks) -> Place {
        let Packet { sequence, timestamp, .. } = *packet;
        let Some(newest) = self.newest else {
            self.origin = now - length;
            self.note(Newest { sequence, timestamp, number: 0, start: Ticks::ZERO });
            return Place::At { number: 0, start: Ticks::ZERO };
        };
        let ahead = sequence.wrapping_sub(newest.sequence) as i16;
        let number = newest.number + i64::from(ahead);
        let start = newest.start + Ticks(i64::from(timestamp.wrapping_sub(newest.timestamp) as i32));
        let (implausible, late) = (start + length > self.limit(now), start + length <= cursor);
        // The number alone would take a new stream that begins a little before for copies of the old one.
        if !implausible && start > newest.start - MEMORY && self.has_seen(newest.number - number) {
            return Place::Duplicate;
        }
        if !implausible && !late {
            self.suspects = None;
            self.note(Newest { sequence, timestamp, number, start });
            return Place::At { number, start };
        }
        let onward = cursor.max(end);
        if self.persist(now, now - start - length) && onward + length <= self.limit(now) {
            let number = newest.number + 1;
            (self.newest, self.suspects) = (None, None);
            self.note(Newest { sequence, timestamp, number, start: onward });
            return Place::Restart { number, start: onward };
        }
        if implausible {
            return Place::Implausible;
        }
        if i64::from(ahead) < WINDOW {
            self.note(Newest { sequence, timestamp, number, start });
        }
        Place::Late { number, start }
    }

    /// Up to where sound may reach that arrives now.
    fn limit(&self, now: Ticks) -> Ticks {
        let passed = now - self.origin;
        passed + Ticks(passed.0 / SKEW) + HEADSTART
    }

    /// Whether a packet this far behind the newest has arrived.
    const fn has_seen(&self, behind: i64) -> bool {
        0 <= behind && behind < WINDOW && self.seen >> behind & 1 != 0
    }

    /// Remembers that a packet arrived.
    fn note(&mut self, packet: Newest) {
        match self.newest {
            Some(newest) if packet.number <= newest.number => {
                let behind = newest.number - packet.number;
                self.seen |= if behind < WINDOW { 1 << behind } else { 0 };
            }
            Some(newest) => {
                let ahead = packet.number - newest.number;
                self.seen = if ahead < WINDOW { self.seen << ahead | 1 } else { 1 };
                self.newest = Some(packet);
            }
            None => (self.seen, self.newest) = (1, Some(packet)),
        }
    }

    /// Whether packets out of place have agreed with each other for long enough to be right. Those of a stall, which
    /// come all at once, do not: each is less late than the one before.
    fn persist(&mut self, now: Ticks, transit: Ticks) -> bool {
        let run = self.suspects.filter(|run| {
            let apart = Ticks((transit - run.transit).0.abs());
            apart <= Ticks((now - run.since).0 / 2) + AGREEMENT
        });
        let run = run.unwrap_or(Suspects { count: 0, since: now, transit });
        self.suspects = Some(Suspects { count: run.count + 1, ..run });
        run.count >= 2 && now - run.since >= PERSISTENCE
    }
}

/// Bits of memory for packets that arrived: 2.5 s of 20 ms.
const WINDOW: i64 = 128;

/// How far back they may lie: as many of the longest packets.
const MEMORY: Ticks = Ticks::from_millis(120 * WINDOW);

/// How long packets must agree on another clock. A change of route that makes everything later by less is over before.
const PERSISTENCE: Ticks = Ticks::from_millis(100);

/// Within this they agree; a network's own variation is of that size.
const AGREEMENT: Ticks = Ticks::from_millis(60);

/// How much sound may come faster than time passes, in all: packets held up before the first, and clocks set forward.
const HEADSTART: Ticks = Ticks::from_millis(2_000);

/// One in so many is how wrong a sender's clock may go. Crystals are wrong by 1 in 10 000.
const SKEW: i64 = 100;
