//! Packets that wait for those before them: in order, bounded, in buffers that are used again.

use std::collections::VecDeque;

use super::ticks::Ticks;

/// A packet at its place.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: i64,
    pub(super) start: Ticks,
    pub(super) length: Ticks,
    /// Empty if it is no Opus.
    pub(super) payload: Vec<u8>,
}

impl Entry {
    pub(super) fn end(&self) -> Ticks {
        self.start + self.length
    }
}

/// What arrived and was not given out.
#[derive(Debug)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    spare: Vec<Vec<u8>>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { entries: VecDeque::with_capacity(CAPACITY), spare: Vec::with_capacity(CAPACITY) }
    }

    /// Keeps a copy of a packet; returns whether there was room.
    pub(super) fn insert(&mut self, number: i64, start: Ticks, length: Ticks, payload: &[u8]) -> bool {
        if self.is_full() {
            return false;
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(payload);
        // Nearly always the last.
        let after = self.entries.iter().rposition(|entry| (entry.start, entry.number) <= (start, number));
        let place = after.map_or(0, |at| at + 1);
        self.entries.insert(place, Entry { number, start, length, payload: buffer });
        true
    }

    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// Takes the first out; hand it back with [`reuse`](Self::reuse).
    pub(super) fn take(&mut self) -> Option<Entry> {
        self.entries.pop_front()
    }

    /// Keeps the buffer of a packet that is done with.
    pub(super) fn reuse(&mut self, entry: Entry) {
        let mut buffer = entry.payload;
        buffer.clear();
        self.spare.push(buffer);
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() == CAPACITY
    }

    /// Where the last one ends.
    pub(super) fn end(&self) -> Option<Ticks> {
        self.entries.back().map(Entry::end)
    }
}

/// Packets kept: more than come of 10 ms while one is waited for.
const CAPACITY: usize = 64;
