//! One Opus RTP stream → steady 20 ms frames, for somebody who listens but has no ear to please.
//!
//! What arrives in order is decoded at once; only what is missing is waited for, as long as the network's own delay
//! variation says it may still come (`delay`). Then the next packet is asked for what it remembers (in-band FEC), else
//! the sound is continued, fading into silence (`sound`). With nothing arriving at all, silence comes in real time, so
//! that whoever listens knows that time passes. The position in the stream is the sender's clock (`timeline`): it
//! neither drifts nor grows, whatever the network does.
//!
//! Pure: times come from the caller, and once warm nothing is allocated.

mod delay;
mod queue;
mod sound;
mod stats;
mod ticks;
mod timeline;

use std::time::Duration;

pub use stats::Stats;

use crate::{
    Frame,
    codec::opus::{OpusError, packet},
};
use delay::Delay;
use queue::{Entry, Queue};
use sound::Sound;
use ticks::Ticks;
use timeline::{Place, Timeline};

/// A packet of the stream as its RTP header (RFC 3550, section 5.1) and payload tell.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The RTP sequence number.
    pub sequence: u16,
    /// The RTP timestamp, of a clock of 48 kHz (RFC 7587, section 4.1).
    pub timestamp: u32,
    /// An Opus packet.
    pub payload: &'a [u8],
}

/// Puts the packets of one stream in order and makes frames of them.
///
/// Call [`push`](Self::push) when a packet arrives, and [`pop`](Self::pop) after that and whenever
/// [`next_due`](Self::next_due) has come. `now` is the time since any fixed origin and never goes back.
#[derive(Debug)]
pub struct JitterBuffer {
    timeline: Timeline,
    delay: Delay,
    queue: Queue,
    sound: Sound,
    /// Up to where the stream has been given out.
    cursor: Ticks,
    /// The highest number of a packet that was given out or is too late to be.
    given: i64,
    /// Latest time told.
    now: Ticks,
    stats: Stats,
}

impl JitterBuffer {
    /// A buffer before the first packet.
    ///
    /// # Errors
    /// [`OpusError::Library`] without memory for a decoder.
    pub fn new() -> Result<Self, OpusError> {
        Ok(Self {
            timeline: Timeline::new(),
            delay: Delay::new(),
            queue: Queue::new(),
            sound: Sound::new()?,
            cursor: Ticks::ZERO,
            given: -1,
            now: Ticks::ZERO,
            stats: Stats::default(),
        })
    }

    /// Takes a packet that arrives at `now`. Bad ones are counted, and never more are kept than can be waited for.
    pub fn push(&mut self, now: Duration, packet: Packet<'_>) {
        let now = self.advance(now);
        self.stats.received += 1;
        // What is no Opus keeps its place, and is told and made up for when its time comes.
        let length = if packet.payload.len() > MOST_BYTES { None } else { Ticks::of_packet(packet.payload).ok() };
        let payload = length.map_or(&[][..], |_| packet.payload);
        let length = length.unwrap_or(self.delay.packet());
        let end = self.queue.end().unwrap_or(self.cursor);
        let (number, start) = match self.timeline.place(now, &packet, length, self.cursor, end) {
            Place::At { number, start } => (number, start),
            Place::Restart { number, start } => {
                self.stats.restarts += 1;
                self.delay.restart();
                (number, start)
            }
            Place::Late { number, start } => {
                self.delay.late(now, start, length);
                return self.count_late(number);
            }
            Place::Duplicate => return self.stats.duplicate += 1,
            Place::Implausible => return self.stats.implausible += 1,
        };
        self.delay.on_time(now, start, length);
        if !self.queue.insert(number, start, length, payload) {
            self.stats.overflowed += 1;
        }
    }

    /// Gives every frame that is due by `now`, in order.
    pub fn pop(&mut self, now: Duration, mut frames: impl FnMut(&Frame)) {
        let now = self.advance(now);
        loop {
            self.skip(now);
            let overdue = self.delay.due(self.cursor).is_some_and(|due| due <= now);
            match self.queue.first() {
                Some(next) if next.start <= self.cursor => self.give(&mut frames),
                Some(next) if overdue || self.awaits_nothing_before(next) => self.fill(&mut frames),
                None if overdue => {
                    self.sound.conceal(STEP, &mut frames);
                    self.cursor += STEP;
                }
                Some(_) | None => break,
            }
        }
    }

    /// When [`pop`](Self::pop) has something to give next if nothing arrives; `None` before the first packet.
    pub fn next_due(&self) -> Option<Duration> {
        match self.queue.first() {
            Some(next) if next.start <= self.cursor || self.awaits_nothing_before(next) => Some(self.now.span()),
            Some(_) | None => Some(self.delay.due(self.cursor)?.max(self.now).span()),
        }
    }

    /// What was counted and measured so far.
    pub fn stats(&self) -> Stats {
        Stats {
            undecodable: self.sound.undecodable,
            recovered: self.sound.recovered,
            concealed: self.sound.concealed.span(),
            silent: self.sound.silent.span(),
            depth: self.delay.depth(),
            jitter: self.delay.jitter(),
            ..self.stats
        }
    }

    /// Time never goes back, whatever the caller says.
    fn advance(&mut self, now: Duration) -> Ticks {
        self.now = self.now.max(Ticks::at(now));
        self.now
    }

    /// Whether a gap before this packet need not be waited for: the sender paused, or there is no room to wait in.
    fn awaits_nothing_before(&self, next: &Entry) -> bool {
        next.number == self.given + 1 || self.queue.is_full()
    }

    /// Gives the first packet of the queue, whose time has come.
    fn give(&mut self, frames: &mut impl FnMut(&Frame)) {
        let Some(entry) = self.queue.take() else { return };
        if entry.end() > self.cursor {
            self.count_lost_before(entry.number);
            self.sound.decode(&entry, entry.end() - self.cursor, frames);
            self.cursor = entry.end();
        } else {
            self.count_late(entry.number);
        }
        self.queue.reuse(entry);
    }

    /// Makes up for the gap before the first packet of the queue, or for the first of it.
    fn fill(&mut self, frames: &mut impl FnMut(&Frame)) {
        let Some(next) = self.queue.first() else { return };
        let gap = next.start - self.cursor;
        let remembered = match packet::frame_duration(&next.payload) {
            Ok(frame) if next.number != self.given + 1 && packet::has_recovery(&next.payload) => Ticks::at(frame),
            Ok(_) | Err(_) => Ticks::ZERO,
        };
        let span = if gap == remembered {
            self.sound.recover(next, gap, frames);
            gap
        } else {
            let span = if gap > remembered { gap - remembered } else { gap }.min(STEP);
            self.sound.conceal(span, frames);
            span
        };
        self.cursor += span;
    }

    /// Leaves out what nobody asked for in time, so that a process that was held up is not busy with silence.
    fn skip(&mut self, now: Ticks) {
        let Some(due) = self.delay.due(self.cursor) else { return };
        let gap = self.queue.first().map_or(now - due, |next| (next.start - self.cursor).min(now - due));
        if gap > MOST_AT_ONCE {
            self.cursor += gap - MOST_AT_ONCE;
            self.stats.skipped += (gap - MOST_AT_ONCE).span();
        }
    }

    fn count_lost_before(&mut self, number: i64) {
        self.stats.lost += u64::try_from(number - self.given - 1).unwrap_or(0);
        self.given = self.given.max(number);
    }

    fn count_late(&mut self, number: i64) {
        self.stats.late += 1;
        if number > self.given {
            self.count_lost_before(number);
        } else if number >= 0 {
            // It was counted as lost when one after it was given out; those from before the first were not.
            self.stats.lost = self.stats.lost.saturating_sub(1);
        }
    }
}

/// How much is made up for at once: packets missing after that may still come.
const STEP: Ticks = Ticks::from_millis(20);

/// The most that comes in one [`JitterBuffer::pop`] for want of packets.
const MOST_AT_ONCE: Ticks = Ticks::from_millis(5_000);

/// The most a packet may hold. RTP sent through the Internet fits a datagram; 20 ms of Opus have 1 275 bytes at most.
const MOST_BYTES: usize = 1_500;

#[cfg(test)]
mod tests;
