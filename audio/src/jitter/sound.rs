//! Packets and the lack of them → 16 kHz → frames.
//!
//! For want of packets the decoder goes on with what it last heard, which sounds right for some 60 ms and then does not:
//! so it fades, and silence follows.

use std::time::Duration;

use super::{queue::Entry, ticks::Ticks};
use crate::{
    Frame, Framer, SampleRate,
    codec::opus::{OpusDecoder, OpusError, packet},
};

/// The stream as it is given out, and how much of it is made up.
#[derive(Debug)]
pub(super) struct Sound {
    decoder: OpusDecoder,
    framer: Framer,
    samples: Vec<i16>,
    /// Given out so far.
    position: Ticks,
    /// Samples made up since the last that was real.
    missing: usize,
    pub(super) concealed: Ticks,
    pub(super) silent: Ticks,
    pub(super) recovered: u64,
    pub(super) undecodable: u64,
}

impl Sound {
    pub(super) fn new() -> Result<Self, OpusError> {
        Ok(Self {
            decoder: OpusDecoder::new(Frame::RATE)?,
            framer: Framer::new(),
            samples: Vec::with_capacity(Frame::RATE.samples_in(packet::LONGEST)),
            position: Ticks::ZERO,
            missing: 0,
            concealed: Ticks::ZERO,
            silent: Ticks::ZERO,
            recovered: 0,
            undecodable: 0,
        })
    }

    /// Gives the last `span` of what a packet holds.
    pub(super) fn decode(&mut self, entry: &Entry, span: Ticks, frames: &mut impl FnMut(&Frame)) {
        let count = self.advance(span);
        self.samples.clear();
        if self.decoder.decode(&entry.payload, &mut self.samples).is_err() {
            self.undecodable += 1;
            self.continue_with(count, span);
        } else {
            self.missing = 0;
        }
        let surplus = self.samples.len().saturating_sub(count);
        self.give(surplus, frames);
    }

    /// Gives what `next` remembers of the `span` before it.
    pub(super) fn recover(&mut self, next: &Entry, span: Ticks, frames: &mut impl FnMut(&Frame)) {
        let count = self.advance(span);
        self.samples.clear();
        if self.decoder.recover(&next.payload, count, &mut self.samples).is_ok() {
            self.recovered += 1;
            self.missing = 0;
        } else {
            self.continue_with(count, span);
        }
        self.give(0, frames);
    }

    /// Gives `span` for which there is nothing.
    pub(super) fn conceal(&mut self, span: Ticks, frames: &mut impl FnMut(&Frame)) {
        let count = self.advance(span);
        self.samples.clear();
        self.continue_with(count, span);
        self.give(0, frames);
    }

    /// Makes up `count` samples.
    fn continue_with(&mut self, count: usize, span: Ticks) {
        if self.missing < SILENT_AFTER {
            self.concealed += span;
            // Whole times 2.5 ms, which is all there is unless the sender's timestamps are odd.
            let whole = count.min(SILENT_AFTER - self.missing) / QUANTUM * QUANTUM;
            if self.decoder.conceal(whole, &mut self.samples).is_err() {
                self.samples.clear();
            }
            for (nth, sample) in self.samples.iter_mut().enumerate() {
                let left = SILENT_AFTER.saturating_sub(self.missing + nth).min(FADE);
                *sample = (i32::from(*sample) * left as i32 / FADE as i32) as i16;
            }
        } else {
            self.silent += span;
        }
        self.samples.resize(count, 0);
        self.missing = self.missing.saturating_add(count);
    }

    /// Moves on by `span`; returns how many samples that is, so that all of them are as many as the ticks they are for.
    fn advance(&mut self, span: Ticks) -> usize {
        let before = self.position.0 / TICKS_PER_SAMPLE;
        self.position += span;
        (self.position.0 / TICKS_PER_SAMPLE - before) as usize
    }

    fn give(&mut self, from: usize, frames: &mut impl FnMut(&Frame)) {
        self.framer.push(&self.samples[from..], |_, frame| frames(frame));
    }
}

const TICKS_PER_SAMPLE: i64 = (SampleRate::HZ_48000.hertz() / Frame::RATE.hertz()) as i64;

/// Samples of 2.5 ms.
const QUANTUM: usize = Frame::SAMPLES / 8;

/// Nothing is made up beyond 120 ms, the last half of it fading.
const SILENT_AFTER: usize = Frame::RATE.samples_in(Duration::from_millis(120));
const FADE: usize = SILENT_AFTER / 2;
